"""Writing a file whole or not at all."""

import os
import tempfile
from pathlib import Path


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
