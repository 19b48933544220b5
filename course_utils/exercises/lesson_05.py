"""Exercises of lesson 05: Adam's second step, choosing a learning rate from a table."""

import numpy as np

from course_utils.exercises import Exercise, NotYet, expect_close


def _second_step(g1, g2, beta_1, beta_2) -> float:
    m_hat = (beta_1 * g1 + g2) / (1 + beta_1)
    v_hat = (beta_2 * g1**2 + g2**2) / (1 + beta_2)
    return abs(m_hat) / v_hat**0.5


def _verify_second(answer) -> None:
    cases = [
        (2.0, 2.0, 0.9, 0.999),  # a constant gradient: 1
        (3.0, 1.0, 0.9, 0.999),
        (1.0, -2.0, 0.9, 0.999),  # the step goes up; its length is positive
        (0.0, 5.0, 0.8, 0.99),
        (1.0, 4.0, 0.5, 0.75),
    ]
    for g1, g2, beta_1, beta_2 in cases:
        what = f"step / η for g1={g1:g}, g2={g2:g}, beta_1={beta_1:g}, beta_2={beta_2:g}"
        expect_close(what, answer(g1, g2, beta_1, beta_2), _second_step(g1, g2, beta_1, beta_2))


NAN = float("nan")
TABLES = {
    "a plain valley": [[0.9, 1.1], [0.5, 0.6], [0.4, 0.3], [0.7, 0.8]],
    "the best single run is in another row": [[0.9, 0.9], [0.4, 0.4], [0.1, 0.9], [0.9, 0.9]],
    "a run of the last row diverged": [[0.9, 0.8], [0.4, 0.3], [0.5, 0.6], [NAN, 2.3]],
    "one run of the best row diverged": [[0.9, 0.9], [0.5, 0.6], [0.2, NAN], [NAN, 2.3]],
    "the lowest row is the first": [[0.2, 0.3], [0.5, 0.6], [0.7, 0.8]],
    "the lowest row is the last": [[0.9, 0.8], [0.5, 0.6], [0.4, 0.3]],
    "all rows after the lowest diverged": [[0.9, 0.8], [0.4, 0.3], [NAN, 0.2], [NAN, NAN]],
}


def _choice(losses) -> int | None:
    means = np.nan_to_num(np.mean(losses, axis=1), nan=np.inf)
    index = int(np.argmin(means))
    return None if index in (0, len(losses) - 1) else index


def _verify_choose(answer) -> None:
    for name, table in TABLES.items():
        losses = np.array(table)
        found, expected = answer(losses.copy()), _choice(losses)
        where = f"{name}, losses={table}"
        if expected is None and found is not None:
            raise NotYet(f"{where}: expected None, for the grid must grow, found {found!r}")
        if expected is not None and found is None:
            raise NotYet(f"{where}: expected row {expected}, found None")
        if expected is not None:
            expect_close(f"{where}: row", found, expected)


