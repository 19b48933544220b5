"""The glossary, notebooks/glossary.md: its entries, and the cells of the lessons that explain them.

An entry is one line: an anchor, one sentence with the term in bold, and in brackets the lesson. In
a lesson of the new grammar the cell that explains a term links to it, `[*term*](glossary.md#term)`,
and the entry links back to that cell; `python3 -m course_utils execute` renews these links.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from course_utils.contents import Lesson, read_contents
from course_utils.files import write_atomically

ENTRY = re.compile(
    r'- <a id="(?P<anchor>[a-z0-9-]+)"></a>(?P<sentence>.+) '
    r"\((?:lesson (?P<lesson>\d\d)|\[(?P<linked>\d\d), [a-z0-9-]+\]\([^)]+\))\)"
)
EXPLAINED = re.compile(r"\[\*[^*\]]+\*\]\(glossary\.md#([^)]+)\)")


@dataclass(frozen=True)
class Entry:
    """One term."""

    anchor: str
    sentence: str
    lesson: str  # two digits
    line: str  # as it stands in the file

    @property
    def term(self) -> str:
        """Return the term, which stands in bold in the sentence; empty if nothing does."""
        bold = re.search(r"\*\*(.+?)\*\*", self.sentence)
        return bold[1] if bold else ""


def read_entries(path: Path) -> list[Entry]:
    """Return the entries of glossary.md in their order; a line of another form is none."""
    matches = map(ENTRY.fullmatch, path.read_text(encoding="utf-8").splitlines())
    return [
        Entry(match["anchor"], match["sentence"], match["lesson"] or match["linked"], match[0])
        for match in matches
        if match
    ]


def explained(notebook: Path) -> dict[str, str]:
    """Return the anchors of the terms that a notebook explains, each with its first cell's id."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    found: dict[str, str] = {}
    for cell in cells:
        if cell["cell_type"] == "markdown":
            for anchor in EXPLAINED.findall("".join(cell["source"])):
                found.setdefault(anchor, cell["id"])
    return found


def with_cells(notebooks: Path) -> str:
    """Return the text of glossary.md with a link to the cell that explains each term.

    A term keeps its plain lesson number while no cell of the lesson links to it.
    """
    lessons = {
        lesson.number: (lesson, explained(notebooks / lesson.file))
        for lesson in read_contents(notebooks / "course.toml").lessons
        if lesson.grammar > 1
    }
    text = (notebooks / "glossary.md").read_text(encoding="utf-8")
    for entry in read_entries(notebooks / "glossary.md"):
        lesson, cells = lessons.get(entry.lesson, (None, {}))
        where = _reference(entry, lesson, cells.get(entry.anchor))
        new = f'- <a id="{entry.anchor}"></a>{entry.sentence} ({where})'
        text = text.replace(f"\n{entry.line}\n", f"\n{new}\n")
    return text


def update_glossary(notebooks: Path) -> bool:
    """Renew the links in glossary.md, if there is one; return whether it changed."""
    path = notebooks / "glossary.md"
    if not path.is_file():
        return False
    text = with_cells(notebooks)
    changed = text != path.read_text(encoding="utf-8")
    if changed:
        write_atomically(path, text)
    return changed


def _reference(entry: Entry, lesson: Lesson | None, cell: str | None) -> str:
    if lesson is None or cell is None:
        return f"lesson {entry.lesson}"
    return f"[{entry.lesson}, {cell}]({lesson.file}#cell-id={cell})"
