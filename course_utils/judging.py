"""A judge for pictures of digits: what it reads, how sure it is, and how far two sets are apart.

The judge is a small convolutional network, trained once on the first 55,000 images of MNIST. The
distance of two sets of pictures compares the 64 features before its last layer, as Heusel and
others (2017) do with a network that was trained on photographs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FEATURES = 64


class Judged(NamedTuple):
    """What the judge sees in n pictures."""

    features: np.ndarray  # (n, 64), the units before the output layer
    digits: np.ndarray  # (n,), the digit that it reads
    confidence: np.ndarray  # (n,), the probability that it gives to this digit


def judge_network():
    """Return the judge before its training: pictures (n, 28, 28, 1) to features and 10 logits."""
    import keras
    from keras import layers

    pictures = x = keras.Input((28, 28, 1))
    for filters, size in ((16, 5), (32, 3), (64, 3)):
        x = layers.Conv2D(filters, size, strides=2, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    features = layers.Dense(FEATURES, activation="relu")(layers.Flatten()(x))
    logits = layers.Dense(10)(layers.Dropout(0.3)(features))
    return keras.Model(pictures, [features, logits])


def judged(judge, pictures: np.ndarray) -> Judged:
    """Return what the judge sees.

    Args:
        judge: a trained `judge_network`.
        pictures: shape (n, 784) or (n, 28, 28), ink 1 and background 0.
    """
    pictures = np.reshape(np.asarray(pictures, np.float32), (-1, 28, 28, 1))
    features, logits = judge.predict(pictures, batch_size=1000, verbose=0)
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return Judged(features.astype(float), logits.argmax(axis=1), 1 / odds.sum(axis=1))


def frechet_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the Fréchet distance of two sets of features, each taken as normally distributed.

    It is ‖μ_a − μ_b‖² + trace(C_a + C_b − 2 (C_a C_b)^½), with means μ and covariances C; 0 if
    these agree (Dowson and Landau 1982). Of small sets it is too large: compare equal numbers.

    Args:
        a, b: shapes (n, d) and (m, d), d at least 2.

    Raises:
        ValueError: the sets have other shapes.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or a.shape[1] < 2:
        raise ValueError(f"features: expected (n, d) and (m, d), found {a.shape} and {b.shape}")
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    # (C_a C_b)^½ has the eigenvalues of (C_a^½ C_b C_a^½)^½, which is symmetric.
    values, vectors = np.linalg.eigh(cov_a)
    root_a = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    roots = np.sqrt(np.maximum(np.linalg.eigvalsh(root_a @ cov_b @ root_a), 0))
    apart = a.mean(axis=0) - b.mean(axis=0)
    return float(apart @ apart + np.trace(cov_a) + np.trace(cov_b) - 2 * roots.sum())


def within_class_variance(features: np.ndarray, labels: np.ndarray) -> float:
    """Return how much the features differ among pictures of the same class.

    The variances of all features, summed, for each class; then their mean, weighted by the numbers
    of pictures.

    Args:
        features: shape (n, d).
        labels: the class of each, shape (n,).
    """
    labels = np.asarray(labels)
    sums = {k: features[labels == k].var(axis=0).sum() for k in np.unique(labels)}
    return float(sum(np.mean(labels == k) * value for k, value in sums.items()))


def nearest(
    pictures: np.ndarray, others: np.ndarray, block: int = 200
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each picture the index of the most similar other one, and how far it is.

    Args:
        pictures: shape (n, pixels).
        others: shape (m, pixels).
        block: pictures compared at once; a block needs 4 m times as many bytes.

    Returns:
        index: shape (n,).
        distance: root of the summed squared differences of the pixels, shape (n,).
    """
    pictures, others = np.asarray(pictures, np.float32), np.asarray(others, np.float32)
    lengths = np.einsum("ij,ij->i", others, others)  # no second array of that size
    index = np.empty(len(pictures), int)
    for start in range(0, len(pictures), block):
        part = pictures[start : start + block]
        index[start : start + block] = (lengths - 2 * part @ others.T).argmin(axis=1)
    return index, np.sqrt(np.square(pictures - others[index]).sum(axis=1, dtype=float))
