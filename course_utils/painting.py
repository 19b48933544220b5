"""What lesson 12 teaches, as functions: a variational autoencoder, and a flow among its codes.

For studies and for the shipped model; the page writes the same out (`tests/lessons`).
"""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from course_utils.training import minimize

HIDDEN = (512, 256)  # units of the encoder; the decoder has them the other way round
FLOW_HIDDEN = (384, 384, 384)
STEPS = 40  # of Euler's rule


def dense_network(sizes, activation="relu"):
    """Return dense layers of these sizes; the activation follows each of them but the last."""
    hidden = [keras.layers.Dense(units, activation) for units in sizes[1:-1]]
    return keras.Sequential([keras.Input((sizes[0],)), *hidden, keras.layers.Dense(sizes[-1])])


def restoration_error(x, logits):
    """Return the cross-entropy of the pixels, summed, averaged over the pictures."""
    errors = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=logits)
    return tf.reduce_mean(tf.reduce_sum(errors, axis=1))


def kl(mu, sigma):
    """Return the KL divergence of clouds from the standard normal distribution, by number."""
    return (mu**2 + sigma**2 - 1 - tf.math.log(sigma**2)) / 2


def clouds(encoder, x):
    """Return centre and spread of the codes of pictures, two arrays (n, code_size)."""
    mu, log_variance = tf.split(encoder(x), 2, axis=1)
    return mu, tf.exp(log_variance / 2)


def train_vae(x: np.ndarray, code_size: int, kl_weight: float, updates: int):
    """Return encoder and decoder of a variational autoencoder of pictures (n, 784)."""
    encoder = dense_network([784, *HIDDEN, 2 * code_size])
    decoder = dense_network([code_size, *HIDDEN[::-1], 784])

    def objective(x):
        mu, sigma = clouds(encoder, x)
        u = mu + sigma * tf.random.normal(tf.shape(mu))
        error = restoration_error(x, decoder(u))
        penalty = tf.reduce_mean(tf.reduce_sum(kl(mu, sigma), axis=1))
        return {"J": error + kl_weight * penalty, "error": error, "KL": penalty}

    parameters = encoder.trainable_variables + decoder.trainable_variables
    minimize(objective, parameters, [x], updates=updates, batch_size=256, learning_rate=3e-3)
    return encoder, decoder


def train_plain(x: np.ndarray, code_size: int, updates: int):
    """Return encoder and decoder of an autoencoder without clouds."""
    encoder = dense_network([784, *HIDDEN, code_size])
    decoder = dense_network([code_size, *HIDDEN[::-1], 784])
    minimize(
        lambda x: {"J": restoration_error(x, decoder(encoder(x)))},
        encoder.trainable_variables + decoder.trainable_variables,
        [x],
        updates=updates,
        batch_size=256,
        learning_rate=3e-3,
    )
    return encoder, decoder


class Flow(NamedTuple):
    """A trained velocity network, and how many numbers a code has."""

    velocity: keras.Model
    code_size: int

    def direction(self, u, t, y):
        """Return the velocity at places u and times t, for labels y of ten numbers."""
        return self.velocity(tf.concat([u, t, y], axis=1))

    def draw(self, noise: np.ndarray, y: np.ndarray, guidance: float, steps: int = STEPS):
        """Return the codes (n, code_size) to which noise leads, for labels y (n, 10)."""
        y, none, n = tf.constant(y, tf.float32), tf.zeros(y.shape), len(noise)

        @tf.function
        def guided(u, t):
            times = tf.fill((n, 1), t)
            free, asked = self.direction(u, times, none), self.direction(u, times, y)
            return free + guidance * (asked - free)

        u = tf.constant(noise, tf.float32)
        for k in range(steps):
            u = u + guided(u, tf.constant(k / steps, tf.float32)) / steps
        return u


def train_flow(mu, sigma, y, updates: int, hidden=FLOW_HIDDEN, learning_rate=2e-3) -> Flow:
    """Return a flow from noise to codes.

    mu, sigma: the clouds of the training pictures, each (n, code_size); y: labels (n, 10).
    """
    code_size = mu.shape[1]
    flow = Flow(dense_network([code_size + 11, *hidden, code_size], "silu"), code_size)

    def objective(mu, sigma, y):
        u, noise = mu + sigma * tf.random.normal(tf.shape(mu)), tf.random.normal(tf.shape(mu))
        t, chance = tf.unstack(tf.random.uniform((2, tf.shape(mu)[0], 1)))
        y = tf.where(chance < 0.9, y, 0.0)  # in one case in ten the label is hidden
        guess = flow.direction((1 - t) * noise + t * u, t, y)
        return {"J": tf.reduce_mean((guess - (u - noise)) ** 2)}

    minimize(
        objective,
        flow.velocity.trainable_variables,
        [mu, sigma, np.asarray(y, np.float32)],
        updates=updates,
        batch_size=512,
        learning_rate=learning_rate,
        averaged=0.999,
    )
    return flow
