"""A notebook as the rules read it: cells, sections, code as syntax trees, names."""

import ast
import dis
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property

Violation = tuple[object, str]  # the cell (or None for the whole notebook), what is wrong

EXERCISES = "Exercises"
ARTICLE = "What the article says, and what we measured"
RECAP = "Recap"
DEEPER = "Deeper: "
DRAWINGS = "course_utils.drawings"


@dataclass
class Section:
    """The cells from one `## ` heading to the next; what stands before the first has title ""."""

    title: str
    cells: list = field(default_factory=list)

    @property
    def code(self) -> list:
        return [cell for cell in self.cells if cell.cell_type == "code"]

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
        self.ids = [cell.get("id") for cell in self.cells]
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

    @property
    def core_sections(self) -> list[Section]:
        """The sections that teach: before the exercises, without the cells under the title."""
        titles = [section.title for section in self.sections]
        end = titles.index(EXERCISES) if EXERCISES in titles else len(titles)
        return self.sections[1:end]

    @property
    def deeper(self) -> list[Section]:
        return [section for section in self.sections if section.title.startswith(DEEPER)]

    @property
    def core(self) -> list:
        """All cells that stand in no Deeper section."""
        return [c for s in self.sections if not s.title.startswith(DEEPER) for c in s.cells]

    @cached_property
    def drawing_names(self) -> set[str]:
        """What the page imports from course_utils.drawings, under the names that it gives it."""
        found = (node for cell in self.code for node in nodes(cell, ast.ImportFrom))
        return {
            alias.asname or alias.name
            for node in found
            for alias in node.names
            if f"{node.module}.{alias.name}".startswith(DRAWINGS)
        }

    def section(self, title: str) -> Section | None:
        return next((section for section in self.sections if section.title == title), None)


def syntax(cell) -> ast.Module | None:
    """The cell's syntax tree; None where it is not Python (another rule reports that)."""
    return _parse(cell.source)


def makes(cell) -> set[str]:
    """Names that a cell binds for the cells after it."""
    return _names(cell.source)[0]


def uses(cell) -> set[str]:
    """Names that a cell, or a function in it, reads and does not bind itself."""
    return _names(cell.source)[1]


@cache
def _parse(source: str) -> ast.Module | None:
    try:
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        return compile(source, "cell", "exec", flags)
    except SyntaxError:
        return None


@cache
def _names(source: str) -> tuple[set[str], set[str]]:
    """Names that the code binds at its top level, and global names that it reads anywhere."""
    tree = _parse(source)
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    pending = [compile(tree, "cell", "exec", flags)] if tree else []
    stored, loaded = set(), set()
    while pending:
        code = pending.pop()
        for step in dis.get_instructions(code):
            if step.opname == "STORE_NAME" and code.co_name == "<module>":
                stored.add(step.argval)
            elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL"):
                loaded.add(step.argval)
        pending += [constant for constant in code.co_consts if hasattr(constant, "co_code")]
    return stored, loaded - stored


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


def code_lines(cell) -> int:
    """Lines of a code cell that are not blank."""
    return sum(1 for line in cell.source.splitlines() if line.strip())


def is_collapsed(cell) -> bool:
    """Whether JupyterLab, or a page made from the notebook, hides the cell's code."""
    return "hide-input" in tags(cell) or cell.metadata.get("jupyter", {}).get("source_hidden")


def shows_picture(cell) -> bool:
    return any(name == "show" for name, _ in called(cell))


def is_drawing(page: Page, cell) -> bool:
    """Whether the cell shows a picture made with course_utils.drawings."""
    return shows_picture(cell) and bool(uses(cell) & page.drawing_names)


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