EXERCISES = [
    Exercise(
        id="05.1",
        title="Adam's second step",
        solution="""
def answer(g1, g2, beta_1, beta_2):
    m_hat = (beta_1 * g1 + g2) / (1 + beta_1)
    v_hat = (beta_2 * g1**2 + g2**2) / (1 + beta_2)
    return abs(m_hat) / v_hat**0.5
""",
        hints=[
            "Run lines one and two twice, from m = v = 0. Then correct for t = 2, once.",
            "m after two steps is beta_1 * (1 - beta_1) * g1 + (1 - beta_1) * g2.",
            "1 - beta_1**2 is (1 - beta_1) * (1 + beta_1). A length has no sign.",
        ],
        verify=_verify_second,
        right=[
            "def answer(g1, g2, beta_1, beta_2):\n"
            "    m = v = 0\n"
            "    for g in (g1, g2):\n"
            "        m = beta_1 * m + (1 - beta_1) * g\n"
            "        v = beta_2 * v + (1 - beta_2) * g**2\n"
            "    return np.abs(m / (1 - beta_1**2)) / np.sqrt(v / (1 - beta_2**2))"
        ],
        wrong=[
            (
                "def answer(g1, g2, beta_1, beta_2):\n    return 1.0",
                "g1=3, g2=1, beta_1=0.9, beta_2=0.999: expected 0.871064, found 1",
            ),
            (
                "def answer(g1, g2, beta_1, beta_2):\n"
                "    m = beta_1 * (1 - beta_1) * g1 + (1 - beta_1) * g2\n"
                "    v = beta_2 * (1 - beta_2) * g1**2 + (1 - beta_2) * g2**2\n"
                "    return abs(m) / v**0.5",
                "g1=2, g2=2, beta_1=0.9, beta_2=0.999: expected 1, found 4.2",
            ),
            (
                "def answer(g1, g2, beta_1, beta_2):\n"
                "    m = beta_1 * (1 - beta_1) * g1 + (1 - beta_1) * g2\n"
                "    v = beta_2 * (1 - beta_2) * g1**2 + (1 - beta_2) * g2**2\n"
                "    return abs(m / (1 - beta_1)) / (v / (1 - beta_2))**0.5",
                "g1=2, g2=2, beta_1=0.9, beta_2=0.999: expected 1, found 1.34",
            ),
            (
                "def answer(g1, g2, beta_1, beta_2):\n"
                "    m_hat = (beta_1 * g1 + g2) / (1 + beta_1)\n"
                "    v_hat = (beta_2 * g1**2 + g2**2) / (1 + beta_2)\n"
                "    return m_hat / v_hat**0.5",
                "g1=1, g2=-2, beta_1=0.9, beta_2=0.999: expected 0.366104, found -0.366104",
            ),
            (
                "def answer(g1, g2, beta_1, beta_2):\n"
                "    m_hat = (g1 + beta_1 * g2) / (1 + beta_1)\n"
                "    v_hat = (g1**2 + beta_2 * g2**2) / (1 + beta_2)\n"
                "    return abs(m_hat) / v_hat**0.5",
                "g1=3, g2=1, beta_1=0.9, beta_2=0.999: expected 0.871064, found 0.917",
            ),
        ],
    ),
    Exercise(
        id="05.2",
        title="a learning rate from a table",
        solution="""
def answer(losses):
    means = np.nan_to_num(np.mean(losses, axis=1), nan=np.inf)
    index = int(np.argmin(means))
    return None if index in (0, len(losses) - 1) else index
""",
        hints=[
            "A mean over a row with a nan is nan. That is useful: such a row must not win.",
            "np.argmin takes nan for the lowest. Replace nan by np.inf first.",
            "Then look where the lowest mean stands: first or last row means None.",
        ],
        verify=_verify_choose,
        right=[
            "def answer(losses):\n"
            "    means = losses.mean(axis=1)\n"
            "    index = np.nanargmin(means)\n"
            "    if index == 0 or index == len(losses) - 1:\n"
            "        return None\n"
            "    return index"
        ],
        wrong=[
            (
                "def answer(losses):\n"
                "    index = int(np.argmin(np.mean(losses, axis=1)))\n"
                "    return None if index in (0, len(losses) - 1) else index",
                "[0.5, 0.6], [nan, 2.3]]: expected row 1, found None",
            ),
            (
                "def answer(losses):\n"
                "    index = int(np.nanargmin(np.nanmean(losses, axis=1)))\n"
                "    return None if index in (0, len(losses) - 1) else index",
                "one run of the best row diverged, losses=[[0.9, 0.9], [0.5, 0.6], [0.2, nan], "
                "[nan, 2.3]]: row: expected 1, found 2",
            ),
            (
                "def answer(losses):\n"
                "    index = int(np.nanargmin(np.nanmin(losses, axis=1)))\n"
                "    return None if index in (0, len(losses) - 1) else index",
                "the best single run is in another row",
            ),
            (
                "def answer(losses):\n    return int(np.nanargmin(np.mean(losses, axis=1)))",
                "the lowest row is the first",
            ),
            (
                "def answer(losses):\n"
                "    index = int(np.nanargmin(np.mean(losses, axis=1)))\n"
                "    return None if index == 0 else index",
                "the lowest row is the last",
            ),
        ],
    ),
]
