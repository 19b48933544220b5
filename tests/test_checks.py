"""Checks of the lessons: each passes, each fails where it must, and prints what it found."""

import re
from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pytest

from course_utils.checks import check_close, check_equal, check_gradient, check_range, check_shape


def fails(check, *arguments):
    with pytest.raises(AssertionError) as caught:
        check(*arguments)
    return str(caught.value)


def test_close_passes_and_prints_the_largest_error(capsys):
    check_close("mean", [1.0, 2.0, 3.0], np.array([1.0, 2.0 + 4e-7, 3.0]))
    label = "mean".ljust(48)
    assert capsys.readouterr().out == f"{label} largest error 2.0e-07   within 1e-06   ok\n"


@pytest.mark.parametrize(
    ("ours", "reference", "tolerance"),
    [
        (2, 2, 0),  # equal numbers pass at tolerance 0
        (1e-9, 0, 1e-8),  # absolute below 1
        (1e6 + 0.5, 1e6, 1e-6),  # relative above 1
        (np.float32([[0.1]]), [[0.1]], 1e-6),
        (True, 1, 0),
    ],
)
def test_close_passes(ours, reference, tolerance):
    check_close("a", ours, reference, tolerance)


@pytest.mark.parametrize(
    ("ours", "reference", "tolerance", "message"),
    [
        (
            [[0.0, 0.1], [0.5, 0.2]],
            [[0.0, 0.1], [0.2, 0.1]],
            1e-6,
            "a: found 0.5, expected 0.2 at index (1, 0); the error 0.3 is above",
        ),
        (1.5, 1, 0.25, "a: found 1.5, expected 1.0; the error 0.5 is above the tolerance 0.25"),
        (0.0, 1e-3, 1e-6, "a: found 0.0, expected 0.001; the error 0.001 is above"),
        (-1e6, -1e6 - 2, 1e-6, "the error 2e-06 is above"),
        (1, -1, 1, "the error 2 is above"),
        ([0, np.nan], [9, 0], 1e-6, "found nan, expected 0.0 at index (1,); only finite numbers"),
        ([0, 0], [0, np.nan], 1e-6, "found 0.0, expected nan at index (1,); only finite numbers"),
        (np.inf, 1, 1e300, "found inf, expected 1.0; only finite numbers pass"),
        (np.inf, np.inf, 1, "found inf, expected inf; only finite numbers pass"),
        ([1.0], 1.0, 1, "a: shape (1,), expected ()"),
        (np.ones((2, 3)), np.ones((3, 2)), 1, "a: shape (2, 3), expected (3, 2)"),
        ([], [], 1, "a: shape (0,), expected at least one element"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_close_fails(ours, reference, tolerance, message):
    assert message in fails(check_close, "a", ours, reference, tolerance)


def test_a_failed_check_is_printed_as_such(capsys):
    fails(check_close, "a", 1, 2)
    fails(check_close, "b", np.nan, 2)
    fails(check_shape, "c", np.ones(2), (3,))
    fails(check_range, "d", 3, 0, 1)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "a largest error 5.0e-01 within 1e-06 FAILED",
        "b largest error nan within 1e-06 FAILED",
        "c shape (2,) FAILED",
        "d 3 between 0 and 1 FAILED",
    ]


def test_the_digits_of_an_error_are_not_compared_by_nbval_and_its_verdict_is(capsys):
    check_close("a", 1 + 2e-8, 1)
    check_close("a", 1, 1)
    fails(check_close, "a", 1, 2)
    rules = ConfigParser()
    rules.read(Path(__file__).parent / "nbval_sanitize.cfg")
    regex, replacement = rules["largest error"]["regex"], rules["largest error"]["replace"]
    lines = [re.sub(regex, replacement, x) for x in capsys.readouterr().out.splitlines()]
    assert lines[0] == lines[1] != lines[2]


def bowl(x):
    """Value of x₀² + 2 x₁² + 3 x₂², …; its gradient is 2 k x_k."""
    return np.sum(np.arange(1, x.size + 1) * x.ravel() ** 2)


def test_gradient_passes(capsys):
    at = np.array([[0.3, -1.0], [2.0, 5.0]])
    check_gradient("bowl", bowl, 2 * np.array([[1, 2], [3, 4]]) * at, at)
    check_gradient("integers", bowl, [2, 8, 18], [1, 2, 3])
    check_gradient("a number", np.exp, np.exp(1.5), 1.5)
    found = re.findall(r"largest error (\S+)   within 1e-06   ok\n", capsys.readouterr().out)
    assert len(found) == 3
    assert max(map(float, found)) < 1e-8


def test_gradient_leaves_its_point_alone():
    at = np.array([1.0, 2.0])
    check_gradient("bowl", bowl, [2.0, 8.0], at)
    assert at.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("function", "gradient", "at", "message"),
    [
        (bowl, [2.0, 4.0], [1.0, 2.0], "g: found 4.0, expected 8.0"),  # a forgotten factor
        (bowl, [2.0, -8.0], [1.0, 2.0], "at index (1,); the error 2 is above"),  # a sign
        (bowl, [[2.0, 8.0]], [1.0, 2.0], "g: shape (1, 2), expected (2,)"),
        (lambda x: np.nan, 0.0, 1.0, "g: found 0.0, expected nan; only finite numbers pass"),
        (np.abs, 1.0, 0.0, "g: found 1.0, expected 0.0; the error 1 is above"),  # at a kink
    ],
)
def test_gradient_fails(function, gradient, at, message):
    assert message in fails(check_gradient, "g", function, gradient, at)


class Batch:
    """What Keras calls a shape before the batch size is known."""

    shape = (None, 10)


@pytest.mark.parametrize(
    ("array", "shape", "printed"),
    [
        (np.ones((2, 3)), (2, 3), "shape (2, 3)   ok"),
        (np.ones((2, 3)), (None, 3), "shape (2, 3)   ok"),
        (np.float64(1), (), "shape ()   ok"),
        (Batch(), (None, 10), "shape (None, 10)   ok"),
    ],
)
def test_shape_passes(array, shape, printed, capsys):
    check_shape("X", array, shape)
    assert capsys.readouterr().out == f"{'X':<48} {printed}\n"


@pytest.mark.parametrize(
    ("array", "shape", "message"),
    [
        (np.ones((2, 3)), (3, 2), "X: shape (2, 3), expected (3, 2)"),
        (np.ones((2, 3)), (2, None, 3), "X: shape (2, 3), expected (2, None, 3)"),
        (np.ones((2, 1)), (2,), "X: shape (2, 1), expected (2,)"),
        (np.ones((2, 3)), (None, 4), "X: shape (2, 3), expected (None, 4)"),
        (Batch(), (32, 10), "X: shape (None, 10), expected (32, 10)"),
    ],
)
def test_shape_fails(array, shape, message):
    assert fails(check_shape, "X", array, shape) == message


@pytest.mark.parametrize(
    ("value", "low", "high", "printed"),
    [
        (0.98765432, 0.9, 1, "0.9877   between 0.9 and 1   ok"),
        (1, 1, 1, "1   between 1 and 1   ok"),  # the bounds belong to the range
        (np.float32(12_345), 0, 60_000, "12,345   between 0 and 60,000   ok"),
        (np.array(-0.5), -1, 0, "-0.5   between -1 and 0   ok"),
        (7, 0, np.inf, "7   between 0 and inf   ok"),
    ],
)
def test_range_passes(value, low, high, printed, capsys):
    check_range("share", value, low, high)
    assert capsys.readouterr().out == f"{'share':<48} {printed}\n"


@pytest.mark.parametrize(
    ("value", "low", "high", "message"),
    [
        (0.98999, 0.99, 1, "share: found 0.98999, expected 0.99 to 1"),
        (1.01, 0.99, 1, "share: found 1.01, expected 0.99 to 1"),
        (np.nan, -np.inf, np.inf, "share: found nan, expected -inf to inf"),
    ],
)
def test_range_fails(value, low, high, message):
    assert fails(check_range, "share", value, low, high) == message


def test_equal(capsys):
    check_equal("convolutions", 0, 0)
    assert capsys.readouterr().out == f"{'convolutions':<48} found 0, expected 0   ok\n"
    assert fails(check_equal, "convolutions", 1, 0) == "convolutions: found 1, expected 0"
    assert fails(check_equal, "kinds", ["Dense"], []) == "kinds: found ['Dense'], expected []"
