"""The page grammar: what every notebook of the course must obey.

Authors run `python3 -m tests.grammar notebooks/06_x.ipynb`; `test_grammar` applies it to every
notebook. The rules follow section 2 of the conventions.
"""

from tests.grammar import code, outputs, text
from tests.grammar.code import SETUP_SOURCE
from tests.grammar.page import Page

__all__ = ["SETUP_SOURCE", "rules", "violations"]


def rules(committed: bool = True) -> list:
    """The rules, each a generator function of a `Page`; `committed` adds those for outputs."""
    return [*text.RULES, *code.RULES, *(outputs.RULES if committed else ())]


def violations(notebook, *, committed: bool = True) -> list[str]:
    """List what is wrong with a notebook, each as "cell-id: what is wrong, what is expected".

    Args:
        notebook: an nbformat node.
        committed: judge outputs, counts and metadata too; False for a draft that was not run.
    """
    if not notebook.cells:
        return ["notebook: it has no cells"]
    page = Page(notebook)
    found = (violation for rule in rules(committed) for violation in rule(page))
    return [f"{_place(page, cell)}: {message}" for cell, message in found]


def _place(page: Page, cell) -> str:
    if cell is None:
        return "notebook"
    number = [cell is other for other in page.cells].index(True) + 1
    return cell.get("id") or f"cell {number} (no id)"
