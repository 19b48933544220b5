"""Exercises of lesson 04: the safe step, the batch size for a floor, a fair weight, Nesterov.

In the order of the page, where 04.2 stands last, in the Deeper section about momentum.
"""

import math

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_limit(answer) -> None:
    rng = np.random.default_rng(4)
    signs = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    cases = {
        "X = [[4, 1], [4, -1], [0, 1], [0, -1]]": np.array([[4, 1], [4, -1], [0, 1], [0, -1.0]]),
        "X = [[1, 2], [1, -2], [-1, 2], [-1, -2]]": signs * [1, 2],
        "X of shape (4, 2), its first column the larger": signs * rng.uniform(1, 5, 2) * [9, 1],
    }
    for name, X in cases.items():
        expected = 1 / max(np.mean(X[:, 0] ** 2), np.mean(X[:, 1] ** 2))
        expect_close(f"limit of the learning rate for {name}", answer(X.copy()), expected)


def _verify_nesterov(answer) -> None:
    import keras

    rng = np.random.default_rng(4)
    H = np.diag([1.0, 5.0])
    for momentum in (0.0, 0.9):
        variable = keras.Variable([2.0, -1.0], dtype="float64")
        optimizer = keras.optimizers.SGD(0.0625, momentum=momentum, nesterov=momentum > 0)
        w, velocity = np.array([2.0, -1.0]), np.array([0.5, -0.25])
        if momentum:  # start Keras with the same velocity, as in the middle of a training
            optimizer.build([variable])
            optimizer.momentums[0].assign(velocity)
        for step in range(1, 6):
            g = H @ w + 0.1 * rng.normal(size=2)
            given = (w.copy(), velocity.copy(), g.copy())
            optimizer.apply_gradients([(keras.ops.convert_to_tensor(g), variable)])
            found = answer(w, velocity, g, 0.0625, momentum)
            for name, before, now in zip(("w", "velocity", "g"), given, (w, velocity, g)):  # noqa: B905
                if not np.array_equal(before, now):
                    raise NotYet(f"the input {name}: expected it unchanged after the call")
            if not isinstance(found, tuple | list) or len(found) != 2:
                raise NotYet("the result: expected two values, the new w and the new velocity")
            what = f"after step {step} with momentum {momentum}"
            expect_close(f"w {what}, as Keras", found[0], variable.numpy())
            velocity = momentum * velocity - 0.0625 * g
            expect_close(f"velocity {what}", found[1], velocity)
            w = np.asarray(found[0], dtype=float)


def _verify_batch(answer) -> None:
    cases = [
        (0.1, 2.0, 4.0, 0.01),  # 11.1… → 12
        (0.5, 1.0, 3.0, 1.0),  # exactly 1
        (0.5, 2.0, 8.0, 0.5),  # exactly 4, where ηλ is not small
        (0.01, 1.0, 1.0, 0.2),  # one example is more than enough
        (1.5, 1.0, 1.0, 0.4),  # close to the limit of the step: 7.5 → 8
    ]
    for learning_rate, curvature, variance, floor in cases:
        stable = 2 - learning_rate * curvature
        exact = learning_rate * variance / (curvature * stable * floor)
        what = (
            f"batch size for η={learning_rate}, curvature={curvature}, "
            f"sigma_squared={variance}, floor={floor}"
        )
        found = answer(learning_rate, curvature, variance, floor)
        expect_close(what, found, max(1, math.ceil(exact - 1e-9)))


def _verify_fair(answer) -> None:
    g = np.array([1.0, -1.0, -2.0, -6.0])
    for p in ([0.25, 0.25, 0.25, 0.25], [0.5, 0.25, 0.125, 0.125], [0.1, 0.2, 0.3, 0.4]):
        p = np.array(p)
        factors = np.asarray(answer(p.copy()), dtype=float)
        if factors.shape != (4,):
            raise NotYet(f"the result for 4 chances: expected shape (4,), found {factors.shape}")
        what = f"mean estimate of the gradients {g.tolist()} drawn with the chances {p.tolist()}"
        expect_close(what, np.sum(p * factors * g), g.mean())
    p = np.array([0.7, 0.3])
    expect_close("factors for the chances [0.7, 0.3]", answer(p.copy()), 1 / (2 * p))


