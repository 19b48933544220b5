"""Writing a file whole or not at all, and where the course may write."""

import errno
import os
import tempfile
from pathlib import Path

IN_HOME = "large-models-course"  # folder in the home for what the course's folder cannot take
READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


class NoFolderError(OSError):
    """Neither the course's folder nor one in the home can be written."""


def writable_folder(root: str | os.PathLike, name: str) -> Path:
    """Return the folder `name` of the course in `root`, made where it is missing.

    Where the course's folder is read-only, as one that many accounts share may be, it is the folder
    of that name in `large-models-course` in the reader's home.

    Raises:
        NoFolderError: that cannot be written either; the text names both.
        OSError: another fault, such as a full disk, or a file in the folder's place.
    """
    course, home = Path(root) / name, Path.home() / IN_HOME / name
    try:
        return _made(course)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
    try:
        return _made(home)
    except OSError as error:
        raise NoFolderError(f"neither {course} nor {home} can be written") from error


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    tempfile.TemporaryFile(dir=folder).close()
    return folder


def write_atomically(
    path: str | os.PathLike, content: str | bytes, mode: int | None = None
) -> None:
    """Write `content` to `path` so that a reader sees the old file or the new one, never a part.

    The content goes to a temporary file in the same folder, which then takes the place of `path`.
    Text is written as UTF-8 with `\\n` line ends on every system. Permissions of an existing file
    are kept, unless `mode` (such as 0o600) gives others; no reader ever sees wider ones.

    Raises OSError (disk full, folder missing, no permission); `path` is then as it was before,
    and no temporary file is left.
    """
    path = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    descriptor, temporary = tempfile.mkstemp(
        prefix=f".{path.name}.", suffix=".tmp", dir=path.parent
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # a full disk may show only here
        os.chmod(temporary, _mode(path) if mode is None else mode)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _mode(path: Path) -> int:
    """Return the permissions of `path`, or those that a new file would get."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
