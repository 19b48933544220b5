"""Set-up of the course on a fresh machine: `bootstrap` does it, `messages` says what went wrong.

Standard library only, and parses on Python 3.8, so that an old Python gets a message.
"""
