"""The exercises: the mechanism on a toy, then every answer that the lessons declare."""

import ast
import contextlib
import functools
import importlib
import linecache
from pathlib import Path

import nbformat
import numpy as np
import pytest

from course_utils import environment
from course_utils.contents import lesson_paths
from course_utils.exercises import Exercise, NotYet, ____, exercise, expect_close
from course_utils.exercises.blank import holds_blank
from course_utils.exercises.core import STATES
from tests.exercises.cells import exercise_id, splice
from tests.grammar.page import Page

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted(
    path.stem[-2:] for path in (ROOT / "course_utils" / "exercises").glob("lesson_[0-9][0-9].py")
)
ALL = [
    each
    for lesson in LESSONS
    for each in importlib.import_module(f"course_utils.exercises.lesson_{lesson}").EXERCISES
]
EACH_EXERCISE = pytest.mark.parametrize("each", ALL, ids=lambda each: each.id)


def verify_square(answer):
    expect_close("answer(2)", answer(2.0), 4.0)
    expect_close("answer([1, 3])", answer(np.array([1.0, 3.0])), [1.0, 9.0])


@pytest.fixture
def square():
    source = "def answer(x):\n    return x**2\n"
    return Exercise("99.1", "A square", source, ["Multiply.", "x times <x>."], verify_square)


# The mechanism


def unfinished(x):
    y = ____
    return y


class Unfinished:
    def __call__(self, x):
        return [____ for _ in range(2)]


class WithProperty:
    @property
    def value(self):
        return ____


@functools.wraps(unfinished)
def decorated(x):
    return unfinished(x)


BLANKS = {
    "blank": ____,
    "product": 2 * ____,
    "sum with an array": np.arange(3) + ____,
    "NumPy function": np.exp(-____),
    "NumPy mean": np.mean(____),
    "element": ____[0],
    "call": ____(1),
    "comparison": ____ > 0,
    "equality": ____ == 0,
    "list": [1, ____],
    "nested": (1, {"a": [____]}),
    "key": {____: 1},
    "array": np.array([1, ____], dtype=object),
    "function": unfinished,
    "function in a function": lambda x: lambda: ____,
    "decorated function": decorated,
    "class": Unfinished,
    "object": Unfinished(),
    "property": WithProperty,
}


@pytest.mark.parametrize("answer", BLANKS.values(), ids=BLANKS)
def test_blank_is_not_attempted(square, answer):
    assert square.check(answer).state == "NOT ATTEMPTED"


def test_function_that_returns_the_blank_is_not_attempted(square):
    from_another_cell = ____
    assert square.check(lambda x: [from_another_cell]).state == "NOT ATTEMPTED"


def test_iterating_over_the_blank_ends():
    with pytest.raises(TypeError):
        list(____)


@pytest.mark.parametrize("value", [0, None, "____", [1, "a"], np.ones(3), len, dict, np.mean])
def test_finished_values_hold_no_blank(value):
    assert not holds_blank(value)


def test_right_answer(square):
    result = square.check(lambda x: x * x)
    assert result.state == "CORRECT"
    assert repr(result).startswith("✓ CORRECT: A square")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda x: 2 * x, "answer([1, 3]): expected [1., 9.], found [2., 6.]"),
        (lambda x: np.sum(x**2), "answer([1, 3]): expected shape (2,), found shape ()"),
        (lambda x: None, "answer(2): expected a number or an array, found None (is a return"),
        (lambda x: "4 m", "answer(2): expected a number or an array, found '4 m'"),
        (lambda x: np.nan, "answer(2): expected 4, found nan"),
    ],
)
def test_wrong_answer_says_what_failed(square, answer, message):
    result = square.check(answer)
    assert result.state == "NOT YET"
    assert message in result.message
    assert repr(result) == f"✗ NOT YET: {result.message}"


def test_error_names_type_message_and_line(square):
    source = "def answer(x):\n    y = x - x\n    return 1 // int(y)\n"
    linecache.cache["<a cell>"] = (len(source), None, source.splitlines(True), "<a cell>")
    names = {}
    exec(compile(source, "<a cell>", "exec"), names)
    result = square.check(names["answer"])
    assert result.state == "ERROR"
    assert result.message.startswith("ZeroDivisionError: ")
    assert result.message.endswith("in line 3 of the cell: return 1 // int(y)")


class SilentError(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "error", [ValueError("no"), AssertionError(), SystemExit(1), SilentError()]
)
def test_error_never_leaves_check(square, error):
    def answer(x):
        raise error

    result = square.check(answer)
    assert result.state == "ERROR"
    assert type(error).__name__ in result.message


def test_answer_of_another_kind_is_an_error(square):
    assert "not callable" in square.check(4).message


