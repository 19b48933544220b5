"""Tools of the notebook course: set-up, lessons, exercises, figures and the batch runner.

Importing this package imports nothing else, so every Python can read its version.
"""

__version__ = "0.1.0"
