"""Exercises of lesson 17: another neutral input, a first change, a smallest attack, a direction.

17.4 stands in a Deeper section, after the others.
"""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _saturated(x):
    """Gradient of 1 − relu(1 − x_1 − x_2) − x_3, the network of the page."""
    on = float(x[0] + x[1] < 1)
    return np.array([on, on, -1.0])


def _squares(x):
    """Gradient of the sum of squares."""
    return 2 * np.asarray(x, float)


def _verify_start(answer) -> None:
    cases = [
        ("from paper", _saturated, [1, 0.5, 0], [0, 0, 0], [2 / 3, 1 / 3, 0]),
        ("from ink", _saturated, [0.5, 0, 0], [1, 1, 1], [-1 / 6, -1 / 3, 1]),
        ("the sum of squares", _squares, [3.0, 1.0], [1.0, 1.0], [8, 0]),
    ]
    for name, gradient, x, start, expected in cases:
        found = answer(gradient, np.array(x, float), np.array(start, float), 300)
        what = f"{name}: x = {x}, start = {start}"
        expect_close(what, found, expected, tolerance=1e-6)


def _verify_change(answer) -> None:
    ink = np.array([0.9, 0.2, 0.7, 0.4, 0.8])
    cases = [
        ("enough ink is left", [5, 1, 4, 2, 3], lambda x: x.sum() > 1.5, 2),
        ("the smallest goes first", [-5, -1, -4, -2, -3], lambda x: x.sum() > 1.5, 4),
        ("one pixel decides", [1, 2, 3, 4, 5], lambda x: x[0] > 0, 5),
        ("it never changes", [1, 2, 3, 4, 5], lambda x: True, None),
    ]
    for name, attribution, keeps, expected in cases:
        given = ink.copy()
        found = answer(np.array(attribution, float), given, keeps)
        what = f"{name}: attribution {attribution}"
        if not np.array_equal(given, ink):
            raise NotYet(f"{what}: your function has changed x itself; work on a copy of it")
        if found != expected:
            raise NotYet(f"{what}: expected {expected}, found {found}")


def _verify_attack(answer) -> None:
    cases = [
        ([2, -1, 1], 0.0, [0.5, 0.5, 0.5], 0.25),
        ([3, -4], 1.0, [1.0, 0.5], 2 / 7),
        ([1, 1, 1, 1], -1.0, [0.5, 0.5, 0.5, 0.5], 0.25),
    ]
    for w, b, x, expected in cases:
        found = answer(np.array(w, float), b, np.array(x))
        expect_close(f"w = {w}, b = {b}, x = {x}", found, expected)


def _verify_direction(answer) -> None:
    u = [[0, 0], [0, 1], [9, 2], [9, 4], [9, 3], [9, 3]]
    cases = [
        ("one class", [[0, 1], [2, 1], [4, 3], [6, 3]], [7, 7, 7, 7], [1, 2, 3, 4], [4, 2]),
        # Class 1 leans more: without the classes the first entry would be large.
        ("two classes", u, [0, 0, 1, 1, 1, 1], [1, 2, 11, 14, 12, 13], [0, 1]),
        ("the order is mixed", u[::-1], [1, 1, 1, 1, 0, 0], [13, 12, 14, 11, 2, 1], [0, 1]),
    ]
    for name, codes, y, amount, expected in cases:
        found = answer(np.array(codes, float), np.array(y), np.array(amount, float))
        expect_close(f"{name}: codes {codes}, classes {y}, amounts {amount}", found, expected)


