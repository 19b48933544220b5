"""Exercises of lesson 14: the next loss of a law, bytes of a step, unequal parts."""

import numpy as np

from course_utils.exercises import Exercise, expect_close


def _verify_next(answer) -> None:
    cases = [
        ("the table's law", 2.0, 2.0, 0.5),
        ("a floor of 0", 0.0, 3.0, 0.7),
        ("a slow law", 1.5, 1.0, 0.9),
    ]
    for name, floor, excess, factor in cases:
        losses = [floor + excess * factor**i for i in range(4)]
        found = answer(*losses[:3])
        given = ", ".join(f"{loss:.6g}" for loss in losses[:3])
        expect_close(f"{name}: the loss after {given}", found, losses[3])


def _verify_bytes(answer) -> None:
    cases = [
        ([2, 3, 1], 1, 16 * 13 + 4 * 6),  # (2·3 + 3) + (3·1 + 1) parameters
        ([784, 128, 10], 32, 16 * 101_770 + 4 * 32 * 922),
        ([8, 16, 16, 4], 1000, 16 * 484 + 4 * 1000 * 44),
    ]
    for sizes, B, expected in cases:
        expect_close(f"bytes of a step with sizes {sizes} and B = {B}", answer(sizes, B), expected)


def _verify_unequal(answer) -> None:
    cases = [
        ("equal parts", [[2.0, 0.0], [6.0, 1.0]], [2, 2], [4.0, 0.5]),
        ("parts of 3 and 1", [[2.0, 0.0], [6.0, 1.0]], [3, 1], [3.0, 0.25]),
        ("three workers", [[1.0], [2.0], [4.0]], [1, 2, 5], [25 / 8]),
        ("a worker without examples", [[1.0], [100.0]], [4, 0], [1.0]),
    ]
    for name, g, n, expected in cases:
        expect_close(f"{name}: n = {n}", answer(np.array(g), np.array(n)), expected)


EXERCISES = [
    Exercise(
        id="14.1",
        title="three losses, and the next",
        solution="""
def answer(first, second, third):
    factor = (second - third) / (first - second)
    return third - factor * (second - third)
""",
        hints=[
            "Multiplying N by 4 multiplies the excess by the same factor each time. The floor "
            "drops out of the gains: each gain is the one before, times that factor.",
            "The factor is (second − third) / (first − second). How large is the next gain?",
        ],
        verify=_verify_next,
        right=[
            "def answer(first, second, third):\n"
            "    floor = (first * third - second**2) / (first + third - 2 * second)\n"
            "    return floor + (third - floor) ** 2 / (second - floor)",
        ],
        wrong=[
            (  # the gain stays
                "def answer(first, second, third):\n    return third - (second - third)",
                "the table's law: the loss after 4, 3, 2.5: expected 2.25, found 2",
            ),
            (  # the line without a floor
                "def answer(first, second, third):\n    return third**2 / second",
                "the table's law: the loss after 4, 3, 2.5: expected 2.25, found 2.08333",
            ),
            (  # always half of the gain
                "def answer(first, second, third):\n    return third - (second - third) / 2",
                "a floor of 0",
            ),
        ],
    ),
    Exercise(
        id="14.2",
        title="bytes of a step",
        solution="""
def answer(sizes, B):
    parameters = sum((d_in + 1) * d_out for d_in, d_out in zip(sizes, sizes[1:]))
    return 16 * parameters + 4 * B * sum(sizes)
""",
        hints=[
            "A dense layer from d_in to d_out units has d_in · d_out weights and d_out biases.",
            "Sixteen bytes for each parameter. Inputs, hidden outputs and probabilities of one "
            "example are sum(sizes) numbers of 4 bytes.",
        ],
        verify=_verify_bytes,
        right=[
            "def answer(sizes, B):\n"
            "    total = 4 * B * sizes[0]\n"
            "    for i in range(1, len(sizes)):\n"
            "        total += 16 * (sizes[i - 1] * sizes[i] + sizes[i]) + 4 * B * sizes[i]\n"
            "    return total",
        ],
        wrong=[
            (  # no biases
                "def answer(sizes, B):\n"
                "    N = sum(a * b for a, b in zip(sizes, sizes[1:]))\n"
                "    return 16 * N + 4 * B * sum(sizes)",
                "with sizes [2, 3, 1] and B = 1: expected 232, found 168",
            ),
            (  # values alone
                "def answer(sizes, B):\n"
                "    N = sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))\n"
                "    return 4 * N + 4 * B * sum(sizes)",
                "with sizes [2, 3, 1] and B = 1: expected 232, found 76",
            ),
            (  # the batch is forgotten
                "def answer(sizes, B):\n"
                "    N = sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))\n"
                "    return 16 * N + 4 * sum(sizes)",
                "B = 32",
            ),
            (  # the inputs are forgotten
                "def answer(sizes, B):\n"
                "    N = sum((a + 1) * b for a, b in zip(sizes, sizes[1:]))\n"
                "    return 16 * N + 4 * B * sum(sizes[1:])",
                "with sizes [2, 3, 1] and B = 1: expected 232, found 224",
            ),
        ],
    ),
    Exercise(
        id="14.3",
        title="unequal parts",
        solution="""
def answer(g, n):
    return n @ g / n.sum()
""",
        hints=[
            "A mean gradient times its number of examples is the sum over these examples.",
            "Add the sums of all workers, and divide by the number of all examples.",
        ],
        verify=_verify_unequal,
        right=[
            "def answer(g, n):\n    return np.average(g, axis=0, weights=n)",
        ],
        wrong=[
            (  # the plain mean
                "def answer(g, n):\n    return g.mean(axis=0)",
                "parts of 3 and 1: n = [3, 1]: expected [3. , 0.25], found [4. , 0.5]",
            ),
            (  # a sum
                "def answer(g, n):\n    return n @ g",
                "equal parts: n = [2, 2]: expected [4. , 0.5], found [16., 2.]",
            ),
            (  # divided by the number of workers
                "def answer(g, n):\n    return n @ g / len(n)",
                "equal parts",
            ),
        ],
    ),
]
