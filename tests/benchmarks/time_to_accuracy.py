"""Seconds of training to 99.0 % on the MNIST test set: three networks, same machine, same run.

    python3 tests/benchmarks/time_to_accuracy.py [--seeds 0,1,2] [--target 0.99]

- flagship: the network, schedule and defaults of lesson 06, read from the notebook's own cells;
- Keras's example: the architecture of keras.io/examples/vision/mnist_convnet (two 3x3 convolutions
  of 32 and 64 filters with pooling, dropout 0.5, Adam, batch 128);
- the article's network, on scaled pixels (Adam, batch 32).

All train on the same 55,000 images with the same settings of `compile`. After each epoch the test
accuracy is measured, outside the clock, and training ends when it reaches the target. This is a
benchmark, not a test: the times depend on the machine. About 8 minutes on two cores.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from course_utils import environment  # noqa: E402

environment.start()

import keras  # noqa: E402
import nbformat  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

from course_utils.data import load_mnist  # noqa: E402
from course_utils.setup import arguments  # noqa: E402

LESSON = ROOT / "notebooks" / "06_mnist_end_to_end.ipynb"
MOST_EPOCHS = 15  # as many as Keras's example trains


def lesson_names() -> dict:
    """Execute lesson 06's parameters and the cell that defines `flagship`; return the names."""
    notebook = nbformat.read(LESSON, as_version=4)
    sources = {cell.id: cell.source for cell in notebook.cells}
    names = {"keras": keras, "layers": layers, "np": np, "environment": environment}
    exec(sources["parameters"] + "\n" + sources["model-build"], names)
    return names


def flagship(images: int):
    """The lesson's network, compiled with the lesson's schedule; batch size and epochs."""
    lesson = lesson_names()
    steps = lesson["epochs"] * -(-images // lesson["batch_size"])
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - steps // 10, warmup_target=lesson["learning_rate"], warmup_steps=steps // 10
    )
    model = lesson["flagship"](lesson["filters"])
    return model, keras.optimizers.Adam(schedule), lesson["batch_size"], lesson["epochs"]


def keras_example(images: int):
    """The architecture of Keras's convnet example."""
    model = keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Rescaling(1 / 255),
            layers.Reshape((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10),
        ]
    )
    return model, keras.optimizers.Adam(), 128, MOST_EPOCHS


def article(images: int):
    """The article's network."""
    pixels = [keras.Input((28, 28)), layers.Rescaling(1 / 255), layers.Flatten()]
    stack = [*pixels, layers.Dense(128, activation="relu"), layers.Dropout(0.2), layers.Dense(10)]
    return keras.Sequential(stack), keras.optimizers.Adam(), 32, MOST_EPOCHS


class Clock(keras.callbacks.Callback):
    """Sum the seconds of training without evaluation; stop when the target is reached."""

    def __init__(self, x_test, y_test, target: float):
        super().__init__()
        self.x_test, self.y_test, self.target = x_test, y_test, target
        self.seconds, self.best, self.reached, self.epochs = 0.0, 0.0, False, 0

    def on_train_begin(self, logs=None):
        self.since = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        self.seconds += time.perf_counter() - self.since
        logits = np.concatenate(
            [self.model(self.x_test[i : i + 1000], training=False) for i in range(0, 10_000, 1000)]
        )
        accuracy = float(np.mean(logits.argmax(axis=1) == self.y_test))
        self.best, self.epochs = max(self.best, accuracy), epoch + 1
        self.reached = self.model.stop_training = accuracy >= self.target
        self.since = time.perf_counter()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0,1,2", help="whole numbers separated by commas")
    target = arguments.number(0, 1, "accuracy")
    parser.add_argument("--target", type=target, default=0.99, help="test accuracy to reach")
    args = parser.parse_args()
    (x_train, y_train), (x_test, y_test) = load_mnist()
    networks = {"flagship": flagship, "Keras's example": keras_example, "article": article}
    seconds = {name: [] for name in networks}
    print(f"{'network':<16} {'seed':>4} {'epochs':>6} {'seconds':>8}  best test accuracy")
    for seed in [int(text) for text in args.seeds.split(",")]:
        kept = np.random.default_rng(seed).permutation(60_000)[5_000:]
        x, y = x_train[kept], y_train[kept]
        for name, build in networks.items():
            environment.set_seed(seed)
            model, optimizer, batch_size, epochs = build(len(x))
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(optimizer, loss, metrics=["accuracy"], steps_per_execution=50)
            clock = Clock(x_test, y_test, args.target)
            model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0, callbacks=[clock])
            note = "" if clock.reached else "  not reached"
            seconds[name].append(clock.seconds if clock.reached else float("inf"))
            row = f"{name:<16} {seed:>4} {clock.epochs:>6} {clock.seconds:>8.1f}  {clock.best:.4f}"
            print(row + note, flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    print(f"\nmedian seconds to {args.target:.1%}")
    for name, median in medians.items():
        if median == float("inf"):
            print(f"{name:<16} not reached in {MOST_EPOCHS} epochs")
        else:
            ratio = median / medians["Keras's example"]
            print(f"{name:<16} {median:>8.1f}   {ratio:.2f} of Keras's example")


if __name__ == "__main__":
    main()
