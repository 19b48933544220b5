"""Exercises of lesson 11: how many random trials, a chain of bars, a bias that is shrunk."""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_trials(answer) -> None:
    for share, confidence in ((0.05, 0.95), (0.1, 0.5), (0.5, 0.75), (0.01, 0.99), (0.9, 0.5)):
        count, missing = 0, 1.0
        while 1 - missing < confidence - 1e-12:
            count, missing = count + 1, missing * (1 - share)
        found = answer(share, confidence)
        what = f"share={share}, confidence={confidence}"
        if not float(found).is_integer():
            raise NotYet(f"{what}: found {float(found):.4g} trials, expected a whole number")
        expect_close(f"trials for {what}", found, count)


def _verify_chain(answer) -> None:
    for loads, material in (([1, 1], 3.0), ([1, 1, 1], 6.0), ([2, 0, 3], 1.0), ([5], 2.0)):
        force = np.cumsum(np.array(loads, float)[::-1])[::-1]
        given = np.array(loads, float)
        found = np.asarray(answer(given, material), float)
        what = f"loads={loads}, material={material:g}"
        if found.shape != force.shape:
            raise NotYet(f"{what}: found shape {found.shape}, expected one number for each bar")
        expect_close(f"{what}: material used", found.sum(), material)
        expect_close(f"{what}: thickness of the bars", found, force / force.sum() * material)


def _verify_shrunk(answer) -> None:
    cases = [([5], 3.2, 5.0), ([5, 4, 5], 3.2, 2.0), ([], 3.2, 5.0), ([1, 2], 3.0, 0.0)]
    for ratings, mean, penalty in cases:
        given = np.array(ratings, float)
        total = np.sum(given - mean)
        expected = total / (len(given) + penalty)
        what = f"bias for ratings={ratings}, mean={mean:g}, penalty={penalty:g}"
        expect_close(what, answer(given, mean, penalty), expected)


EXERCISES = [
    Exercise(
        id="11.1",
        title="how many random trials are enough",
        solution="""
def answer(share, confidence):
    return int(np.ceil(np.log(1 - confidence) / np.log(1 - share) - 1e-9))
""",
        hints=[
            "All n trials miss the best share with the probability (1 - share)**n.",
            "You need the smallest n with 1 - (1 - share)**n at least as large as the confidence.",
            "A loop that raises n until this holds is as good as logarithms.",
        ],
        verify=_verify_trials,
        right=[
            "def answer(share, confidence):\n"
            "    n = 0\n"
            "    while 1 - (1 - share) ** n < confidence - 1e-12:\n"
            "        n += 1\n"
            "    return n"
        ],
        wrong=[
            (
                "def answer(share, confidence):\n"
                "    return np.log(1 - confidence) / np.log(1 - share)",
                "expected a whole number",
            ),
            (
                "def answer(share, confidence):\n    return int(np.ceil(confidence / share))",
                "trials for share=0.05, confidence=0.95",
            ),
            (
                "def answer(share, confidence):\n"
                "    return int(np.ceil(np.log(confidence) / np.log(share)))",
                "trials for share=0.05, confidence=0.95",
            ),
            (
                "def answer(share, confidence):\n"
                "    return int(np.log(1 - confidence) / np.log(1 - share))",
                "trials for share=0.05, confidence=0.95",
            ),
        ],
    ),
    Exercise(
        id="11.2",
        title="the stiffest chain",
        solution="""
def answer(loads, material):
    force = np.cumsum(loads[::-1])[::-1]
    return material * force / force.sum()
""",
        hints=[
            "A bar carries its own load and all loads below it.",
            "At the best chain each unit of material holds equal energy, (force / thickness)**2.",
            "So thickness is proportional to force; what is the factor if all of it is material?",
        ],
        verify=_verify_chain,
        right=[
            "def answer(loads, material):\n"
            "    force = np.array([loads[i:].sum() for i in range(len(loads))])\n"
            "    x = np.full(len(loads), material / len(loads))\n"
            "    x = x * np.sqrt((force / x) ** 2)\n"
            "    return x * material / x.sum()"
        ],
        wrong=[
            (
                "def answer(loads, material):\n    return material * loads / loads.sum()",
                "loads=[1, 1], material=3: thickness of the bars",
            ),
            (
                "def answer(loads, material):\n"
                "    force = np.cumsum(loads[::-1])[::-1]\n"
                "    return material * force**2 / np.sum(force**2)",
                "loads=[1, 1], material=3: thickness of the bars",
            ),
            (
                "def answer(loads, material):\n"
                "    force = np.cumsum(loads)\n"
                "    return material * force / force.sum()",
                "loads=[1, 1], material=3: thickness of the bars",
            ),
            (
                "def answer(loads, material):\n    return material * np.cumsum(loads[::-1])[::-1]",
                "material used",
            ),
        ],
    ),
    Exercise(
        id="11.3",
        title="a bias from few ratings",
        solution="""
def answer(ratings, mean, penalty):
    return np.sum(ratings - mean) / (len(ratings) + penalty)
""",
        hints=[
            "How far does each rating lie above the mean?",
            "The plain bias is the mean of these distances: their sum over their number.",
            "The penalty is added to the number, as if so many ratings were equal to the mean.",
        ],
        verify=_verify_shrunk,
        right=[
            "def answer(ratings, mean, penalty):\n"
            "    padded = np.append(ratings, [mean])\n"
            "    total = np.sum(padded) - mean * len(padded)\n"
            "    return total / (len(ratings) + penalty)"
        ],
        wrong=[
            (
                "def answer(ratings, mean, penalty):\n"
                "    return np.mean(ratings - mean) / (1 + penalty)",
                "ratings=[5, 4, 5]",
            ),
            (
                "def answer(ratings, mean, penalty):\n"
                "    return np.sum(ratings) / (len(ratings) + penalty) - mean",
                "ratings=[5], mean=3.2",
            ),
            (
                "def answer(ratings, mean, penalty):\n    return np.mean(ratings) - mean",
                "ratings=[5], mean=3.2",
            ),
            (
                "def answer(ratings, mean, penalty):\n"
                "    return np.sum(ratings - mean) / len(ratings) - penalty",
                "ratings=[5], mean=3.2",
            ),
        ],
    ),
]
