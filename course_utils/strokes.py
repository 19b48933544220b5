"""Two properties of a written digit that no label of MNIST names: its slant and its thickness."""

from __future__ import annotations

import numpy as np


def slant(pictures: np.ndarray) -> np.ndarray:
    """Return by how many columns the ink moves to the right for each row upwards, shape (n,).

    It is the slope of the straight line that fits the ink best, each pixel weighted by its ink;
    0 is upright, 1 leans 45° to the right.

    Args:
        pictures: shape (n, 784) or (n, 28, 28), ink 1 and paper 0.
    """
    ink = np.asarray(pictures, float).reshape(-1, 28, 28)
    total, (i, j) = ink.sum(axis=(1, 2)), np.mgrid[:28, :28]
    up = (ink * i).sum(axis=(1, 2))[:, None, None] / total[:, None, None] - i
    right = j - (ink * j).sum(axis=(1, 2))[:, None, None] / total[:, None, None]
    return (ink * up * right).sum(axis=(1, 2)) / (ink * up**2).sum(axis=(1, 2))


def thickness(pictures: np.ndarray) -> np.ndarray:
    """Return the width of the stroke in pixels, shape (n,): twice its area over its border.

    A stroke of length s and width w has the area s w and, but for its ends, the border 2 s. The
    border of a grey picture is the sum of the lengths of its gradients.

    Args:
        pictures: as for `slant`.
    """
    ink = np.pad(np.asarray(pictures, float).reshape(-1, 28, 28), ((0, 0), (1, 1), (1, 1)))
    down = ink[:, 1:, :-1] - ink[:, :-1, :-1]
    right = ink[:, :-1, 1:] - ink[:, :-1, :-1]
    return 2 * ink.sum(axis=(1, 2)) / np.hypot(down, right).sum(axis=(1, 2))
