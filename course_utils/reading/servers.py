"""Whether a copy may be open: the lock that a running `lab` holds, records of Jupyter servers."""

import errno
import json
import os
import time
from pathlib import Path

from course_utils.reading import ReadingError

LOCK = ".lab.lock"
SECONDS = 60  # how long another `lab` may take to make its copies
UNKNOWN = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # a file system without locks


class Lock:
    """The lock on a folder of copies: alone while copies are made, shared while they are read.

    A process that becomes JupyterLab keeps its share until JupyterLab ends, however it ends. On
    Windows, whose locks cannot be shared, it is released when the copies are made; there the
    records of servers (`running_server`) tell alone.
    """

    def __init__(self, folder: Path):
        """Take the lock; `alone` says that no `lab` runs on the folder. Raises ReadingError."""
        # A bare descriptor: it stays open until this process, or what it becomes, ends.
        self._file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        end = time.monotonic() + SECONDS
        self.alone = True
        while not self._take(alone=self.alone):
            self.alone = os.name == "nt"  # else another one runs, or makes its copies just now
            if time.monotonic() > end:
                raise ReadingError(
                    f"{folder}: another `lab` has been making its copies there for {SECONDS} s; "
                    "end it, then repeat the command"
                )
            time.sleep(0.05)

    def share(self) -> None:
        """Let others in, and keep a share beyond this process's becoming another program."""
        if os.name == "nt":
            os.close(self._file)
            return
        self._take(alone=False)
        os.set_inheritable(self._file, True)

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._file)

    def _take(self, alone: bool) -> bool:
        try:
            if os.name == "nt":
                import msvcrt

                msvcrt.locking(self._file, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
                fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        except OSError as error:
            if error.errno not in UNKNOWN:
                raise
        return True


def running_server(folder: Path) -> str | None:
    """Return the address of a running Jupyter server of this account that can open `folder`.

    A server leaves its record behind when it is killed, and its process id may belong to another
    process today: one that began after the record was written.
    """
    from jupyter_core.paths import jupyter_runtime_dir

    folder = folder.resolve()
    for record in sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json")):
        try:
            server = json.loads(record.read_text(encoding="utf-8"))
            reaches = folder.is_relative_to(Path(server["root_dir"]).resolve())
            if reaches and _runs(server["pid"], record.stat().st_mtime):
                return server["url"]
        except (OSError, ValueError, LookupError, TypeError):
            continue  # a record that is half written or no record
    return None


def _runs(pid: int, written: float) -> bool:
    import psutil

    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return not ended and process.create_time() < written + 60  # clocks are set, too
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False
