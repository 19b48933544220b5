"""Exercises of lesson 12: another KL divergence, a Fréchet distance, a flow driven backwards."""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _kl_by_sum(mean_1, sigma_1, mean_2, sigma_2) -> float:
    """KL divergence of two normal distributions, by adding up small pieces of the integral."""
    u = np.linspace(mean_1 - 12 * sigma_1, mean_1 + 12 * sigma_1, 20001)
    p = np.exp(-(((u - mean_1) / sigma_1) ** 2) / 2) / (sigma_1 * np.sqrt(2 * np.pi))
    log_1 = -(((u - mean_1) / sigma_1) ** 2) / 2 - np.log(sigma_1)
    log_2 = -(((u - mean_2) / sigma_2) ** 2) / 2 - np.log(sigma_2)
    return float(np.sum(p * (log_1 - log_2)) * (u[1] - u[0]))


def _verify_kl(answer) -> None:
    for case in ((2.0, 1.0, 0.0, 1.0), (0.0, 1.0, 0.0, 2.0), (0.0, 2.0, 0.0, 1.0),
                 (1.0, 0.5, -1.0, 2.0)):  # fmt: skip
        what = "KL for mean_1={:g}, sigma_1={:g}, mean_2={:g}, sigma_2={:g}, by integration"
        expect_close(what.format(*case), answer(*case), _kl_by_sum(*case))


def _verify_frechet(answer) -> None:
    rng = np.random.default_rng(12)
    a = rng.standard_normal((400, 3)) * [1.0, 2.0, 0.5] + [0.0, 1.0, -1.0]
    b = rng.standard_normal((300, 3)) * [1.5, 1.0, 0.5] + [0.5, -1.0, -1.0]
    cases = {
        "one feature moved by 2": (a[:, :1], a[:, :1] + 2, 4.0),
        "one feature stretched to twice its spread": (
            *(a[:, :1] - a[:, 0].mean(), 2 * (a[:, :1] - a[:, 0].mean())),
            a[:, 0].var(),
        ),
        "a set and itself": (a, a, 0.0),
    }
    apart = (a.mean(axis=0) - b.mean(axis=0)) ** 2 + (a.std(axis=0) - b.std(axis=0)) ** 2
    cases["three features, 400 and 300 examples"] = (a, b, apart.sum())
    for what, (first, second, expected) in cases.items():
        found = answer(first.copy(), second.copy())
        if np.ndim(found) != 0:
            raise NotYet(f"{what}: expected one number, found shape {np.shape(found)}")
        expect_close(f"distance, {what}", found, expected)


def _verify_backwards(answer) -> None:
    start = np.array([[1.0, -2.0], [0.5, 3.0]])
    called = []

    def constant(u, t):
        called.append(t)
        return np.array([[3.0, 1.0], [-1.0, 2.0]])

    expect_close(
        "noise for a velocity that is the same everywhere, 4 steps",
        answer(constant, start.copy(), 4),
        start - constant(start, 0.0),
    )
    if len(called) != 5:
        raise NotYet(f"4 steps: expected 4 calls of velocity, found {len(called) - 1}")
    noise, steps = np.array([[0.3, -1.2], [1.5, 0.4]]), 2000

    def turning(u, t):  # the velocity depends on the place and on the time
        return u @ np.array([[0.0, 1.0], [-1.0, 0.0]]) + [4 * t, 0.0]

    code = noise
    for k in range(steps):
        code = code + turning(code, k / steps) / steps
    found = answer(turning, code.copy(), steps)
    expect_close("noise that leads to a known code, 2,000 steps", found, noise, tolerance=0.02)


