"""Studies of lesson 03: three losses from starts that are sure and wrong; logits that Keras misses.

`train` and the pushes are the lesson's own (`tests/lessons/test_lesson_03.py`).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from course_utils.data import load_mnist
from course_utils.studies import Study, Tuning, product

BATCH_SIZE, HIDDEN = 100, 32
CLIP_IMAGES, CLIP_EPOCHS = 12_000, 2


@cache
def digits():
    """Images of 14 × 14 means of 2 × 2 pixels, shape (n, 196), 0 to 1, and labels, by split.

    20,000 training images; 5,000 others for validation; the 10,000 test images.
    """
    (x_train, y_train), (x_test, y_test) = load_mnist()
    parts = {
        "train": (x_train[:20_000], y_train[:20_000]),
        "val": (x_train[50_000:55_000], y_train[50_000:55_000]),
        "test": (x_test, y_test),
    }
    return {name: (shrink(images), labels) for name, (images, labels) in parts.items()}


def shrink(images):
    """Mean of each 2 × 2 pixels, divided by 255, shape (n, 196)."""
    return images.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)).reshape(-1, 196) / 255


def softmax(z):
    """Probabilities of logits, row by row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def push_ce(y, z):
    """Push on the logits by cross-entropy."""
    return y - softmax(z)


def push_mse(y, z):
    """Push on the logits by the MSE of the softmax."""
    y_hat = softmax(z)
    wish = 0.2 * (y - y_hat)
    return y_hat * (wish - np.sum(y_hat * wish, axis=1, keepdims=True))


def push_linear(y, z):
    """Push on the outputs by their own MSE, without a softmax."""
    return 0.2 * (y - z)


PUSHES = {
    "cross-entropy": push_ce,
    "MSE through softmax": push_mse,
    "MSE without softmax": push_linear,
}


def begin(sure, rng):
    """Fresh parameters; the bias of class 0 is `sure`, all other biases are 0."""
    b2 = np.zeros(10)
    b2[0] = sure
    W1 = rng.standard_normal((196, HIDDEN)) / np.sqrt(196)
    W2 = rng.standard_normal((HIDDEN, 10)) / np.sqrt(HIDDEN)
    return W1, np.zeros(HIDDEN), W2, b2


def train(push, theta, learning_rate, steps, images, labels, rng):
    """Train the network with tanh units by gradient descent on batches; return the parameters."""
    W1, b1, W2, b2 = theta
    one_hot = np.eye(10)[labels]
    for _ in range(steps):
        batch = rng.integers(len(images), size=BATCH_SIZE)
        X = images[batch]
        a = np.tanh(X @ W1 + b1)
        d_z = -push(one_hot[batch], a @ W2 + b2) / BATCH_SIZE
        d_z1 = d_z @ W2.T * (1 - a**2)
        W2, b2 = W2 - learning_rate * a.T @ d_z, b2 - learning_rate * d_z.sum(axis=0)
        W1, b1 = W1 - learning_rate * X.T @ d_z1, b1 - learning_rate * d_z1.sum(axis=0)
    return W1, b1, W2, b2


def accuracy(theta, images, labels):
    """Share of the images whose largest output is the label's; 0 where outputs overflowed."""
    W1, b1, W2, b2 = theta
    outputs = np.tanh(images @ W1 + b1) @ W2 + b2
    return float(np.mean(outputs.argmax(axis=1) == labels)) if np.isfinite(outputs).all() else 0.0


def starts_row(setting: dict, seed: int) -> dict:
    """Accuracy of one training."""
    rng = np.random.default_rng(seed)
    theta = begin(setting["sure"], rng)
    with np.errstate(all="ignore"):  # too large a learning rate overflows
        chosen = PUSHES[setting["loss"]], theta, setting["learning_rate"], setting["steps"]
        trained = train(*chosen, *digits()["train"], rng)
        return {f"{part}_accuracy": accuracy(trained, *digits()[part]) for part in ("val", "test")}


@cache
def start_keras():
    """Start TensorFlow as the lessons do, once."""
    from course_utils import environment

    environment.start()


def clip_row(setting: dict, seed: int) -> dict:
    """Share of 10,000 unseen images that the article's network gets wrong."""
    start_keras()
    import keras
    from keras import layers

    from course_utils import environment

    environment.set_seed(seed)
    (images, labels), _ = load_mnist()
    stack = [keras.Input((28, 28)), layers.Rescaling(setting["pixel_scale"]), layers.Flatten()]
    stack += [layers.Dense(128, activation="relu"), layers.Dropout(0.2)]
    stack += [layers.Dense(10, activation="softmax")]
    stack += [layers.Reshape((10,))] if setting["hidden_logits"] else []
    model = keras.Sequential(stack)
    loss = "sparse_categorical_crossentropy"
    model.compile("adam", loss, metrics=["accuracy"], steps_per_execution=125)
    model.fit(images[:CLIP_IMAGES], labels[:CLIP_IMAGES], epochs=CLIP_EPOCHS, verbose=0)
    unseen = images[50_000:], labels[50_000:]
    return {"wrong": 1 - model.evaluate(*unseen, batch_size=1000, verbose=0)[1]}


STARTS = Study(
    name="03_starts",
    question="Which loss trains a network that begins sure of a wrong class?",
    arms=product(loss=list(PUSHES), steps=[600], sure=[0, 5, 10, 15, 20])
    + product(loss=list(PUSHES), steps=[3000], sure=[0]),
    seeds=range(10),
    run_row=starts_row,
    tolerance={"val_accuracy": 0.01, "test_accuracy": 0.01},
    tuning=Tuning(
        {"learning_rate": [round(0.1 * 2**i, 1) for i in range(11)]},
        seeds=range(100, 103),
        by="val_accuracy",
    ),
)
CLIP = Study(
    name="03_clip",
    question="What does it cost the article's network if Keras does not find the logits?",
    arms=product(pixel_scale=[1.0, 1 / 255], hidden_logits=[False, True]),
    seeds=range(5),
    run_row=clip_row,
    tolerance={"wrong": 0.1},
    smoke={"pixel_scale": 1 / 255, "hidden_logits": True},
)
STUDIES = [STARTS, CLIP]
