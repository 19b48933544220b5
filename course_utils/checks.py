"""Checks that print what they found: a formula stands only with its number beside it.

The kind of a check says what it proves: `check_close` and `check_gradient` equality with an
independent result, `check_equal` an exact count, `check_theory` agreement with a law,
`check_effect` that one thing is larger than another, `check_range` that a value lies where "no
effect" does not. Each prints one line, which ends in "ok", or raises.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LABEL_WIDTH = 48
MOST_STANDARD_ERRORS = 4


def check_close(label: str, ours, reference, tolerance: float = 1e-6) -> None:
    """Assert that two results agree to `tolerance` in every element; print the largest error.

    The error is absolute where the reference is below 1 in size and relative above it. Two dicts
    with the same keys are many comparisons in one line.

    Args:
        label: what is compared, in a few words.
        ours: number, array or tensor, or a dict of such.
        reference: the independent result, of the same shape.
        tolerance: the largest error that passes.

    Raises:
        AssertionError: the shapes or keys differ, there is nothing to compare, or an element is
            off by more, or is not finite.
    """
    count = ""
    if isinstance(ours, dict) and isinstance(reference, dict):
        if ours.keys() != reference.keys():
            raise AssertionError(f"{label}: keys {list(ours)}, expected {list(reference)}")
        pairs = {f"{label}, {key}": (ours[key], reference[key]) for key in ours}
        count = f"{len(pairs)} comparisons, "
    else:
        pairs = {label: (ours, reference)}
    errors = {}
    for name, (found, expected) in pairs.items():
        found, expected = _same_shape(name, found, expected)
        pairs[name] = found, expected
        with np.errstate(invalid="ignore"):  # inf - inf is nan, and nan does not pass
            errors[name] = np.abs(found - expected) / np.maximum(1.0, np.abs(expected))
    _judge_errors(label, pairs, errors, tolerance, count)


def check_gradient(
    label: str,
    function: Callable[[np.ndarray], float],
    gradient,
    at,
    tolerance: float = 1e-6,
    step: float = 1e-5,
) -> None:
    """Assert that `gradient` equals the central finite difference of `function` at `at`.

    The error of each component is divided by the size (norm) of the gradient, the larger of the
    two: a small gradient would pass any absolute limit. A `gradient` that is zero throughout has
    no size to divide by; its error is absolute.

    Args:
        label: what is compared, in a few words.
        function: maps an array of the shape of `at` to a number.
        gradient: the gradient to check, of the shape of `at`.
        at: the point, a number or an array.
        tolerance: the largest error that passes.
        step: see `numeric_gradient`.

    Raises:
        AssertionError: see `check_close`.
    """
    ours, numeric = _same_shape(label, gradient, numeric_gradient(function, at, step))
    size = max(np.linalg.norm(ours), np.linalg.norm(numeric)) if np.any(ours) else 1.0
    with np.errstate(invalid="ignore"):
        errors = {label: np.abs(ours - numeric) / size}
    _judge_errors(label, {label: (ours, numeric)}, errors, tolerance)


def numeric_gradient(function: Callable[[np.ndarray], float], at, step: float = 1e-5) -> np.ndarray:
    """Return the central finite difference of `function` at `at`, of the shape of `at`.

    Each component is (f(x + h) - f(x - h)) / 2h in float64, with error of order h².

    Args:
        function: maps an array of the shape of `at` to a number.
        at: the point, a number or an array.
        step: h.
    """
    at = np.array(at, dtype=float)
    numeric = np.empty_like(at)
    for index in np.ndindex(at.shape):
        offset = np.zeros_like(at)
        offset[index] = step
        numeric[index] = (float(function(at + offset)) - float(function(at - offset))) / (2 * step)
    return numeric


def check_shape(label: str, array, shape: tuple[int | None, ...]) -> None:
    """Assert the shape of an array, tensor or anything with `.shape`; `None` fits any size.

    Raises:
        AssertionError: the shape differs.
    """
    found = tuple(array.shape)
    passed = len(found) == len(shape) and all(
        e is None or e == f for e, f in zip(shape, found, strict=True)
    )
    _print_verdict(label, f"shape {found}", passed)
    if not passed:
        raise AssertionError(f"{label}: shape {found}, expected {shape}")


def check_equal(label: str, found, expected) -> None:
    """Assert that a count, a text or another exact value is what it must be.

    Raises:
        AssertionError: the values differ.
    """
    passed = bool(found == expected)
    _print_verdict(label, f"found {found}, expected {expected}", passed)
    if not passed:
        raise AssertionError(f"{label}: found {found!r}, expected {expected!r}")


def check_theory(label: str, value, expected, standard_error) -> None:
    """Assert that a measured value lies within 4 standard errors of what a law says; print both.

    Where the law is true and the errors are normal, one value exceeds this once in 16,000 times.
    Arrays are many comparisons in one line; their limit is higher (4.6 for 16 values, 4.9 for 64),
    so that one of them exceeds it as seldom (Bonferroni's bound). The error should be known from
    the law itself or from 30 or more draws: one estimated from five draws is often far too small.

    Args:
        label: what is measured, in a few words.
        value: number or array that was measured.
        expected: what the law says, of the same shape or one number for all.
        standard_error: standard deviation of `value`, of the same shape or one number for all.

    Raises:
        AssertionError: a value is further off, or not finite.
        ValueError: a standard error is not a finite number above 0, or the shapes do not fit.
    """
    from scipy.special import ndtr, ndtri

    value, expected, error = (np.asarray(x, float) for x in (value, expected, standard_error))
    if not np.all(np.isfinite(error) & (error > 0)):
        raise ValueError(f"{label}: the standard error is {error}, expected finite, above 0")
    if value.size == 0 or np.broadcast_shapes(value.shape, expected.shape, error.shape) != (
        value.shape
    ):
        shapes = f"{value.shape}, {expected.shape} and {error.shape}"
        raise ValueError(f"{label}: value, law and standard error have the shapes {shapes}")
    expected, error = np.broadcast_to(expected, value.shape), np.broadcast_to(error, value.shape)
    off = np.nan_to_num(np.abs(value - expected) / error, nan=np.inf)
    worst = np.unravel_index(np.argmax(off), off.shape)
    limit = MOST_STANDARD_ERRORS
    if value.size > 1:
        limit = -ndtri(ndtr(-MOST_STANDARD_ERRORS) / value.size)
    passed = bool(off[worst] <= limit)
    far = f"{off[worst]:.1f} standard errors"
    one = f"{_plain(value[worst])}, law {_plain(expected[worst])}"
    if value.ndim == 0:
        finding = f"{one}   {far} of {error:.2g} away"
    else:
        finding = f"{value.size} points, the furthest {far} from the law"
    _print_verdict(label, finding, passed)
    if not passed:
        where = f" at index {tuple(int(i) for i in worst)}" if worst else ""
        raise AssertionError(
            f"{label}: found {one}{where}: {far} of {error[worst]:.3g} away, "
            f"expected at most {limit:.2g}"
        )


def check_effect(label: str, paired_differences) -> None:
    """Assert that one thing is larger than another: the mean difference of pairs is above zero.

    Each difference is what the label claims to be larger minus what it claims to be smaller, of
    one pair (one seed, one split). The 95 % interval of the mean by Student's t must lie above
    zero. Have five pairs or more: three pass only if the effect is some 2.5 times its spread.

    Args:
        label: the claim, in a few words.
        paired_differences: one number for each pair.

    Raises:
        AssertionError: the interval contains zero or lies below it, or a number is not finite.
        ValueError: fewer than three pairs, or all of them the same number, which leaves no spread
            to judge by (did each pair have its own seed?).
    """
    from scipy.special import stdtrit

    differences = np.asarray(paired_differences, dtype=float)
    if differences.ndim != 1 or len(differences) < 3:
        shape = differences.shape
        raise ValueError(f"{label}: differences of shape {shape}, expected at least 3 in a row")
    if not np.all(np.isfinite(differences)):
        raise AssertionError(f"{label}: differences {differences}, only finite numbers pass")
    pairs, mean = len(differences), differences.mean()
    half = stdtrit(pairs - 1, 0.975) * differences.std(ddof=1) / np.sqrt(pairs)
    if half <= 1e-12 * abs(mean):
        raise ValueError(f"{label}: all {pairs} differences are {mean:.6g}; expected a spread")
    interval = f"95 % interval {_plain(mean - half)} to {_plain(mean + half)}"
    _print_verdict(label, f"{_plain(mean)}, {interval}, {pairs} pairs", bool(mean - half > 0))
    if not mean - half > 0:
        raise AssertionError(f"{label}: mean {mean:.4g}, {interval}; expected all above 0")


def check_range(
    label: str, value: float, low: float, high: float, *, denies: float | None = None
) -> None:
    """Assert `low <= value <= high`; the text beside it may then speak of "about".

    Args:
        label: what is measured, in a few words.
        value: what was found.
        low: the smallest value that passes.
        high: the largest.
        denies: the value of "no effect" or of the rival claim, which must lie outside the range.

    Raises:
        AssertionError: the value is outside, or not a number.
        ValueError: the range contains `denies`, so that passing would deny nothing.
    """
    value, finding = float(value), f"between {_plain(low)} and {_plain(high)}"
    if denies is not None:
        if not (denies < low or denies > high):
            raise ValueError(f"{label}: the range {low:g} to {high:g} contains {denies:g}")
        finding += f", not {_plain(denies)}"
    passed = low <= value <= high
    _print_verdict(label, f"{_plain(value)}   {finding}", passed)
    if not passed:
        raise AssertionError(f"{label}: found {value:.6g}, expected {low:g} to {high:g}")


def _same_shape(label: str, ours, reference) -> tuple[np.ndarray, np.ndarray]:
    """Return both as arrays of float64."""
    ours, reference = np.asarray(ours, dtype=float), np.asarray(reference, dtype=float)
    if ours.shape != reference.shape:
        raise AssertionError(f"{label}: shape {ours.shape}, expected {reference.shape}")
    if ours.size == 0:
        raise AssertionError(f"{label}: shape {ours.shape}, expected at least one element")
    return ours, reference


def _judge_errors(label: str, pairs: dict, errors: dict, tolerance: float, count: str = "") -> None:
    """Print the largest of the arrays of errors; raise, with its place, if it is too large."""
    largest = {name: np.max(np.nan_to_num(e, nan=np.inf)) for name, e in errors.items()}
    if not largest:
        raise AssertionError(f"{label}: nothing to compare")
    name = max(largest, key=largest.get)
    (found, expected), error = pairs[name], errors[name]
    worst = np.unravel_index(np.argmax(np.nan_to_num(error, nan=np.inf)), error.shape)
    passed = bool(error[worst] <= tolerance)  # false for nan as well
    _print_verdict(label, f"{count}largest error {error[worst]:.1e}   within {tolerance:g}", passed)
    if not passed:
        where = f" at index {tuple(int(i) for i in worst)}" if worst else ""
        reason = f"the error {error[worst]:.3g} is above the tolerance {tolerance:g}"
        if not np.isfinite(error[worst]):
            reason = "only finite numbers pass"
        found, expected = float(found[worst]), float(expected[worst])
        raise AssertionError(f"{name}: found {found}, expected {expected}{where}; {reason}")


def _plain(value: float) -> str:
    """Four significant digits, and whole numbers in full."""
    whole = np.isfinite(value) and value == int(value)
    return f"{int(value):,}" if whole else f"{value:.4g}"


def _print_verdict(label: str, finding: str, passed: bool) -> None:
    print(f"{label:<{LABEL_WIDTH}} {finding}   {'ok' if passed else 'FAILED'}")
