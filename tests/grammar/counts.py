"""What a lesson's page amounts to: words, lines of code, pictures, checks, minutes to read."""

import re
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from tests.grammar.page import Page, code_lines, is_collapsed, is_drawing

WORDS_A_MINUTE = 150
LINES_A_MINUTE = 8
MINUTES_AN_EXERCISE = 5
ROUNDED_TO = 5  # the page says the nearest of these
OK = re.compile(r"\bok\s*$", re.MULTILINE)


def words(cells: Iterable) -> int:
    """Words of the text cells: what stands between spaces and has a letter or a digit."""
    text = " ".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return len(re.findall(r"\S*\w\S*", text))


def lines(cells: Iterable, *, visible: bool = False) -> int:
    """Lines of code that are not blank; `visible`: without those of collapsed cells."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    return sum(code_lines(cell) for cell in code if not (visible and is_collapsed(cell)))


def ok_lines(cells: Iterable) -> int:
    """Lines of the outputs that end in "ok"."""
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return sum(len(OK.findall(output.text)) for output in outputs if "text" in output)


def reading_minutes(page: Page) -> float:
    """Minutes of the core: words/150 + visible lines of code/8 + 5 for each exercise."""
    exercises = sum(1 for cell in page.exercises if any(cell is other for other in page.core))
    return (
        words(page.core) / WORDS_A_MINUTE
        + lines(page.core, visible=True) / LINES_A_MINUTE
        + exercises * MINUTES_AN_EXERCISE
    )


def minutes_shown(minutes: float) -> int:
    """The number that the page, course.toml and README give: to the nearest five, at least five."""
    return max(1, int(minutes / ROUNDED_TO + 0.5)) * ROUNDED_TO


@dataclass(frozen=True)
class Counts:
    """The numbers that `python3 -m tests.grammar` prints."""

    page: Page

    def __str__(self) -> str:
        page, core = self.page, self.page.core
        deeper = [cell for section in page.deeper for cell in section.cells]
        code = [cell for cell in core if cell.cell_type == "code"]
        median = statistics.median(map(code_lines, code)) if code else 0
        minutes = reading_minutes(page)
        pictures = sum(
            any(kind.startswith("image/") for kind in output.get("data", {}))
            for cell in page.code
            for output in cell.outputs
        )
        drawings = sum(is_drawing(page, cell) for cell in page.code)
        return "\n".join(
            [
                f"words       {words(core):>5,} core {words(deeper):>6,} deeper"
                "      (2,500 to 4,000 are what a core needs)",
                f"code lines  {lines(core):>5,} core {lines(deeper):>6,} deeper"
                f"      {lines(core, visible=True):,} visible in the core",
                f"code cells  {len(code):>5} core {len(page.code) - len(code):>6} deeper"
                f"      {median:g} lines a cell of the core (median; 25 to 60 cells are the norm)",
                f"ok lines    {ok_lines(core):>5} core {ok_lines(deeper):>6} deeper"
                "      (at most 20, and 5 in each Deeper section)",
                f"pictures    {pictures:>5}   of which drawings {drawings}   (cells)",
                f"minutes     {minutes:>5.1f}   the page says {minutes_shown(minutes)}",
            ]
        )
