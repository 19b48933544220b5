"""Exercises of lesson 18: a careful attacker, a private mean, three rates, the base of a group."""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _verify_careful(answer) -> None:
    for members, strangers in (
        ([0.1, 0.3, 0.6, 0.9, 2.0], [0.4, 1.0]),
        ([0.5, 0.7], [0.2, 0.9]),
        ([0.1, 0.2], [3.0]),
        ([0.3, 0.3, 0.1], [0.3, 0.5]),
    ):
        expected = np.mean(np.array(members) < min(strangers))
        found = answer(np.array(members), np.array(strangers))
        expect_close(f"share of members={members} for strangers={strangers}", found, expected)


def _verify_mean(answer) -> None:
    for values, limit, noise_multiplier, xi, number in (
        ([0.5, -0.2, 8.0], 1.0, 0.0, 0.7, 3),
        ([0.5, -0.2, -8.0], 1.0, 0.0, 0.7, 3),
        ([0.5, -0.2, 8.0], 2.0, 1.5, -1.0, 3),
        ([3.0, -1.0], 2.0, 1.0, 0.5, 10),
    ):
        total = np.clip(values, -limit, limit).sum()
        expected = (total + noise_multiplier * limit * xi) / number
        what = f"values={values}, limit={limit:g}, noise_multiplier={noise_multiplier:g}, xi={xi:g}"
        found = answer(np.array(values), limit, noise_multiplier, xi, number)
        expect_close(f"{what}, number={number}", found, expected)


def _verify_rates(answer) -> None:
    for approved, yes in (
        ([1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 0]),
        ([1, 1, 1, 0], [1, 1, 1, 1]),
        ([1, 0, 0, 0], [0, 0, 0, 1]),
    ):
        approved, yes = np.array(approved, bool), np.array(yes, bool)
        specificity = np.mean(~yes[~approved])
        expected = {
            "share of right answers": np.mean(yes == approved),
            "specificity": specificity,
            "balanced accuracy": (np.mean(yes[approved]) + specificity) / 2,
        }
        found = answer(approved.copy(), yes.copy())
        what = f"approved={approved.astype(int).tolist()}, yes={yes.astype(int).tolist()}"
        if np.shape(found) != (3,):
            raise NotYet(f"{what}: found shape {np.shape(found)}, expected three numbers")
        for (name, value), ours in zip(expected.items(), found, strict=True):
            expect_close(f"{name} for {what}", ours, value)


def _verify_base(answer) -> None:
    for tpr, fpr, base in ((0.8, 0.2, 0.75), (0.8, 0.2, 0.5), (0.9, 0.3, 0.1), (1.0, 0.5, 0.6)):
        precision = tpr * base / (tpr * base + fpr * (1 - base))
        what = f"base for tpr={tpr:g}, fpr={fpr:g}, precision={precision:.4g}"
        expect_close(what, answer(tpr, fpr, precision), base)


