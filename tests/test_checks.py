"""Checks of the lessons: each passes, each fails where it must, and prints what it found."""

import re
from configparser import ConfigParser
from pathlib import Path

import numpy as np
import pytest

from course_utils.checks import (
    check_close,
    check_effect,
    check_equal,
    check_gradient,
    check_range,
    check_shape,
    check_theory,
)


def fails(check, *arguments, error=AssertionError, **options):
    with pytest.raises(error) as caught:
        check(*arguments, **options)
    return str(caught.value)


def printed(capsys):
    """The lines printed so far, without the padding."""
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


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
    assert printed(capsys) == [
        "a largest error 5.0e-01 within 1e-06 FAILED",
        "b largest error nan within 1e-06 FAILED",
        "c shape (2,) FAILED",
        "d 3 between 0 and 1 FAILED",
    ]


def test_many_comparisons_are_one_line(capsys):
    ours = {"dense": np.ones((2, 3)), "one": 2.0, "two": [0.0, 1.0]}
    check_close("shapes, ours against Keras", ours, ours | {"one": 2 + 1e-7})
    assert printed(capsys) == [
        "shapes, ours against Keras 3 comparisons, largest error 5.0e-08 within 1e-06 ok"
    ]
    assert "a, two: found 1.0, expected 1.5 at index (1,); the error 0.333 is above" in fails(
        check_close, "a", ours, ours | {"two": [0.0, 1.5]}
    )
    assert "a, one: found 2.0, expected nan; only" in fails(
        check_close, "a", ours, ours | {"one": np.nan}
    )
    assert fails(check_close, "a", ours, ours | {"one": [2.0]}) == "a, one: shape (), expected (1,)"
    assert "keys ['x'], expected ['y']" in fails(check_close, "a", {"x": 1}, {"y": 1})
    assert fails(check_close, "a", {}, {}) == "a: nothing to compare"


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
        (bowl, [2.0, -8.0], [1.0, 2.0], "at index (1,); the error 1.94 is above"),  # a sign
        (bowl, [[2.0, 8.0]], [1.0, 2.0], "g: shape (1, 2), expected (2,)"),
        (lambda x: np.nan, 0.0, 1.0, "g: found 0.0, expected nan; only finite numbers pass"),
        (np.abs, 1.0, 0.0, "g: found 1.0, expected 0.0; the error 1 is above"),  # at a kink
    ],
)
def test_gradient_fails(function, gradient, at, message):
    assert message in fails(check_gradient, "g", function, gradient, at)


def test_gradient_is_judged_by_its_size():
    """Of a function a millionth as high, a gradient that is 1 % wrong is no better."""
    at = np.array([1.0, 2.0])
    for scale in (1e-8, 1e8):
        check_gradient("g", lambda x, s=scale: s * bowl(x), scale * np.array([2.0, 8.0]), at)
        wrong = scale * np.array([2.0, 8.08])
        found = fails(check_gradient, "g", lambda x, s=scale: s * bowl(x), wrong, at)
        assert "the error 0.00961 is above" in found


def test_a_gradient_of_zero_is_judged_as_it_is():
    check_gradient("level", bowl, [0.0, 0.0], [0.0, 0.0])
    found = fails(check_gradient, "not level", bowl, [0.0, 0.0], [0.0, 1e-3])
    assert "expected 0.004" in found
    assert "the error 0.004 is above" in found


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


def test_range_denies_what_it_excludes(capsys):
    check_range("factor", 7.9, 2, 10, denies=1)
    check_range("share", 0.5, 0.4, 0.6, denies=0.61)
    assert printed(capsys) == [
        "factor 7.9 between 2 and 10, not 1 ok",
        "share 0.5 between 0.4 and 0.6, not 0.61 ok",
    ]
    assert "found 1" in fails(check_range, "factor", 1, 2, 10, denies=1)


