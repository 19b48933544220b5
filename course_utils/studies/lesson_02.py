"""Studies of lesson 02: what the parts of a network on two spirals are worth, over seeds.

`spirals`, `forward` and `backward` are the lesson's own (`tests/lessons/test_lesson_02.py`).
"""

from __future__ import annotations

import numpy as np

from course_utils.studies import Study, Tuning, product

POINTS, FRESH_POINTS = 400, 2000  # for training; for validation, and as many for the test


def relu(z):
    """Return the larger of z and 0."""
    return np.maximum(z, 0)


def relu_slope(z):
    """Return the derivative of ReLU, 0 at 0."""
    return (z > 0).astype(float)


def tanh_slope(z):
    """Return the derivative of tanh."""
    return 1 - np.tanh(z) ** 2


def broken_slope(z):
    """Return the derivative of tanh at the wrong place: at a = tanh z in place of z."""
    return tanh_slope(np.tanh(z))


def identity(z):
    """Return z: no non-linearity."""
    return z


PHI = {
    "tanh": (np.tanh, tanh_slope),
    "relu": (relu, relu_slope),
    "none": (identity, np.ones_like),
    "tanh with a broken gradient": (np.tanh, broken_slope),
}


def spirals(n, rng):
    """Return n points of two spiral arms, shape (n, 2), and their classes 0 or 1, shape (n, 1)."""
    t = (np.arange(n // 2) + rng.random()) / (n // 2)
    t, y = np.tile(t, 2), np.repeat([0.0, 1.0], n // 2)
    r = 0.5 + 2.5 * t + rng.uniform(-0.25, 0.25, len(t))
    angle = 2 * np.pi * t + np.pi * y
    return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1), y[:, None]


def start(hidden, rng):
    """Return fresh parameters of a network with so many hidden units; with none, of a neuron."""
    if hidden == 0:
        return {"W2": np.zeros((2, 1)), "b2": np.zeros((1, 1))}
    W1, W2 = rng.standard_normal((2, hidden)), rng.standard_normal((hidden, 1)) / np.sqrt(hidden)
    return {"W1": W1, "b1": np.zeros((1, hidden)), "W2": W2, "b2": np.zeros((1, 1))}


def forward(X, theta, phi):
    """Return z1, the activations a and the logits z; without a hidden layer a is X."""
    if "W1" not in theta:
        return X, X, X @ theta["W2"] + theta["b2"]
    z1 = X @ theta["W1"] + theta["b1"]
    a = phi(z1)
    return z1, a, a @ theta["W2"] + theta["b2"]


def backward(X, y, theta, phi, slope):
    """Return the gradient of the mean cross-entropy, with the keys and shapes of theta."""
    z1, a, z = forward(X, theta, phi)
    d_z = (1 / (1 + np.exp(-z)) - y) / len(X)
    gradient = {"W2": a.T @ d_z, "b2": d_z.sum(axis=0, keepdims=True)}
    if "W1" in theta:
        d_z1 = d_z @ theta["W2"].T * slope(z1)
        gradient |= {"W1": X.T @ d_z1, "b1": d_z1.sum(axis=0, keepdims=True)}
    return gradient


def train(X, y, theta, phi, slope, biases, learning_rate, steps):
    """Return theta after gradient descent; without `biases` b1 and b2 stay as they are."""
    moved = [name for name in theta if biases or name.startswith("W")]
    for _ in range(steps):
        g = backward(X, y, theta, phi, slope)
        theta = theta | {name: theta[name] - learning_rate * g[name] for name in moved}
    return theta


def run_row(setting, seed):
    """Return the shares of fresh points that one trained network has right.

    Points and start are drawn apart from the seed, so that all arms of a seed have the same points,
    and the same start if they have the same units. All points are moved upwards by `distance`.
    """
    setting = {"activation": "tanh", "biases": True, "distance": 0.0, "steps": 3000} | setting
    rng, up = np.random.default_rng([seed, 0]), np.array([0, setting["distance"]])
    (X, y), validation, test = (spirals(n, rng) for n in (POINTS, FRESH_POINTS, FRESH_POINTS))
    phi, slope = PHI[setting["activation"]]
    theta = start(setting["hidden"], np.random.default_rng([seed, 1]))
    options = {name: setting[name] for name in ("biases", "learning_rate", "steps")}
    theta = train(X + up, y, theta, phi, slope, **options)
    val_accuracy, test_accuracy = (
        np.mean((forward(points + up, theta, phi)[2] > 0) == classes)
        for points, classes in (validation, test)
    )
    return {"val_accuracy": val_accuracy, "test_accuracy": test_accuracy}


TOLERANCE = {"val_accuracy": 0.02, "test_accuracy": 0.02}
RATES = {"learning_rate": [0.03, 0.1, 0.3, 1.0, 3.0]}

PARTS = Study(
    name="02_parts",
    question="How many fresh points does a network get right when a part of it is taken away?",
    arms=[
        {"activation": "tanh", "hidden": 16},
        {"activation": "none", "hidden": 16},
        {"activation": "none", "hidden": 0},
        {"activation": "tanh with a broken gradient", "hidden": 16},
    ],
    seeds=range(20),
    run_row=run_row,
    tolerance=TOLERANCE,
    tuning=Tuning(RATES, seeds=[100, 101, 102, 103, 104], by="val_accuracy"),
    smoke={"activation": "none", "hidden": 0},
)

WIDTH = Study(
    name="02_width",
    question="How many fresh points does a network get right, by its hidden units and biases?",
    arms=product(
        activation=["tanh", "relu"], biases=[True, False], hidden=[1, 2, 4, 8, 16, 32, 64]
    ),
    seeds=range(10),
    run_row=run_row,
    tolerance=TOLERANCE,
    tuning=Tuning(RATES, seeds=[100, 101, 102], by="val_accuracy"),
    smoke={"activation": "relu", "biases": False, "hidden": 1},
)

# Long trainings of wide networks want smaller steps than the others.
SMALLER_RATES = {"learning_rate": [0.01, 0.03, 0.1, 0.3, 1.0]}

SHIFT = Study(
    name="02_shift",
    question="What does a move of all points cost a tanh network without biases?",
    arms=[
        {"biases": biases, "hidden": hidden, "steps": steps, "distance": distance}
        for biases, hidden, steps in (
            (True, 16, 3000),
            (False, 16, 3000),
            (False, 64, 3000),
            (False, 16, 12000),
            (False, 64, 12000),
        )
        for distance in (0.0, 0.5, 1.0, 2.0, 3.0)
    ],
    seeds=range(8),
    run_row=run_row,
    tolerance=TOLERANCE,
    tuning=Tuning(SMALLER_RATES, seeds=[100, 101, 102], by="val_accuracy"),
    smoke={"biases": False, "hidden": 16, "steps": 3000, "distance": 0.0},
)

STUDIES = [PARTS, WIDTH, SHIFT]
