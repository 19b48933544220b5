"""Minimise an objective over batches: the loop of lesson 06, compiled, for networks of any kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

WARM_UP = 100  # updates
REPORTS = 20  # rows of what `minimize` returns


def minimize(
    objective: Callable[..., Mapping[str, tf.Tensor]],
    parameters: Sequence,
    data: Sequence[np.ndarray],
    *,
    updates: int,
    batch_size: int,
    learning_rate: float,
    averaged: float = 0.0,
) -> dict[str, np.ndarray]:
    """Lower the mean of an objective with Adam; the learning rate warms up and decays to zero.

    Each update draws its batch with replacement. Call `environment.set_seed` before.

    Args:
        objective: maps a batch of each array to terms by name, each one number; "J" is lowered.
        parameters: the Keras variables to change.
        data: arrays of the same length, float32 or whole numbers.
        updates: number of updates, a multiple of 20.
        batch_size: examples in one update.
        learning_rate: the largest one, after 100 updates (or a fifth of them, if that is less).
        averaged: 0, or what a running mean of the parameters keeps in each update, such as 0.999;
            the mean takes their place in the end.

    Returns:
        The mean of each term over each twentieth of the updates, shape (20,), by name.

    Raises:
        ValueError: `updates` is no multiple of 20.
    """
    if updates < REPORTS or updates % REPORTS:
        raise ValueError(f"updates: expected a multiple of {REPORTS}, found {updates}")
    warm_up = min(WARM_UP, updates // 5)
    schedule = keras.optimizers.schedules.CosineDecay(
        learning_rate / warm_up,
        updates - warm_up,
        warmup_target=learning_rate,
        warmup_steps=warm_up,
    )
    running_mean = {"use_ema": True, "ema_momentum": averaged} if averaged else {}
    optimizer = keras.optimizers.Adam(schedule, **running_mean)
    optimizer.build(parameters)
    arrays, num_examples = [tf.constant(array) for array in data], len(data[0])

    @tf.function
    def run(number):
        batch = [array[:batch_size] for array in arrays]
        totals = {name: tf.zeros(()) for name in objective(*batch)}
        for _ in tf.range(number):
            drawn = tf.random.uniform((batch_size,), 0, num_examples, tf.int32)
            batch = [tf.gather(array, drawn) for array in arrays]
            with tf.GradientTape() as tape:
                terms = objective(*batch)
            optimizer.apply(tape.gradient(terms["J"], parameters), parameters)
            totals = {name: totals[name] + terms[name] for name in totals}
        return {name: total / tf.cast(number, tf.float32) for name, total in totals.items()}

    number = tf.constant(updates // REPORTS)
    reports = [run(number) for _ in range(REPORTS)]
    if averaged:
        optimizer.finalize_variable_values(parameters)
    return {name: np.array([float(report[name]) for report in reports]) for name in reports[0]}
