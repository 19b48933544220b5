"""What an exercise is: `check`, `hint` and `solution`, none of which raises."""

import functools
import html
import importlib
import linecache
import re
import traceback
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from course_utils.exercises.blank import ____, holds_blank

__all__ = ["Exercise", "NotYet", "____", "exercise", "expect_close"]

# State: symbol, colour of the bar. The word carries the meaning; each colour keeps a contrast of
# 3:1 on white and on black, and text has the colour of the page.
STATES = {
    "CORRECT": ("✓", "#009E73"),
    "NOT YET": ("✗", "#D55E00"),
    "NOT ATTEMPTED": ("○", "#808080"),
    "ERROR": ("!", "#0072B2"),
}


class NotYet(Exception):
    """The answer lacks a property. The message says which, on which input, expected and found."""


class _BlankReturned(BaseException):
    """The reader's function returned the blank. No Exception: a `verify` that catches those lets
    it pass."""


class Message:
    """A heading and a text, shown as text on a terminal and as a box in a notebook."""

    def __init__(self, heading: str, text: str, colour: str = "#808080", code: bool = False):
        """Keep what is shown; `code` puts the text on lines of its own, in a fixed-width font."""
        self.heading, self.text, self.colour, self.code = heading, text, colour, code

    def __repr__(self) -> str:
        """Plain text."""
        return f"{self.heading}{chr(10) if self.code else ': '}{self.text}"

    def _repr_html_(self) -> str:
        text = html.escape(self.text)
        body = f"<pre>{text}</pre>" if self.code else f"<span>{text}</span>"
        return (
            f'<div role="status" style="border-left: 4px solid {self.colour}; '
            f'padding: 0.3em 0.8em; white-space: pre-wrap">'
            f"<strong>{html.escape(self.heading)}</strong> {body}</div>"
        )


class Result(Message):
    """What `check` found: `state` (a key of `STATES`) and `message`."""

    def __init__(self, state: str, message: str):
        """Keep the state and the message; the heading is symbol and word."""
        symbol, colour = STATES[state]
        super().__init__(f"{symbol} {state}", message, colour)
        self.state, self.message = state, message


class Exercise:
    """One exercise of a lesson.

    Args:
        id: lesson and number, such as "06.1".
        title: a few words.
        solution: source of the reference solution, which assigns or defines `answer`.
        hints: two or three, from a nudge to nearly the answer.
        verify: called with the answer; raises `NotYet` when a property does not hold.
        right: sources of further answers that must be CORRECT.
        wrong: at least three pairs (source of a plausible wrong answer, part of its message).
    """

    def __init__(
        self,
        id: str,
        title: str,
        solution: str,
        hints: Sequence[str],
        verify: Callable[[object], None],
        right: Sequence[str] = (),
        wrong: Sequence[tuple[str, str]] = (),
    ):
        """Keep the parts; tests/test_exercises.py checks them."""
        self.id, self.title, self.hints, self.verify = id, title, tuple(hints), verify
        self.solution_source = solution.strip("\n")
        self.right, self.wrong = tuple(right), tuple(wrong)
        self._hints_given = 0

    def __repr__(self) -> str:
        """Id and title."""
        return f"Exercise {self.id}: {self.title}"

    def check(self, answer) -> Result:
        """Judge an answer. Raises nothing but KeyboardInterrupt, whatever the reader's code does.

        Returns:
            A result with `state` "CORRECT", "NOT YET", "NOT ATTEMPTED" or "ERROR" and `message`.
        """
        try:
            if holds_blank(answer):
                raise _BlankReturned
            self.verify(_watched(answer) if isinstance(answer, types.FunctionType) else answer)
        except _BlankReturned:
            return Result("NOT ATTEMPTED", "replace ____ and run the cell again; .hint() helps.")
        except NotYet as reason:
            return Result("NOT YET", str(reason))
        except (Exception, SystemExit) as error:
            return Result("ERROR", _describe(error, answer))
        return Result("CORRECT", f"{self.title}. The method .solution() shows the reference.")

    def hint(self) -> Message:
        """Give the next hint."""
        if self._hints_given == len(self.hints):
            return Message("no more hints", "the method .solution() shows the reference.")
        self._hints_given += 1
        heading = f"hint {self._hints_given} of {len(self.hints)}"
        return Message(heading, self.hints[self._hints_given - 1])

    def solution(self) -> Message:
        """Show the reference solution."""
        return Message(f"solution of {self.id}", self.solution_source, code=True)