def test_interrupt_leaves_check(square):
    def answer(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        square.check(answer)


def test_page_shows_word_and_symbol_and_escapes(square):
    def answer(x):
        raise ValueError("<b>")

    shown = square.check(answer)._repr_html_()
    assert 'role="status"' in shown
    assert "! ERROR" in shown
    assert "&lt;b&gt;" in shown and "<b>" not in shown


def luminance(colour):
    """Relative luminance of "#rrggbb", as the Web Content Accessibility Guidelines define it."""
    shares = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("state", STATES)
def test_bar_is_seen_in_light_and_dark_theme(state):
    bar = luminance(STATES[state][1])
    white, dark = luminance("#ffffff"), luminance("#111111")
    assert (white + 0.05) / (bar + 0.05) >= 3
    assert (bar + 0.05) / (dark + 0.05) >= 3


def test_hints_come_one_by_one(square):
    assert repr(square.hint()) == "hint 1 of 2: Multiply."
    assert "x times &lt;x&gt;." in square.hint()._repr_html_()
    assert repr(square.hint()).startswith("no more hints: ") and ".solution()" in repr(
        square.hint()
    )


def test_solution_shows_the_source(square):
    assert repr(square.solution()) == "solution of 99.1\ndef answer(x):\n    return x**2"
    assert "<pre>def answer(x):\n    return x**2</pre>" in square.solution()._repr_html_()


@pytest.mark.parametrize("id", ["1", "06", "6.1", "06.x", 6.1])
def test_malformed_id_is_refused(id):
    with pytest.raises(ValueError, match=r"expected lesson and number, such as '06\.1'"):
        exercise(id)


def test_unknown_lesson_is_refused():
    with pytest.raises(LookupError, match=r"exercise 98\.1: lesson 98 has no exercises"):
        exercise("98.1")


@pytest.mark.parametrize("lesson", LESSONS)
def test_unknown_number_is_refused(lesson):
    with pytest.raises(LookupError, match=rf"lesson {lesson} has: {lesson}\.1"):
        exercise(f"{lesson}.99")


def test_close_values_within_the_tolerance_pass():
    expect_close("value", [1.0, 2.0], [1.0, 2.001], tolerance=0.01)
    with pytest.raises(NotYet):
        expect_close("value", [1.0, 2.0], [1.0, 2.02], tolerance=0.01)


def test_splice_replaces_what_is_between():
    cell = 'q1 = exercise("06.1")\n\n# note\nanswer = ____\n\nq1.check(answer)\n# q1.hint()'
    spliced = splice(cell, "\nx = 2\nanswer = x\n")
    assert spliced == (
        'q1 = exercise("06.1")\n\nx = 2\nanswer = x\n\nq1.check(answer)\n# q1.hint()'
    )


# The lessons


@functools.cache
def page(lesson):
    (path,) = (path for path in lesson_paths() if path.name[:2] == lesson)
    return Page(nbformat.read(path, as_version=4))


@functools.cache
def imports(lesson):
    """The names that the lesson's imports cell makes."""
    with contextlib.suppress(RuntimeError):  # another test in this process ran TensorFlow before
        environment.start()
    names = {"__name__": "__main__"}
    exec(next(cell.source for cell in page(lesson).cells if cell.id == "imports"), names)
    return names


def result_of(each, answer=None):
    """Run the exercise's cell, with `answer` put in; return what its last line shows."""
    lesson = each.id[:2]
    cell = next(cell for cell in page(lesson).exercises if exercise_id(cell.source) == each.id)
    source = splice(cell.source, answer) if answer else cell.source
    *before, last = ast.parse(source).body
    names = dict(imports(lesson))
    exec(compile(ast.Module(before, []), "<cell>", "exec"), names)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


@pytest.mark.parametrize("lesson", LESSONS)
def test_notebook_and_package_have_the_same_exercises(lesson):
    in_notebook = [exercise_id(cell.source) for cell in page(lesson).exercises]
    assert in_notebook == [each.id for each in ALL if each.id[:2] == lesson]


def test_every_notebook_has_exercises():
    assert [path.name[:2] for path in lesson_paths()] == LESSONS


@EACH_EXERCISE
def test_exercise_is_complete(each):
    assert exercise(each.id) is each
    assert each.title
    assert 2 <= len(each.hints) <= 3 and len(set(each.hints)) == len(each.hints)
    assert len(each.wrong) >= 3, "expected at least three plausible wrong answers"
    assert all(part for _, part in each.wrong)


@EACH_EXERCISE
def test_untouched_cell_is_not_attempted(each):
    assert result_of(each).state == "NOT ATTEMPTED"


@EACH_EXERCISE
def test_right_answers_are_correct(each):
    for source in (each.solution_source, *each.right):
        result = result_of(each, source)
        assert result.state == "CORRECT", f"{source}\n{result}"


@EACH_EXERCISE
@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # wrong answers overflow
def test_wrong_answers_get_their_own_message(each):
    messages = []
    for source, part in each.wrong:
        result = result_of(each, source)
        assert result.state in ("NOT YET", "ERROR"), f"{source}\n{result}"
        assert part in result.message, source
        messages.append(result.message)
    assert len(set(messages)) == len(messages), messages


@EACH_EXERCISE
def test_solution_is_not_on_the_page(each):
    sources = "".join(cell.source for cell in page(each.id[:2]).cells)
    assert "".join(each.solution_source.split()) not in "".join(sources.split())
