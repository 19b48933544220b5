"""Digits for the attacks of lesson 18 (members, strangers, canaries), and a network for them.

The network is lesson 02's in NumPy, 784 → 100 → 10, with one row for each example throughout, so
that the gradient of each example can be told from that of the others.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from course_utils.data import load_mnist

CANARIES = 100  # among the members, and as many among the strangers
VALIDATION = 5000
UNITS = 100


class Digits(NamedTuple):
    """Images as rows of 784 numbers from 0 to 1, and their labels."""

    x: np.ndarray
    y: np.ndarray


class People(NamedTuple):
    """Who is in the training set (members), who could have been (strangers), and who judges."""

    members: Digits
    strangers: Digits
    val: Digits
    test: Digits


def draw_people(seed: int, n: int) -> People:
    """Draw n members and n strangers from the 60,000 training images; nobody is drawn twice.

    The first 100 of the members, and of the strangers, are canaries: their label is drawn at random
    from the nine wrong ones. Validation and test images have their true labels.

    Raises:
        ValueError: there are not enough images for n members and n strangers.
    """
    (images, labels), (test_images, test_labels) = load_mnist()
    most = (len(images) - VALIDATION) // 2
    if not CANARIES < n <= most:
        raise ValueError(f"n: expected {CANARIES + 1} to {most:,} members, found {n:,}")
    rng = np.random.default_rng([seed, 18])
    drawn = rng.permutation(len(images))[: 2 * n + VALIDATION]
    members, strangers, val = (
        _digits(images[part], labels[part]) for part in np.split(drawn, [n, 2 * n])
    )
    for part in (members, strangers):
        part.y[:CANARIES] = (part.y[:CANARIES] + rng.integers(1, 10, CANARIES)) % 10
    return People(members, strangers, val, _digits(test_images, test_labels))


def _digits(images: np.ndarray, labels: np.ndarray) -> Digits:
    return Digits((images.reshape(len(images), -1) / 255).astype(np.float32), labels.astype(int))


def first_weights(rng: np.random.Generator) -> list[np.ndarray]:
    """Return W1, b1, W2, b2 in float32, drawn as He and Glorot advise, biases 0."""
    W1 = rng.normal(size=(784, UNITS)) * np.sqrt(2 / 784)
    W2 = rng.normal(size=(UNITS, 10)) * np.sqrt(1 / UNITS)
    return [w.astype(np.float32) for w in (W1, np.zeros(UNITS), W2, np.zeros(10))]


def forward(theta: list[np.ndarray], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what the hidden layer passes on, (n, 100), and the logits, (n, 10)."""
    W1, b1, W2, b2 = theta
    a = np.maximum(x @ W1 + b1, 0)
    return a, a @ W2 + b2


def pushes(theta: list[np.ndarray], x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return a, and the derivatives of each example's loss by the sums z of both layers.

    Shapes (n, 100), (n, 100) and (n, 10). The loss is the cross-entropy after a softmax.
    """
    a, logits = forward(theta, x)
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    push2 = p / p.sum(axis=1, keepdims=True)
    push2[np.arange(len(y)), y] -= 1
    return a, (push2 @ theta[2].T) * (a > 0), push2


def losses(theta: list[np.ndarray], digits: Digits) -> np.ndarray:
    """Return the cross-entropy of each digit, exact where it is tiny too, in float64."""
    logits = forward(theta, digits.x)[1].astype(float)
    row = np.arange(len(digits.y))
    above = logits - logits[row, digits.y][:, None]  # of the other classes, over the label's
    above[row, digits.y] = -np.inf
    return np.logaddexp(0, logsumexp(above, axis=1))


def accuracy(theta: list[np.ndarray], digits: Digits) -> float:
    """Return the share of right answers."""
    return float(np.mean(forward(theta, digits.x)[1].argmax(axis=1) == digits.y))
