"""The reader's own copies of the lessons, and `lab`, which opens them in JupyterLab.

`cli` reads the command line, `place` decides in which folder the copies are, `page` makes a copy
of a committed page, `copies` makes and renews them (`answers` carries answers over, `servers`
tells whether a copy may be open), `settings` prepares JupyterLab, `jupyterlab` starts it.

The standard library alone is imported at the top of these modules, so that `--help` works before
set-up.
"""


class ReadingError(RuntimeError):
    """The copies cannot be made; the text says what was found and what to do next."""
