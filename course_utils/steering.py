"""What lesson 17 teaches of control, as functions: a linear probe, and a vector that steers.

The page writes the same out; `tests/lessons/test_lesson_17.py` proves it equal.
"""

from __future__ import annotations

import numpy as np

RIDGE = 0.01  # keeps the weights of a probe small, in units of standardised features


def fit_probe(features: np.ndarray, amount: np.ndarray):
    """Return a linear probe: a function that reads an amount from features of shape (n, d).

    The features are standardised; the weights minimise the mean squared error plus RIDGE times
    their squared length.

    Args:
        features: shape (n, d).
        amount: what to read, shape (n,).
    """
    center, scale = features.mean(axis=0), features.std(axis=0) + 1e-6
    standard = (features - center) / scale
    products = standard.T @ standard / len(features) + RIDGE * np.eye(features.shape[1])
    w = np.linalg.solve(products, standard.T @ (amount - amount.mean()) / len(features))
    return lambda new: (new - center) / scale @ w + amount.mean()


def explained(amount: np.ndarray, read: np.ndarray) -> float:
    """Return R², the share of the variance of an amount that a reading of it explains."""
    return 1 - np.mean((amount - read) ** 2) / np.var(amount)


def steering_vector(u: np.ndarray, y: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Return the mean code of the upper quarter minus that of the lower, within each class.

    The mean over the classes, so that no digit is part of the direction.

    Args:
        u: codes, shape (n, d).
        y: classes, shape (n,).
        amount: the property that is to be steered, shape (n,).
    """
    directions = []
    for k in np.unique(y):
        codes, (low, high) = u[y == k], np.quantile(amount[y == k], [0.25, 0.75])
        much, little = amount[y == k] >= high, amount[y == k] <= low
        directions.append(codes[much].mean(axis=0) - codes[little].mean(axis=0))
    return np.mean(directions, axis=0)
