"""A notebook as the rules read it: cells, sections, code as syntax trees."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

Violation = tuple[object, str]  # the cell (or None for the whole notebook), what is wrong

EXERCISES = "Exercises"
ARTICLE = "What the article says, and what we measured"
RECAP = "Recap"


@dataclass
class Section:
    """The cells from one `## ` heading to the next; what stands before the first has title ""."""

    title: str
    cells: list = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")


class Page:
    """A notebook with its code cells, text cells and sections."""

    def __init__(self, notebook):
        self.notebook = notebook
        self.cells = notebook.cells
        self.markdown = [cell for cell in self.cells if cell.cell_type == "markdown"]
        self.code = [cell for cell in self.cells if cell.cell_type == "code"]
        self.exercises = [cell for cell in self.code if is_exercise(cell)]

    @cached_property
    def sections(self) -> list[Section]:
        sections = [Section("")]
        for cell in self.cells:
            title = cell.source.partition("\n")[0]
            if cell.cell_type == "markdown" and title.startswith("## "):
                sections.append(Section(title.removeprefix("## ").strip()))
            sections[-1].cells.append(cell)
        return sections

    def section(self, title: str) -> Section | None:
        return next((section for section in self.sections if section.title == title), None)


def syntax(cell) -> ast.Module | None:
    """The cell's syntax tree; None where it is not Python (another rule reports that)."""
    try:
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return compile(cell.source, cell.get("id", ""), "exec", flags)
    except SyntaxError:
        return None


def nodes(cell, *kinds: type) -> Iterator[ast.AST]:
    """All nodes of these kinds in a code cell."""
    tree = syntax(cell)
    return (node for node in (ast.walk(tree) if tree else ()) if isinstance(node, kinds))


def called(cell) -> Iterator[tuple[str, ast.Call]]:
    """The last name of each call: "fit" for `model.fit(…)`, "check_close" for `check_close(…)`."""
    for call in nodes(cell, ast.Call):
        name = getattr(call.func, "attr", None) or getattr(call.func, "id", None)
        if name:
            yield name, call


def tags(cell) -> list[str]:
    return cell.metadata.get("tags", [])


def is_exercise(cell) -> bool:
    return "exercise" in tags(cell) or any(name == "exercise" for name, _ in called(cell))


def headings(cell) -> list[tuple[int, str]]:
    """Line number and line of each heading of a markdown cell, without those in code blocks."""
    found, fenced = [], False
    for number, line in enumerate(cell.source.splitlines()):
        fenced ^= line.lstrip().startswith("```")
        if not fenced and re.match(r"#{1,6} ", line):
            found.append((number, line))
    return found
