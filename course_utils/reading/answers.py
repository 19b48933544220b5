"""A reader's answers, carried from an older copy of a lesson into the new page."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from course_utils.reading.page import Cell

# An exercise cell: `q1 = exercise("06.1")`, the answer with its blank, `q1.check(answer)`, and
# calls for hints as comments. By lines and not by syntax: an answer may be unfinished.
FIRST = re.compile(r"""^\w+ *= *exercise\( *["'](\d+\.\d+)["'] *\).*$""", re.MULTILINE)
CHECK = re.compile(r"^\w+\.check\(", re.MULTILINE)
BLANK = "____"


@dataclass(frozen=True)
class Carried:
    """What of a reader's copy goes into the new page."""

    sources: dict[str, str]  # the new page's cell id: the source with the answer
    exercises: list[str]  # the exercises that have their answers
    without_place: list[str]  # answered exercises that the new page no longer has


def carry(reader: Iterable[Cell], page: Iterable[Cell], base: list[list] | None) -> Carried:
    """Find the reader's answers and their places in the new page, by the exercise's id.

    A cell that holds no `exercise(…)` any more is known by its cell id; what the reader took out
    of it is put back. Of several cells for one exercise (a reader may copy a cell to try again) a
    complete answer comes before one with a blank, then the cell that was there, then the last.

    Args:
        reader: the cells of the reader's copy.
        page: the cells of the new page.
        base: the fingerprints of the cells that the copy was made from (`Cell.fingerprint`); what
            equals one of them is no answer. None if they are not known: a blank is no answer then.
    """
    page = list(page)
    places = {exercise: cell for cell in page if (exercise := exercise_of(cell))}
    known = {cell.id: exercise for exercise, cell in places.items()}
    untouched = {hash for _, hash in base or [cell.fingerprint for cell in page]}
    best: dict[str, tuple] = {}
    for number, cell in enumerate(reader):
        exercise = exercise_of(cell) or known.get(cell.id)
        if cell.kind != "code" or not exercise or cell.fingerprint[1] in untouched:
            continue
        if base is None and BLANK in cell.source:
            continue
        place = places.get(exercise)
        rank = (BLANK not in cell.source, place is not None and cell.id == place.id, number)
        best[exercise] = max(best.get(exercise, (rank, cell)), (rank, cell), key=lambda b: b[0])
    carried = {}
    for exercise in sorted(best.keys() & places.keys()):
        source = mended(best[exercise][1].source, places[exercise].source)
        if source is not None:
            carried[exercise] = (places[exercise].id, source)
    return Carried(dict(carried.values()), list(carried), sorted(best.keys() - places.keys()))


def exercise_of(cell: Cell) -> str | None:
    """Return the id of the exercise that a code cell holds, such as "06.1"."""
    match = FIRST.search(cell.source) if cell.kind == "code" else None
    return match[1] if match else None


def mended(source: str, page: str) -> str | None:
    """Return an answered cell with the first line and the check of the page's, if it lost them.

    Returns None for a cell that the reader emptied.
    """
    first, check = FIRST.search(source), CHECK.search(source)
    if first and check:
        return source
    begin = FIRST.search(page)
    end = CHECK.search(page, begin.end())
    tail = page[end.start() :] if end else ""
    answer = source[first.end() if first else 0 : check.start() if check else len(source)]
    for line in tail.splitlines()[1:]:  # calls for hints, which the reader left
        answer = answer.replace(line, "")
    answer = answer.strip("\n")
    return f"{page[: begin.end()]}\n\n{answer}\n\n\n{tail}" if answer.strip() else None
