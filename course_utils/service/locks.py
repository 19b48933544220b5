"""One writer at a time: a lock on an open file, held until the file is closed or the process ends.

The lock is advisory on Linux and macOS (readers are not kept out) and covers one byte far behind
the end on Windows, so that readers are not kept out there either.
"""

import os


def lock(descriptor: int, wait: bool) -> None:
    """Take the exclusive lock on an open file.

    Raises OSError when another process has it and `wait` is False; with `wait` True the call
    returns as soon as the lock is free (Windows gives up after ten seconds, with OSError).
    """
    if os.name == "nt":
        import msvcrt

        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
