"""Exercises of lesson 07: the start of a leaky layer, the scale of residual branches."""

import math

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_leaky(answer) -> None:
    for n_in, alpha in ((128, 0.0), (128, 1.0), (50, 0.2), (1000, 0.5)):
        expected = math.sqrt(2 / ((1 + alpha**2) * n_in))
        what = f"standard deviation for n_in={n_in}, alpha={alpha}"
        expect_close(what, answer(n_in, alpha), expected, tolerance=1e-6)


def _verify_branch(answer) -> None:
    for blocks, factor in ((1, 2.0), (10, 2.0), (50, 3.0), (100, 1.0)):
        scale = answer(blocks, factor)
        expect_close(
            f"variance after blocks={blocks} over that before, wanted factor={factor}",
            _growth(scale, blocks),
            factor,
        )


def _growth(scale, blocks: int) -> float:
    """Variance after the blocks x + scale · f(x) over that before, f(x) as large as x."""
    if scale is None or not hasattr(scale, "__float__"):
        raise NotYet(f"the result: expected a number, found {scale!r} (is a return missing?)")
    if float(scale) < 0:
        raise NotYet(f"the sign: expected a scale of 0 or more, found {float(scale):.4g}")
    variance = 1.0
    for _ in range(blocks):
        variance += float(scale) ** 2 * variance
    return variance


EXERCISES = [
    Exercise(
        id="07.1",
        title="the start of a leaky layer",
        solution="""
def answer(n_in, alpha):
    return np.sqrt(2 / ((1 + alpha**2) * n_in))
""",
        hints=[
            "Which share of Var z is left in the mean square of h? The two halves of a symmetric "
            "distribution count separately.",
            "The positive half keeps Var z / 2, the negative half alpha² · Var z / 2.",
            "Set n_in · sd² · (1 + alpha²) / 2 to 1.",
        ],
        verify=_verify_leaky,
        right=["def answer(n_in, alpha):\n    return (2 / n_in / (1 + alpha * alpha)) ** 0.5"],
        wrong=[
            (
                "def answer(n_in, alpha):\n    return np.sqrt(2 / n_in)",
                "n_in=128, alpha=1.0: expected 0.0883883, found 0.125",
            ),
            (
                "def answer(n_in, alpha):\n    return np.sqrt(2 / ((1 + alpha) * n_in))",
                "n_in=50, alpha=0.2: expected 0.196116, found 0.182574",
            ),
            (
                "def answer(n_in, alpha):\n    return 2 / ((1 + alpha**2) * n_in)",
                "n_in=128, alpha=0.0: expected 0.125, found 0.015625",
            ),
            (
                "def answer(n_in, alpha):\n    return np.sqrt(1 / ((1 + alpha**2) * n_in))",
                "n_in=128, alpha=0.0: expected 0.125, found 0.0883883",
            ),
        ],
    ),
    Exercise(
        id="07.2",
        title="the scale of a residual branch",
        solution="""
def answer(blocks, factor):
    return np.sqrt(factor ** (1 / blocks) - 1)
""",
        hints=[
            "Independent parts: the variance after one block is (1 + scale²) times that before.",
            "After all blocks it is (1 + scale²) to the power of blocks. Set that to the factor.",
        ],
        verify=_verify_branch,
        right=["def answer(blocks, factor):\n    return np.expm1(np.log(factor) / blocks) ** 0.5"],
        wrong=[
            (
                "def answer(blocks, factor):\n    return np.sqrt((factor - 1) / blocks)",
                "blocks=10 over that before, wanted factor=2.0: expected 2, found 2.59374",
            ),
            (
                "def answer(blocks, factor):\n    return factor ** (1 / blocks) - 1",
                "blocks=10 over that before, wanted factor=2.0: expected 2, found 1.0527",
            ),
            (
                "def answer(blocks, factor):\n    return np.sqrt(factor - 1) / blocks",
                "blocks=10 over that before, wanted factor=2.0: expected 2, found 1.1046",
            ),
            (
                "def answer(blocks, factor):\n    return 1.0",
                "blocks=10 over that before, wanted factor=2.0: expected 2, found 1024",
            ),
        ],
    ),
]
