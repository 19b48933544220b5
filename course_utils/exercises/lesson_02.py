"""Exercises of lesson 02: counting parameters, exclusive or by hand, a layer backwards."""

from functools import partial

import numpy as np

from course_utils.checks import numeric_gradient
from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_count(answer) -> None:
    import keras

    for sizes in ([5, 1], [3, 4, 2], [4, 6, 6, 3]):
        stack = [keras.Input((sizes[0],)), *(keras.layers.Dense(units) for units in sizes[1:])]
        what = f"parameters for sizes={sizes}, as Keras counts"
        expect_close(what, answer(list(sizes)), keras.Sequential(stack).count_params())


def _verify_xor(answer) -> None:
    try:
        parts = [np.asarray(part, dtype=float) for part in answer]
    except (TypeError, ValueError):
        raise NotYet(f"the answer: expected W1, b1, W2, b2 in numbers, found {answer!r}") from None
    shapes = {"W1": (2, 2), "b1": (2,), "W2": (2, 1), "b2": (1,)}
    if len(parts) != 4:
        raise NotYet(f"the answer: expected 4 parts, W1, b1, W2, b2, found {len(parts)}")
    for (name, shape), part in zip(shapes.items(), parts, strict=True):
        if part.shape not in (shape, (1, *shape)[-2:]):  # a bias may be a row, as in the lesson
            raise NotYet(f"{name}: expected shape {shape}, found shape {part.shape}")
    W1, b1, W2, b2 = parts
    for point, positive in (((0, 0), False), ((0, 1), True), ((1, 0), True), ((1, 1), False)):
        z = float(np.ravel(np.maximum(np.array(point) @ W1 + b1, 0) @ W2 + b2)[0])
        if z == 0:
            raise NotYet(f"point {point}: z = 0 lies on the border; expected a clear sign")
        if (z > 0) != positive:
            sign = "z > 0" if positive else "z < 0"
            raise NotYet(f"point {point}: expected {sign}, found z = {z:g}")


def _weighted_softplus(upstream: np.ndarray, inputs: dict, name: str, moved: np.ndarray) -> float:
    """The sum of upstream times softplus(X W + b), where the input `name` has the value `moved`."""
    X, W, b = (inputs | {name: moved}).values()
    return np.sum(upstream * np.logaddexp(0, X @ W + b))


def _verify_backward(answer) -> None:
    rng = np.random.default_rng(2)
    for n, d_in, d_out in ((4, 3, 2), (3, 3, 3)):  # of 3 and 3 a forgotten transpose fits
        shapes = (n, d_in), (d_in, d_out), d_out, (n, d_out)
        X, W, b, upstream = (rng.standard_normal(shape) for shape in shapes)
        found = answer(X.copy(), W.copy(), b.copy(), upstream.copy())
        if not isinstance(found, tuple | list) or len(found) != 3:
            raise NotYet(
                "the result: expected three arrays, the derivatives with respect to W, b and X, "
                f"found {type(found).__name__}"
            )
        for name, part in zip(("W", "b", "X"), found, strict=True):
            if name == "b" and np.shape(part) == (1, d_out):  # the lesson's own shape of a bias
                part = np.asarray(part)[0]
            what = f"∂J/∂{name} for X {X.shape}, W {W.shape}, by finite differences"
            inputs = {"X": X, "W": W, "b": b}
            moved = partial(_weighted_softplus, upstream, inputs, name)
            expect_close(what, part, numeric_gradient(moved, inputs[name]))


