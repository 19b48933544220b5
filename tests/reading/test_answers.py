"""Answers find their exercise in the new page, whatever a reader did to the cell."""

import pytest

from course_utils.exercises import exercise as declared
from course_utils.reading.answers import carry, exercise_of, mended
from course_utils.reading.page import cells_of
from tests.exercises.cells import exercise_id, splice
from tests.reading.small_course import LESSON, TAIL, code, exercise, text

PAGE = cells_of({"cells": LESSON})
BASE = [cell.fingerprint for cell in PAGE]
MINE = exercise(1, "answer = 7")["source"]
WHOLE = code("exercise-1", MINE)


def carried(*cells, base=BASE):
    return carry(cells_of({"cells": cells}), PAGE, base)


def test_an_answer_is_carried_and_a_blank_is_not():
    found = carried(WHOLE, exercise(2))
    assert found.sources == {"exercise-1": MINE}
    assert (found.exercises, found.without_place) == (["02.1"], [])


@pytest.mark.parametrize(
    "cells",
    [
        [code("x9", MINE)],
        [exercise(1), code("x9", MINE)],
        [code("x9", MINE), exercise(1)],
        [exercise(1, "answer = ____ + 1"), code("x9", MINE)],
        [code("x9", exercise(1, "answer = 6")["source"]), WHOLE],
        [WHOLE, code("x9", exercise(1, "answer = 6")["source"])],
        [code("x8", exercise(1, "answer = 6")["source"]), code("x9", MINE)],
        [text("exercise-1", exercise(1, "answer = 6")["source"]), code("x9", MINE)],
    ],
)
def test_of_several_cells_the_complete_then_the_first_place_then_the_last_counts(cells):
    assert carried(*cells).sources == {"exercise-1": MINE}


@pytest.mark.parametrize(
    "source",
    [
        "answer = 7",
        f"answer = 7\n\n{TAIL.format(1)}",
        'q1 = exercise("02.1")\n\nanswer = 7',
        'q1 = exercise("02.1")\nanswer = 7\n# q1.hint()\n',
    ],
)
def test_what_the_reader_took_out_of_the_cell_is_put_back(source):
    put = carried(code("exercise-1", source)).sources["exercise-1"]
    lines = [line for line in put.splitlines() if line]
    assert lines == ['q1 = exercise("02.1")', "answer = 7", *TAIL.format(1).splitlines()]


@pytest.mark.parametrize("source", ["", "\n\n", 'q1 = exercise("02.1")\n', TAIL.format(1)])
def test_an_emptied_cell_is_no_answer(source):
    found = carried(code("exercise-1", source))
    assert (found.sources, found.exercises, found.without_place) == ({}, [], [])


@pytest.mark.parametrize("unfinished", ["answer = (", "def answer(x:\n    return x", "answer = '"])
def test_an_answer_that_is_no_python_is_carried_as_it_is(unfinished):
    source = exercise(1, unfinished)["source"]
    assert carried(code("exercise-1", source)).sources == {"exercise-1": source}


def test_an_answer_to_a_vanished_exercise_is_named():
    assert carried(exercise(9, "answer = 7")).without_place == ["02.9"]


def test_without_a_base_a_blank_of_an_older_page_is_no_answer():
    older = exercise(1, "def answer(a):\n    return ____")
    assert carried(older, exercise(2, "answer = 7"), base=None).exercises == ["02.2"]
    assert carried(older).exercises == ["02.1"]  # here the reader wrote the rest


@pytest.mark.parametrize("number", ["00.1", "02.1", "06.3"])
def test_a_real_exercise_keeps_the_form_that_its_check_needs(number):
    solution = declared(number).solution_source
    cell = f'q{number[-1]} = exercise("{number}")\n\n\nanswer = ____\n\n\n{TAIL.format(number[-1])}'
    solved = splice(cell, solution)
    assert exercise_of(cells_of({"cells": [code("x", solved)]})[0]) == number
    assert mended(solved, cell) == solved
    blank = solution.rstrip("\n") + "\n____"  # the form of a cell has a blank
    assert exercise_id(mended(blank, cell)) == number