def exercise(id: str) -> Exercise:
    """Return the exercise with this id; the same object each time, so hints go on.

    Raises:
        ValueError: the id is not of the form "06.1".
        LookupError: there is no such exercise; the message names those that exist.
    """
    if not isinstance(id, str) or not re.fullmatch(r"\d\d\.\d+", id):
        raise ValueError(f"exercise id {id!r}: expected lesson and number, such as '06.1'")
    number = id[:2]
    if not (Path(__file__).parent / f"lesson_{number}.py").exists():
        files = sorted(Path(__file__).parent.glob("lesson_[0-9][0-9].py"))
        lessons = ", ".join(file.stem[-2:] for file in files) or "none"
        raise LookupError(f"exercise {id}: lesson {number} has no exercises; lessons: {lessons}")
    exercises = importlib.import_module(f"course_utils.exercises.lesson_{number}").EXERCISES
    for found in exercises:
        if found.id == id:
            return found
    ids = ", ".join(found.id for found in exercises)
    raise LookupError(f"exercise {id} does not exist; lesson {number} has: {ids}")


def expect_close(what: str, found, expected, tolerance: float = 1e-6) -> None:
    """Compare numbers, for use in `verify`.

    Args:
        what: the property and the input, such as "loss for logits [0, 0]".
        found: number, array or tensor made by the answer.
        expected: number or array of the right value.
        tolerance: largest absolute difference allowed.

    Raises:
        NotYet: `found` is not numeric, or its shape or its values differ.
    """
    if found is None:  # NumPy would make NaN of it
        raise NotYet(f"{what}: expected a number or an array, found None (is a return missing?)")
    expected = np.asarray(expected, dtype=float)
    try:
        numbers = np.asarray(found, dtype=float)
    except (TypeError, ValueError):
        raise NotYet(f"{what}: expected a number or an array, found {found!r}") from None
    if numbers.shape != expected.shape:
        raise NotYet(f"{what}: expected shape {expected.shape}, found shape {numbers.shape}")
    if not np.allclose(numbers, expected, rtol=0, atol=tolerance):
        raise NotYet(f"{what}: expected {_short(expected)}, found {_short(numbers)}")


def _short(numbers: np.ndarray) -> str:
    """Numbers to six digits on one line; of a large array only the corners."""
    if numbers.ndim == 0:
        return f"{numbers:.6g}"
    text = np.array2string(numbers, precision=6, threshold=12, edgeitems=2, separator=", ")
    return re.sub(r"\s+", " ", text)


def _watched(function: types.FunctionType) -> Callable:
    """The function, which now raises `_BlankReturned` where it would return the blank."""

    @functools.wraps(function)
    def watched(*args, **kwargs):
        value = function(*args, **kwargs)
        if holds_blank(value):
            raise _BlankReturned
        return value

    return watched


def _describe(error: BaseException, answer) -> str:
    """Type and message of the error, and the line of the reader's function that raised it."""
    text = "".join(traceback.format_exception_only(error)).strip()  # bears a failing __str__
    file = getattr(getattr(answer, "__code__", None), "co_filename", None)
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)
             if frame.filename == file]  # fmt: skip
    if not lines:
        return text
    source = linecache.getline(file, lines[-1]).strip()
    return f"{text}\nin line {lines[-1]} of the cell: {source}" if source else text