EXERCISES = [
    Exercise(
        id="04.1",
        title="the safe step for a data set",
        solution="""
def answer(X):
    curvatures = 2 * np.mean(X**2, axis=0)
    return 2 / np.max(curvatures)
""",
        hints=[
            "The limit is 2 over the largest curvature. Here there are two, one for each weight.",
            "The curvature is the second derivative of the mean of (w₁x₁ + w₂x₂ − y)² by one "
            "of the weights. With the half it would be the mean of its squared inputs.",
            "np.mean(X**2, axis=0) is the mean of the squares of each column.",
        ],
        verify=_verify_limit,
        right=[
            "def answer(X):\n    return 1 / max(np.mean(X[:, 0] ** 2), np.mean(X[:, 1] ** 2))",
            "def answer(X):\n    return len(X) / np.linalg.norm(X, ord=2) ** 2",
        ],
        wrong=[
            (  # the half that is not there
                "def answer(X):\n    return 2 / np.max(np.mean(X**2, axis=0))",
                "[0, -1]]: expected 0.125, found 0.25",
            ),
            (  # a sum in place of the mean
                "def answer(X):\n    return 1 / np.max(np.sum(X**2, axis=0))",
                "[0, -1]]: expected 0.125, found 0.03125",
            ),
            (  # the flat direction
                "def answer(X):\n    return 1 / np.min(np.mean(X**2, axis=0))",
                "[0, -1]]: expected 0.125, found 1",
            ),
            (  # the sum of the two curvatures
                "def answer(X):\n    return 1 / np.sum(np.mean(X**2, axis=0))",
                "[0, -1]]: expected 0.125, found 0.111111",
            ),
            (  # the largest single input
                "def answer(X):\n    return 1 / np.max(X**2)",
                "[0, -1]]: expected 0.125, found 0.0625",
            ),
        ],
    ),
    Exercise(
        id="04.3",
        title="the batch size for a floor",
        solution="""
def answer(learning_rate, curvature, sigma_squared, floor):
    stable = 2 - learning_rate * curvature
    batch_size = learning_rate * sigma_squared / (curvature * stable * floor)
    return max(1, int(np.ceil(batch_size)))
""",
        hints=[
            "Set the formula of the noise floor equal to the floor, and solve for B.",
            "The floor falls with B: round up, or it is missed. A batch has at least one example.",
        ],
        verify=_verify_batch,
        right=[
            "def answer(learning_rate, curvature, sigma_squared, floor):\n"
            "    batch_size = 1\n"
            "    most = floor * curvature * (2 - learning_rate * curvature)\n"
            "    while learning_rate * sigma_squared / batch_size > most:\n"
            "        batch_size += 1\n"
            "    return batch_size"
        ],
        wrong=[
            (
                "def answer(learning_rate, curvature, sigma_squared, floor):\n"
                "    stable = 2 - learning_rate * curvature\n"
                "    return round(learning_rate * sigma_squared / (curvature * stable * floor))",
                "η=0.1, curvature=2.0, sigma_squared=4.0, floor=0.01: expected 12, found 11",
            ),
            (
                "def answer(learning_rate, curvature, sigma_squared, floor):\n"
                "    batch_size = learning_rate * sigma_squared / (2 * curvature * floor)\n"
                "    return max(1, int(np.ceil(batch_size)))",
                "η=0.1, curvature=2.0, sigma_squared=4.0, floor=0.01: expected 12, found 10",
            ),
            (
                "def answer(learning_rate, curvature, sigma_squared, floor):\n"
                "    stable = 2 - learning_rate * curvature\n"
                "    return learning_rate * sigma_squared / (curvature * stable * floor)",
                "expected 12, found 11.1111",
            ),
            (
                "def answer(learning_rate, curvature, sigma_squared, floor):\n"
                "    stable = 2 - learning_rate * curvature\n"
                "    batch_size = learning_rate * sigma_squared / (curvature * stable * floor)\n"
                "    return int(batch_size) + 1",
                "η=0.5, curvature=1.0, sigma_squared=3.0, floor=1.0: expected 1, found 2",
            ),
        ],
    ),
    Exercise(
        id="04.4",
        title="an unfair draw made fair",
        solution="""
def answer(p):
    return 1 / (len(p) * p)
""",
        hints=[
            "An example that is drawn too often must count less. Write the expected value as a sum "
            "over all examples: chance · factor · gradient.",
            "That sum must be the mean of all gradients, the sum of g_i / n. Compare the two "
            "sums term by term.",
        ],
        verify=_verify_fair,
        right=[
            "def answer(p):\n    return np.mean(p) / p",
            "def answer(p):\n    return np.array([1 / len(p) / chance for chance in p])",
        ],
        wrong=[
            ("def answer(p):\n    return 1 / p", "expected -2, found -8"),
            (
                "def answer(p):\n    return np.ones(len(p))",
                "0.125, 0.125]: expected -2, found -0.75",
            ),
            (
                "def answer(p):\n    return len(p) * p",
                "0.125, 0.125]: expected -2, found 0.25",
            ),
            ("def answer(p):\n    return 1 / len(p)", "expected shape (4,), found ()"),
        ],
    ),
    Exercise(
        id="04.2",
        title="Nesterov momentum",
        solution="""
def answer(w, velocity, g, learning_rate, momentum):
    velocity = momentum * velocity - learning_rate * g
    return w + momentum * velocity - learning_rate * g, velocity
""",
        hints=[
            "Two lines: first the new velocity, as without Nesterov; then the new w.",
            "The velocity of the next step, were g the same, is momentum · velocity − η g, "
            "with the velocity you have just computed.",
        ],
        verify=_verify_nesterov,
        right=[
            "def answer(w, velocity, g, learning_rate, momentum):\n"
            "    new = momentum * velocity - learning_rate * g\n"
            "    return w + (1 + momentum) * new - momentum * velocity, new"
        ],
        wrong=[
            (
                "def answer(w, velocity, g, learning_rate, momentum):\n"
                "    velocity = momentum * velocity - learning_rate * g\n"
                "    return w + velocity, velocity",
                "found [ 2.32352",
            ),
            (
                "def answer(w, velocity, g, learning_rate, momentum):\n"
                "    velocity = momentum * velocity + learning_rate * g\n"
                "    return w + momentum * velocity + learning_rate * g, velocity",
                "found [ 2.120926",
            ),
            (
                "def answer(w, velocity, g, learning_rate, momentum):\n"
                "    velocity = momentum * velocity - learning_rate * g\n"
                "    return w + momentum * velocity, velocity",
                "found [ 2., -1.]",
            ),
            (
                "def answer(w, velocity, g, learning_rate, momentum):\n"
                "    velocity = momentum * velocity - learning_rate * g\n"
                "    velocity = momentum * velocity - learning_rate * g\n"
                "    return w + velocity, velocity",
                "velocity after step",
            ),
            (
                "def answer(w, velocity, g, learning_rate, momentum):\n"
                "    velocity = momentum * velocity - learning_rate * g\n"
                "    return w + momentum * velocity - learning_rate * g",
                "expected two values",
            ),
            (
                "def answer(w, velocity, g, learning_rate, momentum):\n"
                "    velocity *= momentum\n"
                "    velocity -= learning_rate * g\n"
                "    return w + momentum * velocity - learning_rate * g, velocity",
                "the input velocity: expected it unchanged",
            ),
        ],
    ),
]
