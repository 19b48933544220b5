"""Exercises of lesson 09: no errors in n images, McNemar's counts, a split by groups."""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_zero(answer) -> None:
    for n in (2, 10, 100, 3000):
        expect_close(f"largest error rate for n={n}", answer(n), 1 - 0.05 ** (1 / n), 1e-9)


def _verify_pairs(answer) -> None:
    labels = np.array([3, 3, 3, 3, 3, 3, 7, 7, 7, 1])
    first = np.array([3, 3, 3, 5, 5, 3, 7, 2, 7, 4])
    second = np.array([3, 5, 2, 3, 5, 8, 7, 9, 7, 4])
    before = labels.copy(), first.copy(), second.copy()
    found = answer(labels, first, second)
    if not all(np.array_equal(a, b) for a, b in zip(before, (labels, first, second), strict=True)):
        raise NotYet("the input: expected it unchanged after the call, found other values in it")
    what = "b and c for ten images, three right by the first only and one by the second only"
    expect_close(what, found, [3, 1])
    what = "b and c for three images, both networks wrong on each, with different answers"
    expect_close(what, answer(np.zeros(3, int), np.ones(3, int), np.full(3, 2)), [0, 0])


def _verify_groups(answer) -> None:
    sizes = np.random.default_rng(0).integers(1, 6, 40)
    groups = np.random.default_rng(1).permutation(np.repeat(np.arange(40) * 7, sizes))
    drawn = []
    for share in (0.2, 0.5, 0.001):
        held = answer(groups.copy(), share, np.random.default_rng(2))
        held = np.asarray(held)
        what = f"{len(groups)} images of 40 originals, share={share}"
        if held.shape != groups.shape or held.dtype != bool:
            raise NotYet(
                f"{what}: expected a boolean array of shape {groups.shape}, "
                f"found {held.dtype} of shape {held.shape}"
            )
        both = np.intersect1d(groups[held], groups[~held])
        if len(both):
            raise NotYet(f"{what}: expected no original on both sides, found {len(both)}")
        count = len(np.unique(groups[held]))
        if count == 0:
            raise NotYet(f"{what}: expected at least one original in validation, found none")
        expected = max(1, share * 40)
        if abs(count - expected) > 1:
            raise NotYet(
                f"{what}: expected about {expected:g} originals in validation, found {count}"
            )
        drawn.append(held)
    other = np.asarray(answer(groups.copy(), 0.2, np.random.default_rng(3)))
    if np.array_equal(other, drawn[0]):
        raise NotYet("another rng: expected other originals in validation, found the same")


EXERCISES = [
    Exercise(
        id="09.1",
        title="the error rate that n images without an error leave possible",
        solution="""
def answer(n):
    return 1 - 0.05 ** (1 / n)
""",
        hints=[
            "With error rate e, with what probability is one image right? And n of them?",
            "Solve (1 - e)**n = 0.05 for e.",
        ],
        verify=_verify_zero,
        right=["def answer(n):\n    return -np.expm1(np.log(0.05) / n)"],
        wrong=[
            ("def answer(n):\n    return 3 / n", "n=2: expected 0.776393, found 1.5"),
            ("def answer(n):\n    return 1 - 0.95 ** (1 / n)", "found 0.025"),
            ("def answer(n):\n    return 0.05 ** (1 / n)", "found 0.2236"),
            ("def answer(n):\n    return 1.96**2 / (n + 1.96**2)", "found 0.657"),
        ],
    ),
    Exercise(
        id="09.2",
        title="the counts of McNemar's test",
        solution="""
def answer(labels, first, second):
    a, b = first == labels, second == labels
    return np.sum(a & ~b), np.sum(~a & b)
""",
        hints=[
            "Compare each network's predictions with the labels first.",
            "Of two boolean arrays a and b, a & ~b is true where only a is.",
        ],
        verify=_verify_pairs,
        right=[
            "def answer(labels, first, second):\n"
            "    d = (first == labels).astype(int) - (second == labels)\n"
            "    return [(d == 1).sum(), (d == -1).sum()]"
        ],
        wrong=[
            (
                "def answer(labels, first, second):\n"
                "    return np.sum(first == labels), np.sum(second == labels)",
                "found [6., 4.]",
            ),
            (
                "def answer(labels, first, second):\n"
                "    a, b = first == labels, second == labels\n"
                "    return np.sum(~a & b), np.sum(a & ~b)",
                "found [1., 3.]",
            ),
            (
                "def answer(labels, first, second):\n"
                "    return np.sum((first != second) & (first == labels)), "
                "np.sum((first != second) & (first != labels))",
                "found [3., 2.]",
            ),
            (
                "def answer(labels, first, second):\n    return np.sum(first != second)",
                "shape",
            ),
        ],
    ),
    Exercise(
        id="09.3",
        title="a split that keeps copies together",
        solution="""
def answer(groups, share, rng):
    originals = rng.permutation(np.unique(groups))
    count = max(1, round(share * len(originals)))
    return np.isin(groups, originals[:count])
""",
        hints=[
            "Draw originals, not images: np.unique(groups) lists them.",
            "rng.permutation(np.unique(groups)) brings them into a random order; take the first.",
            "np.isin(groups, chosen) is true for every copy of a chosen original.",
        ],
        verify=_verify_groups,
        right=[
            "def answer(groups, share, rng):\n"
            "    u = np.unique(groups)\n"
            "    k = max(1, int(share * len(u)))\n"
            "    return np.isin(groups, rng.choice(u, k, replace=False))"
        ],
        wrong=[
            (
                "def answer(groups, share, rng):\n    return rng.random(len(groups)) < share",
                "expected no original on both sides",
            ),
            (
                "def answer(groups, share, rng):\n"
                "    u = np.unique(groups)\n"
                "    return np.isin(groups, u[: max(1, round(share * len(u)))])",
                "another rng",
            ),
            (
                "def answer(groups, share, rng):\n"
                "    u = rng.permutation(np.unique(groups))\n"
                "    return np.isin(groups, u[: round(share * len(u))])",
                "share=0.001: expected at least one original",
            ),
            (
                "def answer(groups, share, rng):\n"
                "    u = rng.permutation(np.unique(groups))\n"
                "    return np.flatnonzero(np.isin(groups, u[: max(1, round(share * len(u)))]))",
                "expected a boolean array",
            ),
        ],
    ),
]
