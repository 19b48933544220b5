"""Each section's turn of the wheel: predictions and answers, drawings, pictures, short cells."""

import ast
import re
from collections.abc import Iterator

from tests.grammar.page import (
    DRAWINGS,
    Page,
    Section,
    Violation,
    called,
    code_lines,
    is_collapsed,
    is_drawing,
    makes,
    nodes,
    shows_picture,
    tags,
    uses,
)

PREDICT = re.compile(r"^> \*\*Predict:\*\* \S", re.MULTILINE)
ANSWER = "You predicted"
MOST_LINES = 20
MOST_LINES_OF_A_PICTURE = 15  # beside the alt text
ANNOUNCED = re.compile(
    r"\b(drawings?|draws?|drawn|pictures?|figures?|plots?|plotted|graphs?|diagrams?|maps?)\b", re.I
)


def predictions(page: Page) -> Iterator[Violation]:
    for section in page.core_sections:
        if not PREDICT.search(section.text):
            yield section.cells[0], 'the section has no line "> **Predict:** …"'
    for section in page.core_sections + page.deeper:
        for cell in _unanswered(section):
            yield (
                cell,
                f'the prediction is not answered; expected "{ANSWER} …" in a text cell after the '
                "code that shows it, before the next prediction and in the same section",
            )


def _unanswered(section: Section) -> list:
    asked, ran, found = None, False, []
    for cell in section.cells:
        if cell.cell_type == "code":
            ran = True
            continue
        if ran and ANSWER in cell.source:
            asked = None
        if PREDICT.search(cell.source):
            found += [asked]
            asked, ran = cell, False
    return [cell for cell in [*found, asked] if cell is not None]


def drawing(page: Page) -> Iterator[Violation]:
    if not any(is_drawing(page, cell) for cell in page.core if cell.cell_type == "code"):
        yield None, f"the core has no drawing; expected a cell that shows one made with {DRAWINGS}"


def collapsed(page: Page) -> Iterator[Violation]:
    for cell in page.code:
        if "exercise" in tags(cell):
            continue
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
        if shows_picture(cell) and not ("hide-input" in tags(cell) and hidden):
            yield (
                cell,
                "shows a picture and its input is not collapsed; expected the tag hide-input and "
                "metadata jupyter.source_hidden true; what it computes stands in a cell before",
            )
        if not is_collapsed(cell):
            continue
        if not shows_picture(cell):
            yield cell, "the input is collapsed and the cell shows no picture; expected it open"
        if any(name.startswith("check_") for name, _ in called(cell)):
            yield cell, "a check stands in a collapsed cell; expected it where a reader sees it"
        if (count := _lines_beside_alt(cell)) > MOST_LINES_OF_A_PICTURE:
            yield (
                cell,
                f"{count} lines that draw, beside the alt text; expected at most "
                f"{MOST_LINES_OF_A_PICTURE}, longer plotting belongs in course_utils",
            )


def collapsed_cells_only_draw(page: Page) -> Iterator[Violation]:
    maker = {}  # the last cell that bound each name
    for cell in page.code:
        for name in sorted(uses(cell) & set(maker)):
            if is_collapsed(maker[name]):
                yield (
                    cell,
                    f'uses {name}, which the collapsed cell "{maker[name].get("id")}" makes; a '
                    "collapsed cell only draws",
                )
        maker |= dict.fromkeys(makes(cell), cell)


def _lines_beside_alt(cell) -> int:
    """Lines that are not blank, without those that hold nothing but the alt text."""
    texts = [
        node
        for name, call in called(cell)
        if name == "show"
        for value in [*call.args, *(keyword.value for keyword in call.keywords)]
        for node in ast.walk(value)
        if isinstance(node, ast.Constant | ast.JoinedStr)
    ]
    alt = {n for node in texts for n in range(node.lineno, node.end_lineno + 1)}
    code = {n for node in nodes(cell, ast.Call) if getattr(node.func, "attr", "") == "show"
            for n in (node.lineno, node.end_lineno)}  # fmt: skip
    return code_lines(cell) - len(alt - code)


def announced(page: Page) -> Iterator[Violation]:
    text = ""
    for cell in page.cells:
        if cell.cell_type == "markdown":
            text = cell.source
        elif is_collapsed(cell) and not ANNOUNCED.search(text):
            yield (
                cell,
                "the text before the collapsed cell does not announce a picture; expected one of "
                "the words drawing, picture, figure, plot, graph, diagram, map",
            )


def cell_length(page: Page) -> Iterator[Violation]:
    for cell in page.code:
        if code_lines(cell) > MOST_LINES and cell.get("id") != "imports":  # one line a name
            yield (
                cell,
                f"{code_lines(cell)} lines of code; expected at most {MOST_LINES} (4 to 8 are the "
                "norm)",
            )


RULES = (predictions, drawing, collapsed, collapsed_cells_only_draw, announced, cell_length)
