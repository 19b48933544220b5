"""Networks for small devices: lesson 06's network in any width, and its LiteRT files.

A file is handled as its bytes; `course_utils.litert` opens it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from course_utils import environment
from course_utils.data import load_mnist
from course_utils.progress import ProgressLine

TRAINING_IMAGES = 55_000  # the other 5,000 are for validation, as in lesson 06
SIDE = 28


class Digits(NamedTuple):
    """Images (n, 28, 28), float32, ink 1 and paper 0, and labels (n,)."""

    x: np.ndarray
    y: np.ndarray


def digits(part: str) -> Digits:
    """Return the images of a part of MNIST: "train", "val" or "test"."""
    (images, labels), test = load_mnist()
    rows = slice(TRAINING_IMAGES) if part == "train" else slice(TRAINING_IMAGES, None)
    images, labels = test if part == "test" else (images[rows], labels[rows])
    return Digits(images.astype(np.float32) / 255, labels.astype(np.int32))


def digit_network(filters: int = 16, dropout: float = 0.0) -> keras.Sequential:
    """Return lesson 06's network for scaled images; all its layers grow with `filters` (there 16).

    Three convolutions, each with batch normalisation, a hidden layer of 8 · filters units, 10
    logits.
    """
    stack = [keras.Input((SIDE, SIDE)), layers.Reshape((SIDE, SIDE, 1))]
    for channels, kernel in ((filters, 5), (2 * filters, 3), (4 * filters, 3)):
        stack.append(layers.Conv2D(channels, kernel, strides=2, padding="same", use_bias=False))
        stack.append(layers.BatchNormalization(momentum=0.9))
        stack.append(layers.Activation("relu"))
    stack += [layers.Flatten(), layers.Dense(8 * filters, activation="relu")]
    stack += [layers.Dropout(dropout)] if dropout else []
    return keras.Sequential([*stack, layers.Dense(10)])


def with_shifts(model: keras.Model) -> keras.Sequential:
    """Return the model behind random shifts by up to two pixels, for training only (lesson 06)."""
    shift = layers.RandomTranslation(2 / SIDE, 2 / SIDE, fill_mode="constant")
    shape = (SIDE, SIDE)
    parts = [keras.Input(shape), layers.Reshape((*shape, 1)), shift, layers.Reshape(shape), model]
    return keras.Sequential(parts)


def without_normalisation(model: keras.Sequential) -> keras.Sequential:
    """Return the same function without batch normalisation: its factors are put into the weights.

    A normalised channel is factor · (sum − mean) + shift, with factor = gamma / √(variance + ε), so
    the kernel is multiplied by the factor, and shift − factor · mean is a bias.

    Args:
        model: a `digit_network`.
    """
    stack, weights = [keras.Input(model.input_shape[1:])], []
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            factor = gamma / np.sqrt(variance + layer.epsilon)
            weights += [weights.pop() * factor, beta - factor * mean]
        elif isinstance(layer, layers.Conv2D):
            stack.append(layers.Conv2D.from_config(layer.get_config() | {"use_bias": True}))
            weights += layer.get_weights()
        elif not isinstance(layer, layers.Dropout):
            stack.append(type(layer).from_config(layer.get_config()))
            weights += layer.get_weights()
    plain = keras.Sequential(stack)
    plain.set_weights(weights)
    return plain


def label_loss() -> keras.losses.Loss:
    """Return the cross-entropy of labels and logits."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def train(
    model: keras.Model,
    x: np.ndarray,
    targets: np.ndarray,
    loss: Callable,
    epochs: int,
    learning_rate: float,
    label: str = "",
) -> None:
    """Train as lesson 06 does: Adam, batches of 128, a warm-up and half a cosine.

    Args:
        model: changed in place.
        x: images (n, 28, 28).
        targets: what `loss(targets, logits)` takes, n of them: labels, or a teacher's logits.
        loss: one number for each example, or their mean.
        epochs: passes over the images.
        learning_rate: the largest one, after a tenth of the steps.
        label: what is trained, for a line of progress; none if empty.
    """
    steps = epochs * -(-len(x) // 128)
    warmup = steps // 10
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=learning_rate, warmup_steps=warmup
    )
    model.compile(keras.optimizers.Adam(schedule), loss, steps_per_execution=min(50, steps))
    lines = [ProgressLine(label)] if label else []
    model.fit(x, targets, batch_size=128, epochs=epochs, verbose=0, callbacks=lines)


def export(model: keras.Model, **options) -> bytes:
    """Return the bytes of the model's LiteRT file, for one image at a time.

    options: settings of LiteRT's converter, which Keras passes on.
    """
    one = [keras.InputSpec(shape=(1, *model.input_shape[1:]), dtype="float32")]
    with tempfile.TemporaryDirectory() as folder, environment.silent_stderr():
        path = Path(folder, "model.tflite")
        model.export(path, format="litert", verbose=False, input_signature=one, **options)
        return path.read_bytes()


def litert_options(images: np.ndarray) -> dict[str, dict]:
    """Return the options of `export` for each kind of file; the page of lesson 16 explains them.

    images: a few hundred, by which full int8 chooses the scales of the activations.
    """
    small = {"optimizations": [tf.lite.Optimize.DEFAULT]}
    whole = {
        "representative_dataset": lambda: ([image[None]] for image in images),
        "target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]},
        "inference_input_type": tf.int8,
        "inference_output_type": tf.int8,
    }
    return {"float32": {}, "dynamic range": small, "full int8": small | whole}