EXERCISES = [
    Exercise(
        id="18.1",
        title="the careful attacker",
        solution="""
def answer(members, strangers):
    return np.mean(members < strangers.min())
""",
        hints=[
            "Which threshold is the highest that names no stranger?",
            "It is the smallest loss of the strangers: that loss itself is not below it.",
        ],
        verify=_verify_careful,
        right=[
            "def answer(members, strangers):\n"
            "    best = 0\n"
            "    for threshold in np.concatenate([members, strangers, [1e9]]):\n"
            "        if not np.any(strangers < threshold):\n"
            "            best = max(best, np.mean(members < threshold))\n"
            "    return best"
        ],
        wrong=[
            (
                "def answer(members, strangers):\n    return np.mean(members <= strangers.min())",
                "members=[0.3, 0.3, 0.1]",
            ),
            (
                "def answer(members, strangers):\n    return np.mean(members < strangers.max())",
                "members=[0.1, 0.3, 0.6, 0.9, 2.0]",
            ),
            (
                "def answer(members, strangers):\n    return np.mean(members < strangers.mean())",
                "members=[0.1, 0.3, 0.6, 0.9, 2.0]",
            ),
            (
                "def answer(members, strangers):\n    return np.sum(members < strangers.min())",
                "members=[0.1, 0.3, 0.6, 0.9, 2.0]",
            ),
        ],
    ),
    Exercise(
        id="18.2",
        title="a private mean",
        solution="""
def answer(values, limit, noise_multiplier, xi, number):
    total = np.clip(values, -limit, limit).sum()
    return (total + noise_multiplier * limit * xi) / number
""",
        hints=[
            "Limit each value first; `np.clip(values, low, high)` cuts an array on both sides.",
            "The noise is added once, to the sum, not to each value.",
            "Divide by `number`, not by how many values there are: that would show who is there.",
        ],
        verify=_verify_mean,
        right=[
            "def answer(values, limit, noise_multiplier, xi, number):\n"
            "    total = noise_multiplier * limit * xi\n"
            "    for value in values:\n"
            "        total += value * min(1, limit / abs(value)) if value else 0\n"
            "    return total / number"
        ],
        wrong=[
            (
                "def answer(values, limit, noise_multiplier, xi, number):\n"
                "    return (values.sum() + noise_multiplier * limit * xi) / number",
                "values=[0.5, -0.2, 8.0], limit=1",
            ),
            (
                "def answer(values, limit, noise_multiplier, xi, number):\n"
                "    total = np.minimum(values, limit).sum()\n"
                "    return (total + noise_multiplier * limit * xi) / number",
                "values=[0.5, -0.2, -8.0]",
            ),
            (
                "def answer(values, limit, noise_multiplier, xi, number):\n"
                "    total = np.clip(values, -limit, limit).sum()\n"
                "    return (total + noise_multiplier * xi) / number",
                "limit=2, noise_multiplier=1.5",
            ),
            (
                "def answer(values, limit, noise_multiplier, xi, number):\n"
                "    total = np.clip(values, -limit, limit).sum()\n"
                "    return (total + noise_multiplier * limit * xi) / len(values)",
                "number=10",
            ),
            (
                "def answer(values, limit, noise_multiplier, xi, number):\n"
                "    total = np.clip(values, -limit, limit).sum()\n"
                "    return total / number + noise_multiplier * limit * xi",
                "limit=2, noise_multiplier=1.5",
            ),
        ],
    ),
    Exercise(
        id="18.3",
        title="three rates of a program",
        solution="""
def answer(approved, yes):
    specificity = np.mean(~yes[~approved])
    return np.mean(yes == approved), specificity, (np.mean(yes[approved]) + specificity) / 2
""",
        hints=[
            "`yes[approved]` are the answers to the people whom the bank approved.",
            "The specificity is the share of `False` among the answers to those whom it denied.",
            "The balanced accuracy is the mean of the true-positive rate and the specificity.",
        ],
        verify=_verify_rates,
        right=[
            "def answer(approved, yes):\n"
            "    denied = np.sum(~approved)\n"
            "    specificity = np.sum(~approved & ~yes) / denied\n"
            "    tpr = np.sum(approved & yes) / np.sum(approved)\n"
            "    right = np.sum(approved == yes) / len(yes)\n"
            "    return right, specificity, (tpr + specificity) / 2"
        ],
        wrong=[
            (
                "def answer(approved, yes):\n"
                "    specificity = np.mean(~yes & ~approved)\n"
                "    tpr = np.mean(yes[approved])\n"
                "    return np.mean(yes == approved), specificity, (tpr + specificity) / 2",
                "specificity for approved=[1, 1, 1, 1, 0, 0]",
            ),
            (
                "def answer(approved, yes):\n"
                "    specificity = np.mean(yes[~approved])\n"
                "    tpr = np.mean(yes[approved])\n"
                "    return np.mean(yes == approved), specificity, (tpr + specificity) / 2",
                "specificity for approved=[1, 1, 1, 0]",
            ),
            (
                "def answer(approved, yes):\n"
                "    specificity = np.mean(~yes[~approved])\n"
                "    right = np.mean(yes == approved)\n"
                "    return right, specificity, (right + specificity) / 2",
                "balanced accuracy for approved=[1, 1, 1, 1, 0, 0]",
            ),
            (
                "def answer(approved, yes):\n    return np.mean(yes == approved)",
                "expected three numbers",
            ),
        ],
    ),
    Exercise(
        id="18.4",
        title="the base of a group",
        solution="""
def answer(tpr, fpr, precision):
    odds = precision / (1 - precision) * fpr / tpr
    return odds / (1 + odds)
""",
        hints=[
            "Write precision / (1 - precision): the denominators cancel.",
            "It is (tpr / fpr) * base / (1 - base). What is base / (1 - base)?",
            "If base / (1 - base) is `odds`, the base is odds / (1 + odds).",
        ],
        verify=_verify_base,
        right=[
            "def answer(tpr, fpr, precision):\n"
            "    low, high = 0.0, 1.0\n"
            "    for _ in range(60):\n"
            "        base = (low + high) / 2\n"
            "        found = tpr * base / (tpr * base + fpr * (1 - base))\n"
            "        low, high = (base, high) if found < precision else (low, base)\n"
            "    return base"
        ],
        wrong=[
            (
                "def answer(tpr, fpr, precision):\n"
                "    odds = precision / (1 - precision) * tpr / fpr\n"
                "    return odds / (1 + odds)",
                "base for tpr=0.8, fpr=0.2, precision=0.9231",
            ),
            (
                "def answer(tpr, fpr, precision):\n"
                "    return precision / (1 - precision) * fpr / tpr",
                "base for tpr=0.8, fpr=0.2, precision=0.9231",
            ),
            (
                "def answer(tpr, fpr, precision):\n    return precision * fpr / tpr",
                "base for tpr=0.8, fpr=0.2, precision=0.9231",
            ),
        ],
    ),
]
