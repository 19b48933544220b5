"""A small digit classifier that is trained again and again, for searches over its settings.

Lesson 06's network with fewer filters. It is compiled once: learning rate, dropout, weight decay
and shift are inputs of the compiled step, so a trial costs its training alone. All chance of a
training (first weights, order, dropout, shifts) is drawn from its seed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from course_utils.data import load_mnist

BATCH_SIZE = 100
IMAGES = 2000  # to train on, and as many others to choose by
UNITS = 64
LARGEST_SHIFT = 3
WARM_UP = 0.1  # share of the updates in which the learning rate rises; then half a cosine


class DigitTrials:
    """Trains one network on 2,000 images with any setting; see `train`.

    A setting is a dict: learning_rate (the highest of the schedule), dropout (share of the hidden
    layer's outputs that a step leaves out), weight_decay (strength, times the learning rate, as in
    AdamW) and shift (pixels, up to which each image is moved at random, 0 to 3).
    """

    def __init__(self):
        """Load the images and compile the network; the data are the same in every process."""
        import keras
        from keras import layers

        (images, labels), (test_images, test_labels) = load_mnist()
        chosen = np.random.default_rng(11).permutation(len(images))[: 2 * IMAGES]
        self._train = _scaled(images[chosen[:IMAGES]]), labels[chosen[:IMAGES]].astype(np.int32)
        self._val = _scaled(images[chosen[IMAGES:]]), labels[chosen[IMAGES:]].astype(np.int32)
        self._test = _scaled(test_images), test_labels.astype(np.int32)
        stack = [keras.Input((28, 28, 1))]
        for filters, kernel in ((8, 5), (16, 3), (32, 3)):
            stack.append(layers.Conv2D(filters, kernel, strides=2, padding="same", use_bias=False))
            stack.append(layers.BatchNormalization(momentum=0.9))
            stack.append(layers.Activation("relu"))
        self._body = keras.Sequential([*stack, layers.Flatten(), layers.Dense(UNITS, "relu")])
        self._head = keras.Sequential([keras.Input((UNITS,)), layers.Dense(10)])
        self._adam = keras.optimizers.Adam()
        self._variables = self._body.trainable_variables + self._head.trainable_variables
        self._adam.build(self._variables)
        self._compile()

    def train(self, setting: dict, epochs: int, seed: int) -> Iterator[float]:
        """Train from fresh weights and yield the validation error after each epoch.

        The schedule of the learning rate is made for all `epochs`; whoever stops to ask for the
        next error stops the training.

        Raises:
            ValueError: the setting lacks a name, has another one, or its shift is too large.
        """
        names = {"learning_rate", "dropout", "weight_decay", "shift"}
        if setting.keys() != names or not 0 <= setting["shift"] <= LARGEST_SHIFT:
            raise ValueError(
                f"setting: expected {sorted(names)}, shift 0 to {LARGEST_SHIFT}; found {setting}"
            )
        rng, steps = np.random.default_rng(seed), IMAGES // BATCH_SIZE
        self._restart(rng)
        rates = setting["learning_rate"] * schedule(epochs * steps)
        images, labels = self._train
        for epoch in range(epochs):
            order = rng.permutation(IMAGES)
            moved = _shifted(images[order], int(setting["shift"]), rng)
            kept = (rng.random((IMAGES, UNITS)) >= setting["dropout"]) / (1 - setting["dropout"])
            self._epoch(
                moved,
                labels[order],
                kept.astype(np.float32),
                rates[epoch * steps : (epoch + 1) * steps].astype(np.float32),
                np.float32(setting["weight_decay"]),
            )
            yield float(self._error(*self._val))

    def test_error(self) -> float:
        """Return the share of the 10,000 test images that the network has wrong, as it is now."""
        return float(self._error(*self._test))

    def get_weights(self) -> list[np.ndarray]:
        """Return a copy of all weights."""
        return [*self._body.get_weights(), *self._head.get_weights()]

    def set_weights(self, weights: list[np.ndarray]) -> None:
        """Take back what `get_weights` gave."""
        number = len(self._body.weights)
        self._body.set_weights(weights[:number])
        self._head.set_weights(weights[number:])

    def _restart(self, rng) -> None:
        for variable in self._adam.variables:
            if variable.name != "learning_rate":
                variable.assign(np.zeros(variable.shape, variable.dtype))
        for variable in self._body.weights + self._head.weights:
            value = np.full(variable.shape, variable.name in ("gamma", "moving_variance"))
            if variable.name == "kernel":  # Glorot's uniform distribution
                shape = variable.shape
                limit = np.sqrt(6 / np.prod(shape[:-2], dtype=float) / sum(shape[-2:]))
                value = rng.uniform(-limit, limit, shape)
            variable.assign(value.astype(np.float32))

    def _compile(self) -> None:
        import tensorflow as tf

        body, head, adam, variables = self._body, self._head, self._adam, self._variables
        kernels = [v for v in variables if v.name == "kernel"]
        of_examples = tf.nn.sparse_softmax_cross_entropy_with_logits

        @tf.function
        def epoch(images, labels, kept, rates, decay):
            for step in tf.range(len(rates)):
                part = step * BATCH_SIZE + tf.range(BATCH_SIZE)
                with tf.GradientTape() as tape:
                    hidden = body(tf.gather(images, part), training=True) * tf.gather(kept, part)
                    loss = tf.reduce_mean(of_examples(tf.gather(labels, part), head(hidden)))
                gradients = tape.gradient(loss, [v.value for v in variables])
                adam.learning_rate.assign(rates[step])
                for kernel in kernels:
                    kernel.assign(kernel * (1 - rates[step] * decay))
                adam.apply(gradients, variables)

        @tf.function
        def error(images, labels):
            answers = tf.argmax(head(body(images, training=False)), axis=1, output_type=tf.int32)
            return tf.reduce_mean(tf.cast(answers != labels, tf.float64))

        self._epoch, self._error = epoch, error


def schedule(steps: int) -> np.ndarray:
    """Return the factor of the learning rate in each update: a rise, then half a cosine to zero."""
    t = (np.arange(steps) + 1) / steps
    return np.where(
        t < WARM_UP, t / WARM_UP, (1 + np.cos(np.pi * (t - WARM_UP) / (1 - WARM_UP))) / 2
    )


def _scaled(images: np.ndarray) -> np.ndarray:
    return (images / 255).astype(np.float32)[..., None]


def _shifted(images: np.ndarray, most: int, rng) -> np.ndarray:
    """Move each image by up to `most` pixels, down or up and to a side; empty borders are 0."""
    if most == 0:
        return images
    padded = np.pad(images, ((0, 0), (most, most), (most, most), (0, 0)))
    down, right = rng.integers(0, 2 * most + 1, size=(2, len(images), 1, 1))
    place = np.arange(28)
    number = np.arange(len(images))[:, None, None]
    return padded[number, down + place[:, None], right + place]
