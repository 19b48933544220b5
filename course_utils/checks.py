"""Checks that print the error they found: a formula stands only with its number beside it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

LABEL_WIDTH = 48


def check_close(label: str, ours, reference, tolerance: float = 1e-6) -> None:
    """Assert that two results agree to `tolerance` in every element; print the largest error.

    The error is absolute where the reference is below 1 in size and relative above it.

    Args:
        label: what is compared, in a few words.
        ours: number, array or tensor.
        reference: the independent result, of the same shape.
        tolerance: the largest error that passes.

    Raises:
        AssertionError: the shapes differ, there is nothing to compare, or an element is off by
            more, or is not finite.
    """
    ours, reference = np.asarray(ours, dtype=float), np.asarray(reference, dtype=float)
    if ours.shape != reference.shape:
        raise AssertionError(f"{label}: shape {ours.shape}, expected {reference.shape}")
    if ours.size == 0:
        raise AssertionError(f"{label}: shape {ours.shape}, expected at least one element")
    with np.errstate(invalid="ignore"):  # inf - inf is nan, and nan does not pass
        error = np.abs(ours - reference) / np.maximum(1.0, np.abs(reference))
    largest = float(np.max(error))
    passed = largest <= tolerance  # false for nan as well
    _print_verdict(label, f"largest error {largest:.1e}   within {tolerance:g}", passed)
    if not passed:
        worst = np.unravel_index(np.argmax(np.nan_to_num(error, nan=np.inf)), error.shape)
        where = f" at index {tuple(int(i) for i in worst)}" if worst else ""
        reason = f"the error {largest:.3g} is above the tolerance {tolerance:g}"
        if not np.isfinite(largest):
            reason = "only finite numbers pass"
        found, expected = float(ours[worst]), float(reference[worst])
        raise AssertionError(f"{label}: found {found}, expected {expected}{where}; {reason}")


def check_gradient(
    label: str,
    function: Callable[[np.ndarray], float],
    gradient,
    at,
    tolerance: float = 1e-6,
    step: float = 1e-5,
) -> None:
    """Assert that `gradient` equals the central finite difference of `function` at `at`.

    Args:
        label: what is compared, in a few words.
        function: maps an array of the shape of `at` to a number.
        gradient: the gradient to check, of the shape of `at`.
        at: the point, a number or an array.
        tolerance: the largest error that passes (see `check_close`).
        step: see `numeric_gradient`.

    Raises:
        AssertionError: see `check_close`.
    """
    check_close(label, gradient, numeric_gradient(function, at, step), tolerance)


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


def check_range(label: str, value: float, low: float, high: float) -> None:
    """Assert `low <= value <= high`; the text beside it may then speak of "about".

    Raises:
        AssertionError: the value is outside, or not a number.
    """
    value = float(value)
    passed = low <= value <= high
    _print_verdict(label, f"{_plain(value)}   between {_plain(low)} and {_plain(high)}", passed)
    if not passed:
        raise AssertionError(f"{label}: found {value:.6g}, expected {low:g} to {high:g}")


def _plain(value: float) -> str:
    """Four significant digits, and whole numbers in full."""
    whole = np.isfinite(value) and value == int(value)
    return f"{int(value):,}" if whole else f"{value:.4g}"


def _print_verdict(label: str, finding: str, passed: bool) -> None:
    print(f"{label:<{LABEL_WIDTH}} {finding}   {'ok' if passed else 'FAILED'}")
