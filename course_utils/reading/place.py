"""Where the reader's copies are, and how a link in a copy reaches the rest of the course."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from course_utils.files import IN_HOME, READ_ONLY
from course_utils.reading import ReadingError

IN_COURSE = "work"
LINK = "course"  # in a folder outside of the course: leads to the course's folder


@dataclass(frozen=True)
class Place:
    """The folder of the copies."""

    folder: Path
    served: Path  # what JupyterLab shows as its top folder
    course: str  # with it begins a link from a copy to the course's folder
    reason: str = ""  # why the folder is not the usual one


def find_place(root: Path, wanted: str | None = None) -> Place:
    """Return the place of the copies of the course in `root`; its folder exists afterwards.

    It is `wanted` (a relative path starts at `root`), or `work` in the course's folder, or, where
    that cannot be written, a folder in the reader's home.

    Raises:
        ReadingError: the folder cannot be made or written, or is one of the course's own.
    """
    if wanted is not None:
        folder = Path(os.path.abspath(root / Path(wanted).expanduser()))
        real = folder.resolve()
        if real == root.resolve() or real.is_relative_to((root / "notebooks").resolve()):
            raise ReadingError(
                f"--work {wanted}: there the course's own files are; expected another folder, such "
                f"as {root / IN_COURSE}"
            )
        _prepare(folder)
        return _place(root, folder)
    try:
        _prepare(root / IN_COURSE)
        return _place(root, root / IN_COURSE)
    except _ReadOnly:
        folder = Path.home() / IN_HOME
        _prepare(folder)
        return _place(root, folder, reason=f"{root} cannot be written")


class _ReadOnly(ReadingError):
    pass


def _prepare(folder: Path) -> None:
    """Make the folder and see that files can be written there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except (FileExistsError, NotADirectoryError):
        raise ReadingError(
            f"{folder}: expected a folder for your copies of the lessons, found a file in its "
            "place; move that file, or name another folder with --work DIR"
        ) from None
    except OSError as error:
        kind = _ReadOnly if error.errno in READ_ONLY else ReadingError
        raise kind(
            f"{folder}: your copies of the lessons cannot be written there ({error.strerror}); "
            "name a folder where you may write, and which has room, with --work DIR"
        ) from None


def _place(root: Path, folder: Path, reason: str = "") -> Place:
    if folder.is_relative_to(root):
        up = Path(os.path.relpath(root, folder)).as_posix()
        return Place(folder, served=root, course=up, reason=reason)
    return Place(folder, served=folder, course=_link(root, folder / LINK), reason=reason)


def _link(root: Path, link: Path) -> str:
    """Let `link` lead to the course's folder; return what a link in a copy begins with."""
    try:
        if link.is_symlink() and not _same(link, root):
            link.unlink()  # the course was elsewhere
        if not link.exists():
            if os.name == "nt":  # a junction needs no rights that a usual account lacks
                import _winapi

                _winapi.CreateJunction(str(root), str(link))
            else:
                link.symlink_to(root, target_is_directory=True)
    except OSError:
        pass  # a file system without links
    return LINK if _same(link, root) else root.as_uri()


def _same(link: Path, root: Path) -> bool:
    try:
        return link.samefile(root)
    except OSError:
        return False
