"""The page grammar: what every notebook of the course must obey.

Authors run `python3 -m tests.grammar notebooks/06_x.ipynb`; `test_grammar` applies it to every
notebook. The rules follow section 2 of the conventions. Lessons that course.toml does not yet
mark with `grammar = 2` keep the old rules, `old.py`.
"""

from pathlib import Path

from course_utils.contents import read_contents
from tests.grammar import clock, code, evidence, old, outputs, sections, text, wheel
from tests.grammar.code import SETUP_SOURCE
from tests.grammar.page import Page

__all__ = ["SETUP_SOURCE", "grammar_of", "rules", "violations"]

NEWEST = 2


def rules(grammar: int = NEWEST, committed: bool = True) -> list:
    """The rules, each a generator function of a `Page`; `committed` adds those for outputs."""
    new = [*sections.RULES, *wheel.RULES, *evidence.RULES]
    return [
        *text.RULES,
        *code.RULES,
        *clock.RULES,
        *(old.RULES if grammar == 1 else new),
        *(outputs.RULES if committed else ()),
    ]


def violations(notebook, *, grammar: int = NEWEST, committed: bool = True) -> list[str]:
    """List what is wrong with a notebook, each as "cell-id: what is wrong, what is expected".

    Args:
        notebook: an nbformat node.
        grammar: 1 for the old rules.
        committed: judge outputs, counts and metadata too; False for a draft that was not run.
    """
    if not notebook.cells:
        return ["notebook: it has no cells"]
    page = Page(notebook)
    found = (violation for rule in rules(grammar, committed) for violation in rule(page))
    return [f"{_place(page, cell)}: {message}" for cell, message in found]


def grammar_of(path: Path) -> int:
    """The grammar that course.toml gives a notebook; the newest for one that it does not list."""
    contents = path.parent / "course.toml"
    lessons = read_contents(contents).lessons if contents.is_file() else ()
    return next((lesson.grammar for lesson in lessons if lesson.file == path.name), NEWEST)


def _place(page: Page, cell) -> str:
    if cell is None:
        return "notebook"
    number = [cell is other for other in page.cells].index(True) + 1
    return cell.get("id") or f"cell {number} (no id)"