@pytest.mark.parametrize("denies", [2, 5, 10, np.nan])
def test_range_refuses_to_contain_what_it_denies(denies):
    message = fails(check_range, "factor", 7.9, 2, 10, denies=denies, error=ValueError)
    assert message == f"factor: the range 2 to 10 contains {denies:g}"


def test_theory_passes(capsys):
    check_theory("mean", 2.03, 2, 0.05)
    check_theory("edge", 4.0, 0, 1)
    check_theory("mean by n", [1.0, 2.1, 3.0], [1, 2, 3.1], [0.1, 0.1, 0.05])
    check_theory("one law", np.array([[1.0, 1.1], [0.9, 1.0]]), 1, 0.1)
    check_theory("furthest of 16", [0] * 15 + [4.5], 0, 1)
    assert printed(capsys) == [
        "mean 2.03, law 2 0.6 standard errors of 0.05 away ok",
        "edge 4, law 0 4.0 standard errors of 1 away ok",
        "mean by n 3 points, the furthest 2.0 standard errors from the law ok",
        "one law 4 points, the furthest 1.0 standard errors from the law ok",
        "furthest of 16 16 points, the furthest 4.5 standard errors from the law ok",
    ]


@pytest.mark.parametrize(
    ("value", "expected", "message"),
    [
        (2.21, 2, "m: found 2.21, law 2: 4.2 standard errors of 0.05 away, expected at most 4"),
        (1.79, 2, "4.2 standard errors"),
        ([2, 2, 3], 2, "m: found 3, law 2 at index (2,): 20.0 standard errors of 0.05 away"),
        ([2, np.nan], 2, "found nan, law 2 at index (1,)"),
        (np.inf, np.inf, "found inf, law inf"),
        (
            [2] * 15 + [2.235],
            2,
            "at index (15,): 4.7 standard errors of 0.05 away, expected at most 4.6",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_theory_fails(value, expected, message, capsys):
    assert message in fails(check_theory, "m", value, expected, 0.05)
    assert printed(capsys)[0].endswith(" FAILED")


@pytest.mark.parametrize(
    ("value", "error"),
    [(1, 0), (1, -1), (1, np.nan), (1, np.inf), ([1, 1], [1, 0]), ([], 1), (1, [1, 1])],
)
def test_theory_refuses_an_error_that_proves_nothing(value, error):
    assert "standard error" in fails(check_theory, "m", value, 1, error, error=ValueError)


def test_effect_passes(capsys):
    check_effect("with biases over without", [1, 2, 3, 4, 5])
    # Student (1908): extra hours of sleep of ten patients, by a t of 4.06
    sleep = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    check_effect("sleep", sleep)
    assert printed(capsys) == [
        "with biases over without 3, 95 % interval 1.037 to 4.963, 5 pairs ok",
        "sleep 1.58, 95 % interval 0.7001 to 2.46, 10 pairs ok",
    ]


@pytest.mark.parametrize(
    ("differences", "message"),
    [
        ([-1, -2, -3, -4, -5], "e: mean -3, 95 % interval -4.963 to -1.037; expected all above 0"),
        ([-1, 2, 3, 0, 1], "e: mean 1, 95 % interval -0.9632 to 2.963; expected all above 0"),
        ([1, 2, 3, np.nan], "only finite numbers pass"),
    ],
)
def test_effect_fails_without_an_effect_and_with_its_reverse(differences, message):
    assert message in fails(check_effect, "e", differences)


@pytest.mark.parametrize(
    ("differences", "message"),
    [
        ([1, 2], "e: differences of shape (2,), expected at least 3 in a row"),
        (3.0, "differences of shape ()"),
        ([[1, 2, 3]], "differences of shape (1, 3)"),
        ([0.1, 0.1, 0.1], "e: all 3 differences are 0.1; expected a spread"),
        ([0, 0, 0], "all 3 differences are 0"),
    ],
)
def test_effect_refuses_what_it_cannot_judge(differences, message):
    assert message in fails(check_effect, "e", differences, error=ValueError)