EXERCISES = [
    Exercise(
        id="12.1",
        title="the KL divergence of two normal distributions",
        solution="""
def answer(mean_1, sigma_1, mean_2, sigma_2):
    mean, sigma = (mean_1 - mean_2) / sigma_2, sigma_1 / sigma_2
    return (mean**2 + sigma**2 - 1 - np.log(sigma**2)) / 2
""",
        hints=[
            "You know the answer if the second distribution is the standard one. Can you choose "
            "units in which it is?",
            "Subtract mean_2 and divide by sigma_2. A change of units does not change the KL "
            "divergence.",
            "In these units the first mean is (mean_1 - mean_2) / sigma_2 and the first spread is "
            "sigma_1 / sigma_2. Put them into the lesson's formula.",
        ],
        verify=_verify_kl,
        right=[
            "def answer(mean_1, sigma_1, mean_2, sigma_2):\n"
            "    squares = (sigma_1**2 + (mean_1 - mean_2) ** 2) / (2 * sigma_2**2)\n"
            "    return np.log(sigma_2 / sigma_1) + squares - 0.5"
        ],
        wrong=[
            (
                "def answer(mean_1, sigma_1, mean_2, sigma_2):\n"
                "    return (mean_1**2 + sigma_1**2 - 1 - np.log(sigma_1**2)) / 2",
                "mean_1=0, sigma_1=1, mean_2=0, sigma_2=2, by integration: expected 0.318",
            ),
            (
                "def answer(mean_1, sigma_1, mean_2, sigma_2):\n"
                "    mean, sigma = mean_1 - mean_2, sigma_2 / sigma_1\n"
                "    return (mean**2 + sigma**2 - 1 - np.log(sigma**2)) / 2",
                "mean_1=0, sigma_1=1, mean_2=0, sigma_2=2, by integration: expected 0.318",
            ),
            (
                "def answer(mean_1, sigma_1, mean_2, sigma_2):\n"
                "    mean, sigma = mean_1 - mean_2, sigma_1 / sigma_2\n"
                "    return (mean**2 + sigma**2 - 1 - np.log(sigma**2)) / 2",
                "mean_1=1, sigma_1=0.5, mean_2=-1, sigma_2=2, by integration",
            ),
        ],
    ),
    Exercise(
        id="12.2",
        title="the Fréchet distance of features that are independent",
        solution="""
def answer(a, b):
    means = (a.mean(axis=0) - b.mean(axis=0)) ** 2
    spreads = (a.std(axis=0) - b.std(axis=0)) ** 2
    return np.sum(means + spreads)
""",
        hints=[
            "For one feature you did it by hand in the lesson. What do three of them add up to?",
            "Each feature gives the squared difference of the means, plus the squared difference "
            "of the standard deviations.",
            "mean(axis=0) and std(axis=0) give one number for each feature. Square the "
            "differences, then add all of them up.",
        ],
        verify=_verify_frechet,
        right=[
            "def answer(a, b):\n"
            "    total = 0\n"
            "    for first, second in zip(a.T, b.T):\n"
            "        total += (first.mean() - second.mean()) ** 2\n"
            "        spreads = first.var() + second.var()\n"
            "        total += spreads - 2 * np.sqrt(first.var() * second.var())\n"
            "    return total"
        ],
        wrong=[
            (
                "def answer(a, b):\n    return np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)",
                "one feature stretched to twice its spread: expected",
            ),
            (
                "def answer(a, b):\n"
                "    means = (a.mean(axis=0) - b.mean(axis=0)) ** 2\n"
                "    return np.sum(means + (a.var(axis=0) - b.var(axis=0)) ** 2)",
                "one feature stretched to twice its spread: expected",
            ),
            (
                "def answer(a, b):\n"
                "    means = np.abs(a.mean(axis=0) - b.mean(axis=0))\n"
                "    return np.sum(means + np.abs(a.std(axis=0) - b.std(axis=0)))",
                "one feature moved by 2: expected 4, found 2",
            ),
            (
                "def answer(a, b):\n"
                "    means = (a.mean(axis=0) - b.mean(axis=0)) ** 2\n"
                "    return means + (a.std(axis=0) - b.std(axis=0)) ** 2",
                "expected one number",
            ),
        ],
    ),
    Exercise(
        id="12.3",
        title="a flow driven backwards",
        solution="""
def answer(velocity, u, steps):
    for k in range(steps):
        t = 1 - k / steps
        u = u - velocity(u, t) / steps
    return u
""",
        hints=[
            "Forwards, a step adds velocity / steps, and the time runs from 0 to 1.",
            "Backwards, a step subtracts it, and the time runs from 1 to 0.",
            "Begin with t = 1 and end one step before t = 0: t = 1 - k / steps.",
        ],
        verify=_verify_backwards,
        right=[
            "def answer(velocity, u, steps):\n"
            "    for k in reversed(range(steps)):\n"
            "        u = u - velocity(u, k / steps) / steps\n"
            "    return u"
        ],
        wrong=[
            (
                "def answer(velocity, u, steps):\n"
                "    for k in range(steps):\n"
                "        u = u + velocity(u, k / steps) / steps\n"
                "    return u",
                "velocity that is the same everywhere, 4 steps: expected",
            ),
            (
                "def answer(velocity, u, steps):\n    return u - velocity(u, 1.0)",
                "4 steps: expected 4 calls of velocity, found 1",
            ),
            (
                "def answer(velocity, u, steps):\n"
                "    for k in range(steps):\n"
                "        u = u - velocity(u, k / steps) / steps\n"
                "    return u",
                "noise that leads to a known code, 2,000 steps",
            ),
            (
                "def answer(velocity, u, steps):\n"
                "    for k in range(steps):\n"
                "        u = u - velocity(u, 1 - k / steps)\n"
                "    return u",
                "velocity that is the same everywhere, 4 steps: expected",
            ),
        ],
    ),
]
