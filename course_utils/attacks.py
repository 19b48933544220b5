"""What lesson 17 teaches, as functions: pictures that deceive a network, and training on them.

`max_change` is Δ_max, the most that an attack may change a pixel. Pixels stay between 0 and 1.
The page writes the same out; `tests/lessons/test_lesson_17.py` proves it equal.
"""

from __future__ import annotations

import tensorflow as tf


def loss_gradient(network, x, y):
    """Return the derivative of each picture's cross-entropy by its pixels, shape of x."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, network(x))
    return tape.gradient(losses, x)


def fgsm(network, x, y, max_change: float):
    """Move each pixel by `max_change` in the direction that raises the loss (Goodfellow 2015)."""
    return tf.clip_by_value(x + max_change * tf.sign(loss_gradient(network, x, y)), 0.0, 1.0)


def nearby(moved, x, max_change: float):
    """Return the moved pictures, with each pixel brought back to within `max_change` of x."""
    return tf.clip_by_value(tf.clip_by_value(moved, x - max_change, x + max_change), 0.0, 1.0)


def pgd(network, x, y, max_change: float, steps: int):
    """Move in steps of 2.5 `max_change` / `steps` from a random start (Madry and others 2018)."""
    moved = nearby(x + tf.random.uniform(tf.shape(x), -max_change, max_change), x, max_change)
    for _ in range(steps):
        step = 2.5 * max_change / steps * tf.sign(loss_gradient(network, moved, y))
        moved = nearby(moved + step, x, max_change)
    return moved
