"""Makes the reader's copies of the lessons, and renews them without losing the reader's work.

Beside the copies stands a record of what each was made from: the ids of its cells and hashes of
their sources. A copy whose cells still equal it holds no work of the reader's (outputs are none)
and follows the committed page. Any other copy is left alone, until its page changes: then it is
kept under another name, and the new page takes its place with the reader's answers.
"""

import contextlib
import datetime
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from course_utils.contents import lesson_paths
from course_utils.files import write_atomically
from course_utils.reading import answers
from course_utils.reading.page import Cell, Copy, kernel_metadata, read_cells
from course_utils.reading.place import Place

RECORD = ".copies.json"


def make_copies(root: Path, place: Place, server: str | None, today: str = "") -> list[str]:
    """Make the copies that are missing in `place`, and renew those that hold no work.

    All lessons that notebooks/course.toml lists are copied, and the Markdown files beside them.

    Args:
        root: the course's folder.
        place: where the copies are.
        server: what may have a copy open (its address); nothing is renewed then.
        today: the date for the names of kept files (default: today's).

    Returns:
        Lines for the reader: what was kept under which name, and what could not be done.

    Raises:
        OSError: a file could not be written, such as on a full disk. Every copy is then as it
            was, or whole and new.
        ContentsError: something is wrong in course.toml.
    """
    pages = _pages(root)
    names = {page.name for page in pages}
    metadata = kernel_metadata()
    shelf = _Shelf(place.folder, today or datetime.date.today().isoformat())
    waiting = []
    try:
        for page in pages:
            try:
                copy = Copy(page, names, place.course, metadata)
            except (OSError, ValueError) as error:
                shelf.notes.append(f"{page}: {error}; it was not copied. Restore it with git.")
                continue
            if not shelf.put(copy, may_renew=server is None):
                waiting.append(page.name)
    finally:
        shelf.write_record()
    if waiting:
        shelf.notes.append(
            f"There are new pages for {', '.join(waiting)}. Your copies may be open in {server}: "
            "end that server and repeat the command to get them."
        )
    return shelf.notes


def _pages(root: Path) -> list[Path]:
    folder = root / "notebooks"
    return [*lesson_paths(folder / "course.toml"), *sorted(folder.glob("*.md"))]


@dataclass
class _Found:
    """What stands in a copy's place."""

    content: bytes
    cells: list[Cell] | None  # None: it is not whole


class _Shelf:
    """A folder of copies with its record."""

    def __init__(self, folder: Path, today: str):
        self.folder = folder
        self.today = today
        self.notes: list[str] = []
        self._old = _read_record(folder / RECORD)
        self._record = dict(self._old)

    def put(self, copy: Copy, may_renew: bool) -> bool:
        """Bring the copy up to date; return False if it only was not done because it may not."""
        path = self.folder / copy.name
        if not path.exists() and not path.is_symlink():
            self._write(copy, copy.text())
            return True
        found = self._look(path)
        if found is None:
            return True

        base = self._record.get(copy.name, {})
        today = [cell.fingerprint for cell in copy.cells]
        held = None if found.cells is None else [cell.fingerprint for cell in found.cells]
        text = copy.text()
        if held == today:  # the page has not changed, nor has the copy
            as_written = base.get("file") == _hash(found.content)
            if found.content == text.encode():
                self._note_base(copy, text)
            elif not as_written:
                self._note_base(copy, None)  # it was run, or saved by another program
            elif may_renew:
                self._write(copy, text)  # the environment has changed, such as Python's version
            return True
        worked_on = held is None or held != base.get("cells")
        if worked_on and held is not None and base.get("cells") == today:
            return True  # the reader's work on the page of today
        if not may_renew:
            return False
        if worked_on:
            self._replace(copy, path, found, base.get("cells"))
        else:
            self._write(copy, text)
        return True

    def _look(self, path: Path) -> _Found | None:
        """Read what stands at `path`; None, and a note, for what is not to be touched."""
        if path.is_symlink() or not path.is_file():
            kind = "a link" if path.is_symlink() else "no file"
            self.notes.append(f"{path} is {kind}; it is left as it is.")
            return None
        try:
            content = path.read_bytes()
        except OSError as error:
            self.notes.append(f"{path} cannot be read ({error.strerror}); it is left as it is.")
            return None
        try:
            return _Found(content, read_cells(path.name, content))
        except ValueError:
            return _Found(content, None)

    def _replace(self, copy: Copy, path: Path, found: _Found, base: list | None) -> None:
        """Keep the reader's file under another name, and put the new page in its place."""
        carried = answers.carry(found.cells or [], copy.cells, base)
        kept = self._keep(path, found.content)
        try:
            self._write(copy, copy.text(carried.sources))
        except OSError:
            kept.unlink()  # the reader's file still stands in its place
            raise
        if found.cells is None:
            what = "your file was not whole and cannot be opened"
        else:
            what = "the lesson and your copy have both changed"
        line = f"{copy.name}: {what}. Yours is kept as {kept.name}; the new page is in its place"
        if carried.exercises:
            line += f", with your answers to {', '.join(carried.exercises)}"
        if carried.without_place:
            line += f" (it no longer has {', '.join(carried.without_place)})"
        self.notes.append(line + ".")

    def _keep(self, path: Path, content: bytes) -> Path:
        """Give the file at `path` a second name that nothing has yet, and return that."""
        number = 1
        while True:
            suffix = f".{self.today}-{number}" if number > 1 else f".{self.today}"
            kept = path.with_name(f"{path.stem}{suffix}{path.suffix}")
            try:
                try:
                    os.link(path, kept)
                except FileExistsError:
                    raise
                except OSError:  # a file system without hard links
                    with open(kept, "xb") as file:
                        file.write(content)
                return kept
            except FileExistsError:
                number += 1

    def _write(self, copy: Copy, text: str) -> None:
        write_atomically(self.folder / copy.name, text)
        self._note_base(copy, text)

    def _note_base(self, copy: Copy, text: str | None) -> None:
        """Record what the copy was made from: the page itself, without any answer put in."""
        entry = {"cells": [cell.fingerprint for cell in copy.cells]}
        if text is not None:
            entry["file"] = _hash(text.encode())
        self._record[copy.name] = entry

    def write_record(self) -> None:
        """Write the record if it has changed; on a full disk the error that led here counts."""
        if self._record != self._old:
            text = json.dumps(self._record, sort_keys=True) + "\n"
            write_atomically(self.folder / RECORD, text)


def _read_record(path: Path) -> dict[str, dict]:
    """Return what each copy was made from; what is damaged counts as unknown."""
    record = {}
    with contextlib.suppress(OSError, ValueError):
        stored = json.loads(path.read_text(encoding="utf-8"))
        for name, entry in stored.items() if isinstance(stored, dict) else ():
            if isinstance(entry, dict) and _fingerprints(entry.get("cells")):
                record[name] = entry
    return record


def _fingerprints(cells: object) -> bool:
    return isinstance(cells, list) and all(isinstance(c, list) and len(c) == 2 for c in cells)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
