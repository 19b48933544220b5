"""Rules for the text of a lesson: title, opening, formulas, recap."""

import ast
import re
from collections.abc import Iterator

from tests.grammar.page import EXERCISES, RECAP, Page, Violation, called, headings

OPENING = {  # what the first cell says: how the message names it, and how it is found
    'the words "After this lesson you can"': r"After this lesson you can",
    'a line "Prerequisites"': r"^\W*Prerequisites\b",
    '"N minutes to read"': r"\d+ minutes? to read",
    '"N seconds to run"': r"\d+ seconds? to run",
}
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")  # all but the line feed
BULLET = re.compile(r"^(?:[-*]|\d+\.) .+", re.MULTILINE)


def title(page: Page) -> Iterator[Violation]:
    first = page.cells[0] if page.cells else None
    if first is None or first.cell_type != "markdown" or not first.source.startswith("# "):
        yield first, 'the first cell is not the title; expected a text cell that begins with "# "'
    for cell in page.markdown:
        for number, line in headings(cell):
            if line.startswith("# ") and (cell is not first or number > 0):
                yield cell, f'a second title "{line}"; expected one "# " heading in the notebook'


def opening(page: Page) -> Iterator[Violation]:
    first = page.cells[0]
    paragraphs = [part for part in first.source.split("\n\n") if not part.startswith("# ")]
    if "?" not in "".join(paragraphs[:1]):
        yield first, "the paragraph under the title asks no question; expected one with a ?"
    for what, pattern in OPENING.items():
        if not re.search(pattern, first.source, re.MULTILINE):
            yield first, f"the first cell lacks {what}"


def section_heading_first(page: Page) -> Iterator[Violation]:
    for cell in page.markdown:
        for number, line in headings(cell):
            if line.startswith("## ") and number > 0:
                yield cell, f'"{line}" stands inside a cell; begin a new cell with it'


def formula_checked(page: Page) -> Iterator[Violation]:
    for section in page.sections:
        if section.title == EXERCISES:  # an exercise checks its own formula
            continue
        for i, cell in enumerate(section.cells):
            if cell.cell_type != "markdown" or "$$" not in cell.source:
                continue
            later = [other for other in section.cells[i:] if other.cell_type == "code"]
            if not any(_meets_a_number(call) for code in later for call in called(code)):
                yield (
                    cell,
                    "the formula between $$ meets no number; expected a later code cell of the "
                    "section that calls a check_… function (check_close, check_gradient, …), or "
                    "timing.compare for a time",
                )


def _meets_a_number(name_and_call) -> bool:
    name, call = name_and_call
    return name.startswith("check_") or ast.unparse(call.func) == "timing.compare"


def recap(page: Page) -> Iterator[Violation]:
    section = page.section(RECAP)
    if section is None:
        return  # reported by section_order
    cell, text = section.cells[0], section.text
    points = BULLET.findall(re.split(r"<details|Further reading|\n### ", text)[0])
    if not 3 <= len(points) <= 6:
        yield cell, f"the recap has {len(points)} bullets before the questions; expected 3 to 6"
    folded = len(re.findall(r"<details>\s*<summary>.*?</summary>.*?</details>", text, re.DOTALL))
    if folded != 3:
        yield (
            cell,
            f"the recap has {folded} self-test questions; expected 3 of the form "
            "<details><summary>question</summary> answer </details>",
        )
    reading = BULLET.findall(text.partition("Further reading")[2])
    dated = [entry for entry in reading if re.search(r"\b(1[6-9]|20)\d\d\b", entry)]
    if len(dated) < 2:
        yield (
            cell,
            f'"Further reading" has {len(dated)} bullets with a year; expected at least 2',
        )
    if not re.search(r"^\W*Next\b", text, re.MULTILINE):
        yield cell, 'no line begins with "Next"; expected the link to the next lesson'


def printable(page: Page) -> Iterator[Violation]:
    for cell in page.cells:
        if found := CONTROL.search(cell.source):
            before = cell.source[: found.start()].rpartition("\n")[2][-20:]
            yield (
                cell,
                f'a control character (number {ord(found[0])}) stands after "{before}"; a lost '
                "backslash makes one, as in \\approx",
            )


RULES = (
    title,
    opening,
    section_heading_first,
    formula_checked,
    recap,
    printable,
)
