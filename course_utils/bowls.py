"""The bowl that half a mean squared error makes over the weights of a linear model."""

from typing import NamedTuple

import numpy as np


class Bowl(NamedTuple):
    """J = ½ (w − minimum) · H (w − minimum) + lowest.

    H: second derivatives of J, shape (d, d); minimum: the best weights, shape (d,); lowest: J
    there; curvature_min, curvature_max: smallest and largest curvature, the ends of H's spectrum.
    """

    H: np.ndarray
    minimum: np.ndarray
    lowest: float
    curvature_min: float
    curvature_max: float


def linear_bowl(inputs: np.ndarray, y: np.ndarray, bias: bool = False) -> Bowl:
    """Return the bowl of J = mean of ½ (ŷ − y)², ŷ = inputs · w.

    Args:
        inputs: shape (n, d), or (n,) for a single input.
        y: targets, shape (n,).
        bias: ŷ has a bias b as well; it then comes first in `minimum` and in `H`.
    """
    X = np.reshape(inputs, (len(y), -1))
    if bias:
        X = np.column_stack([np.ones(len(X)), X])
    minimum = np.linalg.lstsq(X, y, rcond=None)[0]
    H = X.T @ X / len(X)
    curvatures = np.linalg.eigvalsh(H)  # in rising order
    lowest = np.mean((X @ minimum - y) ** 2) / 2
    return Bowl(H, minimum, float(lowest), float(curvatures[0]), float(curvatures[-1]))
