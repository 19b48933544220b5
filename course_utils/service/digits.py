"""The model that is served first: lesson 06's flagship, trained once, with probabilities."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import layers

from course_utils.data import load_mnist
from course_utils.progress import ProgressLine

FILTERS = 16
EPOCHS = 4
BATCH_SIZE = 128
LEARNING_RATE = 8e-3


def flagship(filters: int) -> keras.Sequential:
    """Three strided convolutions, a hidden layer, ten logits; raw images of shape (28, 28)."""
    stack = [keras.Input((28, 28)), layers.Rescaling(1 / 255), layers.Reshape((28, 28, 1))]
    for channels, kernel in ((filters, 5), (2 * filters, 3), (4 * filters, 3)):
        stack.append(layers.Conv2D(channels, kernel, strides=2, padding="same", use_bias=False))
        stack.append(layers.BatchNormalization(momentum=0.9))
        stack.append(layers.Activation("relu"))
    stack += [layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dropout(0.3)]
    return keras.Sequential([*stack, layers.Dense(10)])


def train(path: Path, images: int = 60_000, seed: int = 0) -> float:
    """Train the flagship on the first `images` of MNIST, add a softmax and save it at `path`.

    About 20 s on two cores for all images; one progress line. The file (`.keras`) appears whole
    or not at all. Returns the accuracy on the test set.
    """
    (x_train, y_train), (x_test, y_test) = load_mnist()
    keras.utils.set_random_seed(seed)
    model = flagship(FILTERS)
    steps = EPOCHS * -(-images // BATCH_SIZE)  # the division rounds up
    warmup = steps // 10
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warmup, warmup_target=LEARNING_RATE, warmup_steps=warmup
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(schedule)
    model.compile(optimizer, loss, metrics=["accuracy"], steps_per_execution=50)
    sets = {"x": x_train[:images], "y": y_train[:images], "batch_size": BATCH_SIZE}
    model.fit(**sets, epochs=EPOCHS, verbose=0, callbacks=[ProgressLine("training digits")])
    model = keras.Sequential([keras.Input((28, 28)), *model.layers, layers.Softmax()])
    save_atomically(model, path)
    answers = model.predict(x_test, batch_size=1000, verbose=0).argmax(axis=1)
    return float(np.mean(answers == y_test))


def save_atomically(model: keras.Model, path: Path) -> None:
    """Save a model so that `path` is the whole file or as it was; its folder is made if needed."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as folder:
        model.save(Path(folder) / path.name)
        os.replace(Path(folder) / path.name, path)