EXERCISES = [
    Exercise(
        id="17.1",
        title="another neutral input",
        solution="""
def answer(gradient, x, start, steps):
    total = np.zeros(len(x))
    for share in (np.arange(steps) + 0.5) / steps:
        total += gradient(start + share * (x - start))
    return (x - start) * total / steps
""",
        hints=[
            "The way now leads from start to x: after the share t of it you are at "
            "start + t (x − start).",
            "The mean gradient is multiplied by the whole change of the pixel, which is x − start.",
        ],
        verify=_verify_start,
        right=[
            "def answer(gradient, x, start, steps):\n"
            "    shares = np.linspace(0, 1, steps + 1)[1:] - 0.5 / steps\n"
            "    return (x - start) * np.mean([gradient(start + t * (x - start)) for t in shares], "
            "axis=0)",
        ],
        wrong=[
            (  # the start is forgotten
                "def answer(gradient, x, start, steps):\n"
                "    shares = (np.arange(steps) + 0.5) / steps\n"
                "    return x * np.mean([gradient(t * x) for t in shares], axis=0)",
                "from ink: x = [0.5, 0, 0], start = [1, 1, 1]",
            ),
            (  # times x, not times the change
                "def answer(gradient, x, start, steps):\n"
                "    shares = (np.arange(steps) + 0.5) / steps\n"
                "    return x * np.mean([gradient(start + t * (x - start)) for t in shares], "
                "axis=0)",
                "from ink: x = [0.5, 0, 0], start = [1, 1, 1]",
            ),
            (  # the sum
                "def answer(gradient, x, start, steps):\n"
                "    shares = (np.arange(steps) + 0.5) / steps\n"
                "    return (x - start) * sum(gradient(start + t * (x - start)) for t in shares)",
                "from paper",
            ),
            (  # the gradient at x alone
                "def answer(gradient, x, start, steps):\n    return (x - start) * gradient(x)",
                "from paper",
            ),
        ],
    ),
    Exercise(
        id="17.2",
        title="the first change",
        solution="""
def answer(attribution, x, keeps):
    x = x.copy()
    for number, j in enumerate(np.argsort(-attribution), start=1):
        x[j] = 0
        if not keeps(x):
            return number
    return None
""",
        hints=[
            "np.argsort(-attribution) gives the places from the largest attribution to the "
            "smallest.",
            "Take a copy of x. Set one place after the other to 0, and ask keeps(x) after each.",
        ],
        verify=_verify_change,
        right=[
            "def answer(attribution, x, keeps):\n"
            "    order = np.argsort(attribution)[::-1]\n"
            "    for number in range(1, len(x) + 1):\n"
            "        if not keeps(np.where(np.isin(np.arange(len(x)), order[:number]), 0, x)):\n"
            "            return number",
        ],
        wrong=[
            (  # the smallest first
                "def answer(attribution, x, keeps):\n"
                "    x = x.copy()\n"
                "    for number, j in enumerate(np.argsort(attribution), start=1):\n"
                "        x[j] = 0\n"
                "        if not keeps(x):\n"
                "            return number",
                "enough ink is left: attribution [5, 1, 4, 2, 3]: expected 2, found 4",
            ),
            (  # by size, whatever the sign
                "def answer(attribution, x, keeps):\n"
                "    x = x.copy()\n"
                "    for number, j in enumerate(np.argsort(-np.abs(attribution)), start=1):\n"
                "        x[j] = 0\n"
                "        if not keeps(x):\n"
                "            return number",
                "the smallest goes first: attribution [-5, -1, -4, -2, -3]: expected 4, found 2",
            ),
            (  # only one pixel at a time
                "def answer(attribution, x, keeps):\n"
                "    for number, j in enumerate(np.argsort(-attribution), start=1):\n"
                "        if not keeps(np.where(np.arange(len(x)) == j, 0, x)):\n"
                "            return number",
                "expected 2, found None",
            ),
            (  # counted from 0
                "def answer(attribution, x, keeps):\n"
                "    x = x.copy()\n"
                "    for number, j in enumerate(np.argsort(-attribution)):\n"
                "        x[j] = 0\n"
                "        if not keeps(x):\n"
                "            return number",
                "expected 2, found 1",
            ),
            (  # the picture of the caller is changed
                "def answer(attribution, x, keeps):\n"
                "    for number, j in enumerate(np.argsort(-attribution), start=1):\n"
                "        x[j] = 0\n"
                "        if not keeps(x):\n"
                "            return number",
                "has changed x itself",
            ),
        ],
    ),
    Exercise(
        id="17.3",
        title="the smallest attack",
        solution="""
def answer(w, b, x):
    return (x @ w + b) / np.abs(w).sum()
""",
        hints=[
            "The best attack moves each pixel against the sign of its weight. By how much does z "
            "fall, if each pixel moves by Δ_max?",
            "z falls by Δ_max times the sum of |w|. It must fall by z.",
        ],
        verify=_verify_attack,
        right=[
            "def answer(w, b, x):\n"
            "    z = sum(w[j] * x[j] for j in range(len(x))) + b\n"
            "    return z / sum(abs(each) for each in w)",
        ],
        wrong=[
            (  # the length of w
                "def answer(w, b, x):\n    return (x @ w + b) / np.linalg.norm(w)",
                "w = [2, -1, 1], b = 0.0, x = [0.5, 0.5, 0.5]: expected 0.25, found 0.408248",
            ),
            (  # the signs are forgotten
                "def answer(w, b, x):\n    return (x @ w + b) / w.sum()",
                "expected 0.25, found 0.5",
            ),
            (  # the bias is forgotten
                "def answer(w, b, x):\n    return x @ w / np.abs(w).sum()",
                "w = [3, -4], b = 1.0, x = [1.0, 0.5]: expected 0.285714, found 0.142857",
            ),
        ],
    ),
    Exercise(
        id="17.4",
        title="a direction that is not the digit",
        solution="""
def answer(u, y, amount):
    directions = []
    for k in np.unique(y):
        codes, amounts = u[y == k], amount[y == k]
        much = amounts > np.median(amounts)
        directions.append(codes[much].mean(axis=0) - codes[~much].mean(axis=0))
    return np.mean(directions, axis=0)
""",
        hints=[
            "Do it for one class first: the mean code of its pictures above the median of the "
            "class, minus that of the others.",
            "Then take the mean of these directions over the classes, np.unique(y).",
        ],
        verify=_verify_direction,
        right=[
            "def answer(u, y, amount):\n"
            "    total, classes = 0, sorted(set(y.tolist()))\n"
            "    for k in classes:\n"
            "        order = np.argsort(amount[y == k])\n"
            "        codes, half = u[y == k][order], len(order) // 2\n"
            "        total = total + codes[half:].mean(axis=0) - codes[:half].mean(axis=0)\n"
            "    return total / len(classes)",
        ],
        wrong=[
            (  # the classes are forgotten
                "def answer(u, y, amount):\n"
                "    much = amount > np.median(amount)\n"
                "    return u[much].mean(axis=0) - u[~much].mean(axis=0)",
                "two classes",
            ),
            (  # the median of all pictures
                "def answer(u, y, amount):\n"
                "    directions, much = [], amount > np.median(amount)\n"
                "    for k in np.unique(y):\n"
                "        a, b = u[(y == k) & much], u[(y == k) & ~much]\n"
                "        directions.append((a.sum(axis=0) - b.sum(axis=0)) / max(len(a), len(b)))\n"
                "    return np.mean(directions, axis=0)",
                "two classes",
            ),
            (  # the wrong way round
                "def answer(u, y, amount):\n"
                "    directions = []\n"
                "    for k in np.unique(y):\n"
                "        much = amount[y == k] > np.median(amount[y == k])\n"
                "        codes = u[y == k]\n"
                "        directions.append(codes[~much].mean(axis=0) - codes[much].mean(axis=0))\n"
                "    return np.mean(directions, axis=0)",
                "one class",
            ),
            (  # the sum over the classes
                "def answer(u, y, amount):\n"
                "    total = 0\n"
                "    for k in np.unique(y):\n"
                "        much = amount[y == k] > np.median(amount[y == k])\n"
                "        codes = u[y == k]\n"
                "        total = total + codes[much].mean(axis=0) - codes[~much].mean(axis=0)\n"
                "    return total",
                "two classes",
            ),
        ],
    ),
]
