"""Studies of lesson 04: what a larger batch buys, and on which level a run stops.

`run_batches` is the loop that the lesson teaches; `tests/lessons/test_lesson_04.py` proves that
they give the same numbers.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from course_utils.data import load_ink_and_width
from course_utils.studies import Study, Tuning, product

EXAMPLES_READ = 2**16  # of each run, 16 times the file; but at least FEWEST_UPDATES
FEWEST_UPDATES = 64
GOAL = 0.01  # share of the excess J − J* at the start
RUN_AWAY = 1e6  # excess, in units of that at the start, at which a run is stopped


@cache
def width_task():
    """Inputs, targets, second derivatives of J, and the best weights.

    X, the standardised ink of 4 × 4 cells, has shape (4096, 16), and y, the standardised width,
    (4096,). J is the mean of half the squared errors.
    """
    ink, width, _ = load_ink_and_width(rows=4, columns=4)
    X = (ink - ink.mean(axis=0)) / ink.std(axis=0)
    y = (width - width.mean()) / width.std()
    H = X.T @ X / len(X)
    return X, y, H, np.linalg.solve(H, X.T @ y / len(X))


def run_batches(batch_size: int, learning_rate: float, seed: int) -> np.ndarray:
    """Excess J − J* before the first and after each update, in units of the first.

    Examples are drawn with replacement; as many as there are in the file means all of them, once
    each. The path ends early where it has run away.
    """
    X, y, H, best = width_task()
    draws, w = np.random.default_rng([seed, batch_size]), np.zeros(X.shape[1])
    scale, excess = best @ H @ best, [1.0]
    for _ in range(max(EXAMPLES_READ // batch_size, FEWEST_UPDATES)):
        chosen = draws.integers(len(X), size=batch_size) if batch_size < len(X) else np.s_[:]
        w = w - learning_rate * ((X[chosen] @ w - y[chosen]) @ X[chosen] / batch_size)
        excess.append((w - best) @ H @ (w - best) / scale)
        if not excess[-1] < RUN_AWAY:
            break
    return np.array(excess)


def arrival(excess: np.ndarray, goal: float = GOAL) -> float:
    """First update t with a mean excess from t to 2t of at most `goal`; inf if there is none."""
    total = np.append(0.0, np.cumsum(excess))
    t = np.arange(1, (len(excess) + 1) // 2)
    arrived = total[2 * t + 1] - total[t] <= goal * (t + 1)
    return float(t[np.argmax(arrived)]) if arrived.any() else np.inf


def updates_row(setting: dict, seed: int) -> dict:
    """Updates until the goal is reached."""
    excess = run_batches(setting["batch_size"], setting["learning_rate"], seed)
    return {"val_updates": arrival(excess) if excess[-1] < RUN_AWAY else np.inf}


def level_row(setting: dict, seed: int) -> dict:
    """Mean excess in the last quarter of the run."""
    excess = run_batches(setting["batch_size"], setting["learning_rate"], seed)
    stays = excess[-1] < RUN_AWAY
    return {"level": float(excess[-len(excess) // 4 :].mean()) if stays else np.inf}


BATCHES = Study(
    name="04_batches",
    question="How many updates does a batch size need, each at its best learning rate?",
    arms=product(batch_size=[1, 4, 16, 64, 256, 1024, 4096]),
    seeds=range(30),
    run_row=updates_row,
    tolerance={"val_updates": 1},
    tuning=Tuning(
        # 0.9 of the limit of gradient descent, 2 / 3.579, and its parts by powers of √2
        {"learning_rate": [round(0.503 / 2 ** (i / 2), 6) for i in range(21)]},
        seeds=range(100, 110),
        by="val_updates",
        largest=False,
    ),
    smoke={"batch_size": 1024},
)
LEVELS = Study(
    name="04_levels",
    question="On which level does a run stop, by batch size and learning rate?",
    arms=product(
        batch_size=[1, 4, 16, 64, 256, 4096],
        learning_rate=[round(0.503 / 2**i, 6) for i in range(11)],
    ),
    seeds=range(30),
    run_row=level_row,
    tolerance={"level": 1e-6},
    smoke={"batch_size": 256, "learning_rate": 0.12575},
)
STUDIES = [BATCHES, LEVELS]
