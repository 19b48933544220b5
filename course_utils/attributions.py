"""What lesson 17 teaches, as functions: what pixels contribute to an answer, and two tests of it.

For the study; the page writes the same out, and `tests/lessons/test_lesson_17.py` proves it equal.
Pictures have shape (n, 28, 28, 1), ink 1 and paper 0. An attribution gives each pixel a number and
has the shape of the pictures; k holds the class whose logit is explained, shape (n,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from scipy.stats import rankdata

from course_utils.training import minimize

BATCH_SIZE = 128


def digit_network() -> keras.Sequential:
    """Return an untrained network for digits: pictures to 32 maps of 7 × 7, maps to 10 logits."""
    same = {"strides": 2, "padding": "same", "activation": "relu"}
    body = [keras.Input((28, 28, 1)), layers.Conv2D(16, 5, **same), layers.Conv2D(32, 3, **same)]
    head = [keras.Input((7, 7, 32)), layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(10)]
    return keras.Sequential([keras.Sequential(body), keras.Sequential(head)])


def cross_entropy(network, x, y):
    """Return the mean cross-entropy of a network's logits for the labels y."""
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, network(x))
    return tf.reduce_mean(losses)


def train_digits(
    x: np.ndarray,
    y: np.ndarray,
    updates: int,
    learning_rate: float,
    disturb: Callable | None = None,
) -> keras.Sequential:
    """Return a trained `digit_network`. Call `environment.set_seed` before.

    Args:
        x, y: pictures, float32, and labels, int32.
        updates: of 128 examples each, a multiple of 20.
        learning_rate: the largest one of the schedule.
        disturb: maps (network, x, y) to the pictures to train on instead of x, in each update.
    """
    network = digit_network()

    def objective(x, y):
        return {"J": cross_entropy(network, disturb(network, x, y) if disturb else x, y)}

    minimize(
        objective,
        network.trainable_variables,
        [x, y],
        updates=updates,
        batch_size=BATCH_SIZE,
        learning_rate=learning_rate,
    )
    return network


def answers(network, x) -> np.ndarray:
    """Return the digit with the largest logit for each picture, shape (n,)."""
    return np.argmax(network(x), axis=1)


def logit(network, x, k):
    """Return the logit of class k for each picture, shape (n,)."""
    return tf.gather(network(x), k, axis=1, batch_dims=1)


def gradient(network, x, k) -> np.ndarray:
    """Return the derivative of the logit by each pixel (Simonyan and others 2014)."""
    x = tf.constant(x, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        z = logit(network, x, k)
    return tape.gradient(z, x).numpy()


def gradient_times_input(network, x, k) -> np.ndarray:
    """Return the derivative of the logit by each pixel, times the pixel."""
    return x * gradient(network, x, k)


def integrated_gradients(network, x, k, steps: int = 32) -> np.ndarray:
    """Return the mean gradient on the straight way from paper to x, times x (Sundararajan 2017).

    The mean is taken at the middles of `steps` equal parts of the way.
    """
    total = np.zeros_like(x)
    for share in (np.arange(steps) + 0.5) / steps:
        total += gradient(network, np.float32(share) * x, k)
    return x * total / steps


def occlusion(network, x, k) -> np.ndarray:
    """Return what the logit loses when one pixel is made paper (Zeiler and Fergus 2014)."""
    lost, full = np.zeros_like(x), logit(network, x, k).numpy()
    for i, j in np.ndindex(28, 28):
        if x[:, i, j].any():
            covered = x.copy()
            covered[:, i, j] = 0
            lost[:, i, j, 0] = full - logit(network, covered, k)
    return lost


def grad_cam(network, x, k) -> np.ndarray:
    """Return the maps, weighted by their mean gradients, positive part (Selvaraju and others 2017).

    The 7 × 7 numbers are enlarged to the size of the picture by linear interpolation.
    """
    body, head = network.layers
    maps = body(x)
    with tf.GradientTape() as tape:
        tape.watch(maps)
        z = logit(head, maps, k)
    weights = tf.reduce_mean(tape.gradient(z, maps), axis=(1, 2), keepdims=True)
    weighted = tf.reduce_sum(weights * maps, axis=3, keepdims=True)
    return tf.image.resize(tf.nn.relu(weighted), (28, 28)).numpy()


METHODS = {
    "occlusion": occlusion,
    "gradient": gradient,
    "gradient × input": gradient_times_input,
    "integrated gradients": integrated_gradients,
    "Grad-CAM": grad_cam,
}


def delete(x: np.ndarray, attribution: np.ndarray, number: int) -> np.ndarray:
    """Return the pictures with the `number` ink pixels of largest attribution made paper.

    A paper pixel cannot be deleted, so it is never chosen; of equal ones the first goes first.
    """
    pixels = x.reshape(len(x), -1).copy()
    ranked = np.where(pixels > 0, attribution.reshape(len(x), -1), -np.inf)
    first = np.argsort(-ranked, axis=1, kind="stable")[:, :number]
    np.put_along_axis(pixels, first, 0, axis=1)
    return pixels.reshape(x.shape)


def kept(network, x: np.ndarray, attribution: np.ndarray, numbers: Sequence[int]) -> np.ndarray:
    """Return the share of pictures that keep their answer after so many deletions, as an array."""
    before = answers(network, x)
    after = [answers(network, delete(x, attribution, number)) for number in numbers]
    return np.mean(np.array(after) == before, axis=1)


def rank_correlation(a: np.ndarray, b: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Return Spearman's rank correlation of two attributions of each picture, shape (n,).

    Args:
        a, b: attributions, of the same shape.
        where: which pixels of each picture are compared, truth values of that shape.
            An attribution that is the same in all of them has the correlation 0.
    """
    found = np.zeros(len(a))
    for n, chosen in enumerate(where):
        ranks = np.array([rankdata(each[n][chosen]) for each in (a, b)])
        ranks -= ranks.mean(axis=1, keepdims=True)
        lengths = np.sqrt(np.square(ranks).sum(axis=1)).prod()
        found[n] = ranks[0] @ ranks[1] / lengths if lengths else 0.0
    return found
