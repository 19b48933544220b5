"""Three ways to design a beam of little compliance from a given amount of material.

Each starts from evenly spread material and may solve the finite-element equations so many times.
All of them design the same thing: a field between 0 and 1 that `Beam.smoothing` blurs into the
densities, whose mean is the given share of material.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import brentq, minimize

from course_utils.beams import BEAMS, Beam

MOVE = 0.2  # most that optimality criteria change a density in one step


@dataclass
class Design:
    """A beam being designed: every density that was solved, and its compliance, in order."""

    densities: list[np.ndarray] = field(default_factory=list)
    compliances: list[float] = field(default_factory=list)

    def add(self, density: np.ndarray, compliance: float) -> None:
        """Append what was solved."""
        self.densities.append(density)
        self.compliances.append(compliance)

    def best(self, solves: int | None = None) -> tuple[np.ndarray, float]:
        """Return the density with the smallest compliance among the first solves, and that."""
        i = int(np.argmin(self.compliances[:solves]))
        return self.densities[i], self.compliances[i]


def to_density(beam: Beam, logits: np.ndarray, material: float) -> tuple[np.ndarray, Callable]:
    """Return densities with mean `material`, and the function that pulls a gradient back.

    The density is the blurred sigmoid(logits + shift); the shift is what makes the mean right, and
    the gradient knows that it moves with the logits.

    Args:
        beam: whose shape and smoothing count.
        logits: any numbers, shape (rows, columns).
        material: between 0 and 1.

    Returns:
        density: shape (rows, columns).
        pull_back: maps the gradient by the densities to that by the logits, same shape.
    """
    flat, blur = np.asarray(logits, float).ravel(), beam.smoothing
    weight = blur.T @ np.ones(flat.size)  # what an element adds to the sum of all densities

    def excess(shift: float) -> float:
        return weight @ _sigmoid(flat + shift) - material * flat.size

    reach = np.abs(flat).max() + 40
    full = _sigmoid(flat + brentq(excess, -reach, reach, xtol=1e-12))
    slope = full * (1 - full)

    def pull_back(gradient: np.ndarray) -> np.ndarray:
        own = blur.T @ gradient.ravel()
        shared = (own @ slope) / (weight @ slope)
        return (slope * (own - weight * shared)).reshape(logits.shape)

    return (blur @ full).reshape(beam.rows, beam.columns), pull_back


def optimality_criteria(beam: Beam, material=0.5, solves=100, noise=None) -> Design:
    """Design by optimality criteria (Bendsøe 1995): a rule that needs no optimizer.

    Each element is multiplied by the root of its energy over the common level, the level being
    what keeps the amount of material.

    Args:
        beam: what is designed.
        material: share of the area that may be filled.
        solves: how often the equations may be solved.
        noise: logits to start from, shape (rows, columns); without them all elements are alike.
    """
    blur, design = beam.smoothing, Design()
    start = np.zeros((beam.rows, beam.columns)) if noise is None else noise
    weight = blur.T @ np.ones(start.size)
    shift = brentq(lambda b: weight @ _sigmoid(start.ravel() + b) - material * start.size, -60, 60)
    x = _sigmoid(start.ravel() + shift)
    for _ in range(solves):
        density = (blur @ x).reshape(start.shape)
        compliance, gradient = beam.compliance(density)
        design.add(density, compliance)
        x = _redistribute(x, -(blur.T @ gradient.ravel()) / weight, weight, material)
    return design


def _redistribute(x, energy, weight, material) -> np.ndarray:
    """Return the next x of optimality criteria, with the level found by bisection."""
    low, high = 0.0, 1e9
    while (high - low) > 1e-6 * (high + low):
        level = (low + high) / 2
        moved = np.clip(x * np.sqrt(np.maximum(energy, 0) / level), x - MOVE, x + MOVE).clip(0, 1)
        low, high = (level, high) if weight @ moved > material * len(x) else (low, level)
    return moved


def pixels(beam: Beam, material=0.5, solves=100, noise=None) -> Design:
    """Design by L-BFGS on one logit for each element; arguments as `optimality_criteria`."""
    start = np.zeros((beam.rows, beam.columns)) if noise is None else noise

    def logits_of(theta):
        return theta.reshape(start.shape), np.ravel

    return _follow(beam, material, solves, logits_of, start.ravel())


def network(beam: Beam, material=0.5, solves=100, seed=0) -> Design:
    """Design by L-BFGS on the weights of a network that writes the logits (Hoyer et al. 2019).

    A fixed random vector is widened to a coarse picture, which three convolutions refine to one
    number for each element; nothing but the weights is learned.

    Args:
        beam: what is designed; rows and columns divisible by 4.
        material: share of the area that may be filled.
        solves: how often the equations may be solved.
        seed: of the vector and the first weights.

    Raises:
        ValueError: the network cannot write a picture of this size.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    model = build_network(beam.rows, beam.columns)
    latent = tf.constant(np.random.default_rng(seed).normal(size=(1, model.input_shape[1])))
    variables = model.trainable_variables
    shapes = [tuple(v.shape) for v in variables]
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])

    @tf.function
    def write():
        return model(latent)[0, :, :, 0]

    @tf.function
    def by_weights(gradient):
        with tf.GradientTape() as tape:
            logits = model(latent)[0, :, :, 0]
        return tape.gradient(logits, [v.value for v in variables], output_gradients=gradient)

    def logits_of(theta):
        for variable, part in zip(variables, np.split(theta, ends[:-1]), strict=True):
            variable.assign(part.reshape(variable.shape))

        def pull_back(gradient):
            return np.concatenate([g.numpy().ravel() for g in by_weights(tf.constant(gradient))])

        return write().numpy(), pull_back

    theta = np.concatenate([v.numpy().ravel() for v in variables])
    return _follow(beam, material, solves, logits_of, theta)