EXERCISES = [
    Exercise(
        id="02.1",
        title="parameters of a stack of dense layers",
        solution="""
def answer(sizes):
    return sum((inputs + 1) * units for inputs, units in zip(sizes[:-1], sizes[1:]))
""",
        hints=[
            "Count one layer first: how many numbers does one of its units own?",
            "A unit has a weight for each input and one bias. A layer's inputs are the outputs of "
            "the layer before it.",
            "Go through neighbours (inputs, units) of sizes and add up (inputs + 1) · units.",
        ],
        verify=_verify_count,
        right=[
            "def answer(sizes):\n"
            "    total = 0\n"
            "    for i in range(1, len(sizes)):\n"
            "        total += sizes[i - 1] * sizes[i] + sizes[i]\n"
            "    return total"
        ],
        wrong=[
            (
                "def answer(sizes):\n    return sum(d * h for d, h in zip(sizes[:-1], sizes[1:]))",
                "sizes=[5, 1], as Keras counts: expected 6, found 5",
            ),
            (
                "def answer(sizes):\n"
                "    return sum(d * h + 1 for d, h in zip(sizes[:-1], sizes[1:]))",
                "sizes=[3, 4, 2], as Keras counts: expected 26, found 22",
            ),
            (
                "def answer(sizes):\n    return 2 * sum(sizes[1:])",
                "sizes=[5, 1], as Keras counts: expected 6, found 2",
            ),
            (
                "def answer(sizes):\n"
                "    return sum(d * h + d for d, h in zip(sizes[:-1], sizes[1:]))",
                "sizes=[5, 1], as Keras counts: expected 6, found 10",
            ),
        ],
    ),
    Exercise(
        id="02.2",
        title="exclusive or with two hidden units",
        solution="""
W1 = [[1, 1], [1, 1]]  # both units see x1 + x2
b1 = [0, -1]  # the second one begins only above 1
W2 = [[1], [-2]]
b2 = [-0.5]
answer = W1, b1, W2, b2
""",
        hints=[
            "Only the sum of the two inputs matters: 0, 1 or 2. You want z to be low, high, low.",
            "Let one unit be max(x1 + x2, 0), and let the other begin where the first has gone "
            "far enough.",
            "max(x1 + x2, 0) - 2 · max(x1 + x2 - 1, 0) is 0, 1, 0. Move it by a bias.",
        ],
        verify=_verify_xor,
        right=[
            # one unit for each of the two points of class 1
            "answer = [[1, -1], [-1, 1]], [0, 0], [[1], [1]], [-0.5]",
            "answer = np.ones((2, 2)), np.array([0, -1]), np.array([[2], [-4]]), np.array([-1])",
            "answer = [[1, 1], [1, 1]], [[0, -1]], [[1], [-2]], [[-0.5]]",
        ],
        wrong=[
            (
                "answer = [[1, 1], [1, 1]], [0, 0], [[1], [1]], [-0.5]",  # or
                "point (1, 1): expected z < 0, found z = 3.5",
            ),
            (
                "answer = [[1, 1], [1, 1]], [-1, -1], [[1], [1]], [-0.5]",  # and
                "point (0, 1): expected z > 0, found z = -0.5",
            ),
            (
                "answer = [[1, 1], [1, 1]], [0, -1], [[1], [-2]], [0]",
                "point (0, 0): z = 0 lies on the border",
            ),
            (
                "answer = [[1, 1], [1, 1]], [0, -1], [1, -2], [-0.5]",
                "W2: expected shape (2, 1), found shape (2,)",
            ),
            ("answer = [[1, 1], [1, 1]], [0, -1], [[1], [-2]]", "expected 4 parts"),
        ],
    ),
    Exercise(
        id="02.3",
        title="a softplus layer backwards",
        solution="""
def answer(X, W, b, upstream):
    z = X @ W + b
    d_z = upstream / (1 + np.exp(-z))
    return X.T @ d_z, d_z.sum(axis=0), d_z @ W.T
""",
        hints=[
            "Two steps, as in the lesson: first from a to z, then from z to W, b and X.",
            "∂J/∂z is upstream times sigmoid(z), entry by entry, shape (n, d_out).",
            "X takes the place that a had in the lesson: ∂J/∂X is ∂J/∂z times Wᵀ.",
        ],
        verify=_verify_backward,
        right=[
            "def answer(X, W, b, upstream):\n"
            "    a = np.logaddexp(0, X @ W + b)\n"
            "    d_z = upstream * (1 - np.exp(-a))\n"
            "    ones = np.ones(len(X))\n"
            "    return [(d_z.T @ X).T, ones @ d_z, np.einsum('nh,dh->nd', d_z, W)]",
            "def answer(X, W, b, upstream):\n"
            "    d_z = upstream / (1 + np.exp(-(X @ W + b)))\n"
            "    return X.T @ d_z, d_z.sum(axis=0, keepdims=True), d_z @ W.T",
        ],
        wrong=[
            (
                "def answer(X, W, b, upstream):\n"
                "    return X.T @ upstream, upstream.sum(axis=0), upstream @ W.T",
                "∂J/∂W for X (4, 3), W (3, 2), by finite differences: expected",
            ),
            (
                "def answer(X, W, b, upstream):\n"
                "    d_z = upstream / (1 + np.exp(-(X @ W + b)))\n"
                "    return X.T @ d_z, d_z.mean(axis=0), d_z @ W.T",
                "∂J/∂b for X (4, 3), W (3, 2), by finite differences: expected [",
            ),
            (
                "def answer(X, W, b, upstream):\n"
                "    d_z = upstream / (1 + np.exp(-(X @ W + b)))\n"
                "    return X.T @ d_z, d_z, d_z @ W.T",
                "∂J/∂b for X (4, 3), W (3, 2), by finite differences: expected shape",
            ),
            (
                "def answer(X, W, b, upstream):\n"
                "    d_z = upstream / (1 + np.exp(-(X @ W + b)))\n"
                "    d_X = d_z @ (W if W.shape[0] == W.shape[1] else W.T)\n"
                "    return X.T @ d_z, d_z.sum(axis=0), d_X",
                "∂J/∂X for X (3, 3), W (3, 3)",
            ),
            (
                "def answer(X, W, b, upstream):\n"
                "    d_z = upstream / (1 + np.exp(-(X @ W + b)))\n"
                "    return X.T @ d_z, d_z.sum(axis=0)",
                "expected three arrays",
            ),
        ],
    ),
]
