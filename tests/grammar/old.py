"""The old rules, for lessons that course.toml does not mark `grammar = 2`; goes with the last one.

With this file go `test_old.py`, the parameter `grammar` in this package, and the mark: the key
`grammar` in course.toml and in course_utils/contents.py.
"""

import re
from collections.abc import Iterator

from tests.grammar.page import ARTICLE, EXERCISES, RECAP, Page, Violation, code_lines


def section_order(page: Page) -> Iterator[Violation]:
    titles = [section.title for section in page.sections]
    if EXERCISES not in titles:
        yield None, f'there is no section "## {EXERCISES}"'
        return
    tail = titles[titles.index(EXERCISES) :]
    if tail not in ([EXERCISES, RECAP], [EXERCISES, ARTICLE, RECAP]):
        yield (
            None,
            f"the last sections are {tail}; expected {EXERCISES!r}, then {ARTICLE!r} where the "
            f"article makes a claim, then {RECAP!r}, nothing after it",
        )


def prediction(page: Page) -> Iterator[Violation]:
    for section in page.sections[1:]:
        if section.title in (EXERCISES, ARTICLE, RECAP):
            continue
        line = re.compile(r"^> \*\*Predict:\*\* \S", re.MULTILINE)
        at = [i for i, cell in enumerate(section.cells)
              if cell.cell_type == "markdown" and line.search(cell.source)]  # fmt: skip
        if not at:
            yield section.cells[0], 'the section has no line "> **Predict:** …"'
        elif not any(cell.cell_type == "code" for cell in section.cells[at[0] :]):
            yield section.cells[at[0]], "no code cell of the section follows the prediction"


def length(page: Page) -> Iterator[Violation]:
    code = sum(1 for cell in page.code if cell.source.strip())
    if not 20 <= code <= 35:
        yield None, f"{code} code cells; expected 20 to 35"
    ratio = len(page.markdown) / max(code, 1)
    if not 1.2 <= ratio <= 1.6:
        yield (
            None,
            f"{len(page.markdown)} text cells to {code} code cells are {ratio:.2f} to 1; "
            "expected 1.2 to 1.6",
        )
    words = len(" ".join(cell.source for cell in page.markdown).split())
    if not 1200 <= words <= 2500:
        yield None, f"{words} words of text; expected 1,200 to 2,500"


def cell_length(page: Page) -> Iterator[Violation]:
    for cell in page.code:
        if code_lines(cell) > 25 and cell.get("id") != "imports":  # one line a name
            yield cell, f"{code_lines(cell)} lines of code; expected 1 to 25 (4 to 8 are the norm)"


RULES = (section_order, prediction, length, cell_length)
