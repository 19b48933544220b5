"""Studies of lesson 02: width, biases and non-linearity of small networks on two spirals.

The functions are those that the lesson teaches, without what only the page needs;
`tests/lessons/test_lesson_02.py` proves that they give the same numbers.
"""

import numpy as np

from course_utils.studies import Study, Tuning, product

ARM = 0.25  # half the width of a spiral arm
STEPS = 3000  # of gradient descent, on all training points
TRAINING, VALIDATION, TEST = 400, 2000, 2000  # points
# for each activation: the function of z1, and its derivative written with its value a
PHI = {
    "tanh": (np.tanh, lambda a: 1 - a**2),
    "relu": (lambda z1: np.maximum(z1, 0), lambda a: np.where(a > 0, 1.0, 0.0)),
}


def spirals(n, rng, arm=ARM):
    """About n points of two spiral arms, shape (n, 2), and their classes 0 or 1, (n, 1)."""
    t = (np.arange(n // 2) + rng.random()) / (n // 2)
    t, y = np.tile(t, 2), np.repeat([0.0, 1.0], n // 2)
    r = 0.5 + 2.5 * t + rng.uniform(-arm, arm, len(t))
    angle = 2 * np.pi * t + np.pi * y
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1), y[:, None]


def start(h, rng):
    """Fresh parameters [W1, b1, W2, b2] of a network with h hidden units."""
    W1, W2 = rng.standard_normal((2, h)), rng.standard_normal((h, 1)) / np.sqrt(h)
    return [W1, np.zeros((1, h)), W2, np.zeros((1, 1))]


def forward(X, theta, activation):
    """Activations a of the hidden units, (n, h), and logits z, (n, 1)."""
    W1, b1, W2, b2 = theta
    a = PHI[activation][0](X @ W1 + b1)
    return a, a @ W2 + b2


def backward(X, y, theta, activation):
    """Gradient of the mean cross-entropy by theta."""
    a, logits = forward(X, theta, activation)
    d_z = (1 / (1 + np.exp(-logits)) - y) / len(X)
    d_z1 = d_z @ theta[2].T * PHI[activation][1](a)
    return [
        *(X.T @ d_z1, d_z1.sum(axis=0, keepdims=True)),
        *(a.T @ d_z, d_z.sum(axis=0, keepdims=True)),
    ]


def train(X, y, theta, activation, biases, learning_rate, steps=STEPS):
    """Gradient descent from theta; `biases` False keeps b1 and b2."""
    for _ in range(steps):
        g = backward(X, y, theta, activation)
        moves = (True, biases, True, biases)
        theta = [p - learning_rate * q if m else p for p, q, m in zip(theta, g, moves, strict=True)]
    return theta


def accuracy(X, y, theta, activation):
    """Share of the points on the right side of the border."""
    return np.mean((forward(X, theta, activation)[1] > 0) == y)


def run_row(setting, seed):
    """Train one network; its points and its start are drawn from the seed.

    val_accuracy, test_accuracy: shares right of fresh points; train_loss: mean cross-entropy at
    the end. All points are moved upwards by the distance `moved`, if the setting has one.
    """
    setting = {"activation": "tanh", "biases": True, "moved": 0.0} | setting
    points, weights = np.random.default_rng([seed, 0]), np.random.default_rng([seed, 1])
    activation, shift = setting["activation"], np.array([0.0, setting["moved"]])
    (X, y), validation, test = (spirals(n, points) for n in (TRAINING, VALIDATION, TEST))
    theta = start(setting["hidden"], weights)
    options = {"biases": setting["biases"], "learning_rate": setting["learning_rate"]}
    theta = train(X + shift, y, theta, activation, **options)
    logits = forward(X + shift, theta, activation)[1]
    val_accuracy, test_accuracy = (
        accuracy(points + shift, classes, theta, activation)
        for points, classes in (validation, test)
    )
    return {
        "val_accuracy": val_accuracy,
        "test_accuracy": test_accuracy,
        "train_loss": np.mean(np.logaddexp(0, logits) - y * logits),
    }


TOLERANCE = {"val_accuracy": 0.03, "test_accuracy": 0.03, "train_loss": 0.1}
TUNING = Tuning({"learning_rate": [0.03, 0.1, 0.3, 1.0, 3.0]}, seeds=[100, 101], by="val_accuracy")

WIDTH = Study(
    name="02_width",
    question="How many fresh points does a network get right, by its number of hidden units?",
    arms=product(activation=["tanh", "relu"], hidden=[2, 4, 8, 16, 32, 64]),
    seeds=range(5),
    run_row=run_row,
    tolerance=TOLERANCE,
    tuning=TUNING,
)

BIASES = Study(
    name="02_biases",
    question="What are biases worth, where the centre of the points is the origin and elsewhere?",
    arms=product(moved=[0.0, 1.0, 3.0], hidden=[16, 64], biases=[True, False]),
    seeds=range(5),
    run_row=run_row,
    tolerance=TOLERANCE,
    tuning=TUNING,
)

STUDIES = [WIDTH, BIASES]