def build_network(rows: int, columns: int):
    """Return the network that writes a beam, in float64: from (1, 64) to (1, rows, columns, 1).

    Raises ValueError if the size is not divisible by 4.
    """
    from keras import Input, Sequential, layers

    if rows % 4 or columns % 4:
        raise ValueError(f"rows, columns: expected multiples of 4, found {rows} and {columns}")
    options = {"dtype": "float64"}
    stack = [Input((64,), **options), layers.Dense(rows * columns // 16 * 16, **options)]
    stack.append(layers.Reshape((rows // 4, columns // 4, 16), **options))
    for filters, larger in ((32, 2), (16, 2), (1, 1)):
        stack.append(layers.Activation("tanh", **options))
        if larger > 1:
            stack.append(layers.UpSampling2D(larger, interpolation="bilinear", **options))
        stack.append(layers.GroupNormalization(1, center=False, scale=False, **options))
        stack.append(layers.Conv2D(filters, 5, padding="same", **options))
    return Sequential(stack)


class _Spent(Exception):
    """All solves are used."""


def _follow(beam, material, solves, logits_of, theta) -> Design:
    """Run L-BFGS on theta for exactly so many solves, or fewer if it finds a minimum."""
    design = Design()

    def objective(theta):
        if len(design.compliances) == solves:
            raise _Spent
        logits, by_theta = logits_of(theta)
        density, by_logits = to_density(beam, logits, material)
        compliance, gradient = beam.compliance(density)
        design.add(density, compliance)
        return compliance, by_theta(by_logits(gradient))

    options = {"maxiter": solves, "maxfun": 2 * solves, "ftol": 0.0, "gtol": 0.0}
    with contextlib.suppress(_Spent):
        minimize(objective, theta, jac=True, method="L-BFGS-B", options=options)
    return design


def black_and_white(density: np.ndarray, material: float = 0.5) -> np.ndarray:
    """Return the design with its densest elements full and the others holes, of equal material."""
    order = np.argsort(-density, axis=None, kind="stable")
    solid = np.zeros(density.size)
    solid[order[: round(material * density.size)]] = 1.0
    return solid.reshape(density.shape)


def design_beam(kind="half MBB", columns=60, rows=20, material=0.5, solves=60):
    """Design a beam by optimality criteria, as a service does it: less than a second.

    Args:
        kind: "half MBB" or "cantilever" (`course_utils.beams`).
        columns, rows: elements, 4 to 200.
        material: share of the area that may be filled, 0.1 to 0.9.
        solves: how often the equations are solved, 1 to 1,000.

    Returns:
        density: the best design, shape (rows, columns), 0 to 1.
        compliance: its compliance under a load of 1.

    Raises:
        ValueError: an argument is out of its range.
    """
    allowed = {"columns": (columns, 4, 200), "rows": (rows, 4, 200), "solves": (solves, 1, 1000)}
    for name, (value, low, high) in (allowed | {"material": (material, 0.1, 0.9)}).items():
        if not low <= value <= high:
            raise ValueError(f"{name}: expected {low:g} to {high:g}, found {value}")
    if kind not in BEAMS:
        raise ValueError(f"kind: expected one of {', '.join(BEAMS)}, found {kind!r}")
    return optimality_criteria(BEAMS[kind](columns, rows), material, solves).best()


def _sigmoid(z: np.ndarray) -> np.ndarray:
    return (1 + np.tanh(z / 2)) / 2
