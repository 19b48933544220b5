"""Studies of lesson 18: what noise hides and costs, and what a repair of unequal rates costs.

What the lesson teaches as well is its own (`tests/lessons/test_lesson_18.py`).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from course_utils.canaries import (
    CANARIES,
    accuracy,
    draw_people,
    first_weights,
    losses,
    pushes,
)
from course_utils.mortgages import fit, split_applicants
from course_utils.studies import Study, Tuning, product

PEOPLE, BATCH_SIZE, MOMENTUM, MAX_NORM = 10_000, 250, 0.9, 1.0
LONG, SHORT, STOPPED = 3000, 400, 50  # steps: learnt by heart, of most arms, of one stopped early


def plain_sum(theta, x, y, rng):
    """Return the sum of the gradients of all examples, for each array of theta."""
    a, push1, push2 = pushes(theta, x, y)
    return [x.T @ push1, push1.sum(axis=0), a.T @ push2, push2.sum(axis=0)]


def private_sum(theta, x, y, rng, max_norm=1.0, noise_multiplier=1.0):
    """Return the sum of the gradients, each shortened to max_norm, and noise on top."""
    a, push1, push2 = pushes(theta, x, y)
    square1 = (1 + np.sum(x**2, axis=1)) * np.sum(push1**2, axis=1)
    square2 = (1 + np.sum(a**2, axis=1)) * np.sum(push2**2, axis=1)
    length = np.sqrt(square1 + square2) + 1e-12
    factor = np.minimum(1, max_norm / length)[:, None]
    push1, push2 = factor * push1, factor * push2
    total = [x.T @ push1, push1.sum(axis=0), a.T @ push2, push2.sum(axis=0)]
    size = np.float32(noise_multiplier * max_norm)
    return [g + size * rng.standard_normal(g.shape, np.float32) for g in total]


def train(digits, steps, learning_rate, gradient_sum, rng):
    """Train a network with momentum; each step takes each person with the same probability."""
    theta = first_weights(rng)
    move = [np.zeros_like(w) for w in theta]
    for _ in range(steps):
        batch = rng.random(len(digits.y)) < BATCH_SIZE / len(digits.y)
        total = gradient_sum(theta, digits.x[batch], digits.y[batch], rng)
        for k, g in enumerate(total):
            move[k] = MOMENTUM * move[k] - learning_rate * g / BATCH_SIZE
            theta[k] = theta[k] + move[k]
    return theta


def auc(members, strangers):
    """Return the share of pairs in which the member has the lower loss; a tie counts half."""
    strangers = np.sort(strangers)
    below = np.searchsorted(strangers, members, side="left")  # strangers with a lower loss
    tied = np.searchsorted(strangers, members, side="right") - below
    return 1 - np.mean(below + tied / 2) / len(strangers)


def privacy_row(setting, seed):
    """Accuracy of a network, and what an attack by the loss finds out about its members."""
    people, rng = draw_people(seed, PEOPLE), np.random.default_rng([seed, 1])
    gradient_sum = plain_sum
    if setting["clipped"]:
        noise_multiplier = setting["noise_multiplier"]
        gradient_sum = partial(private_sum, max_norm=MAX_NORM, noise_multiplier=noise_multiplier)
    theta = train(people.members, setting["steps"], setting["learning_rate"], gradient_sum, rng)
    inside, outside = losses(theta, people.members), losses(theta, people.strangers)
    canaries = inside[:CANARIES], outside[:CANARIES]
    return {
        "val_accuracy": accuracy(theta, people.val),
        "test_accuracy": accuracy(theta, people.test),
        "average_auc": auc(inside, outside),
        "canary_auc": auc(*canaries),
        "canary_tpr": np.mean(canaries[0] < np.quantile(canaries[1], 0.1)),
    }


def way(steps, clipped, noise_multiplier):
    """Return an arm of the study of privacy."""
    return {"steps": steps, "clipped": clipped, "noise_multiplier": noise_multiplier}


PRIVACY = Study(
    name="18_privacy",
    question="What does an attack find out, and what does a network lose, by how it is trained?",
    arms=[
        way(LONG, False, 0.0),
        way(SHORT, False, 0.0),
        way(STOPPED, False, 0.0),
        way(SHORT, True, 0.0),
        *(way(SHORT, True, noise) for noise in (1.0, 2.0, 4.0)),
    ],
    seeds=range(10),
    run_row=privacy_row,
    tolerance={
        "val_accuracy": 0.02,
        "test_accuracy": 0.02,
        "average_auc": 0.02,
        "canary_auc": 0.05,
        "canary_tpr": 0.1,
    },
    tuning=Tuning(
        {"learning_rate": [0.02, 0.05, 0.1, 0.2, 0.5, 1.5, 4.0, 10.0]},
        seeds=[100, 101],
        by="val_accuracy",
    ),
    smoke=way(SHORT, True, 2.0),
)


def reweigh(people):
    """Return weights with which group and decision are independent."""
    weights = np.empty(len(people.black))
    for group in (False, True):
        for decision in (False, True):
            own, same = people.black == group, people.approved == decision
            weights[own & same] = np.mean(own) * np.mean(same) / np.mean(own & same)
    return weights


def one_bar(score, people, share):
    """Return a bar for each group, which is the same, so that `share` of the people reach it."""
    bar = np.quantile(score, 1 - share) if share < 1 else -np.inf
    return {False: bar, True: bar}


def bars_by_group(score, people, share):
    """Return a bar for each group: equal true-positive rates, and `share` of the people above."""
    for rate in np.linspace(1, 0, 1001):
        bars = {
            group: np.quantile(score[people.approved & (people.black == group)], 1 - rate)
            for group in (False, True)
        }
        if np.mean(reaches(score, people, bars)) <= share:
            return bars
    return bars


def reaches(score, people, bars):
    """Return who reaches the bar of the own group."""
    return score >= np.where(people.black, bars[True], bars[False])


def repair_row(setting, seed):
    """Rates of the test people, by group, and how well decision and race are told from inputs."""
    train_part, test = split_applicants(seed)
    method = setting["method"]
    weights = reweigh(train_part) if method == "reweighed" else None
    score = fit(train_part, weights, method == "race read")
    place = bars_by_group if method == "bars by group" else one_bar
    bars = place(score(train_part), train_part, setting["share"])
    yes = reaches(score(test), test, bars)
    race = fit(train_part._replace(approved=train_part.black))(test)
    row = {
        "accuracy": np.mean(yes == test.approved),
        "specificity": np.mean(~yes[~test.approved]),
        "tpr": np.mean(yes[test.approved]),
        "loans": np.mean(yes),
        "decision_auc": 1 - auc(score(test)[test.approved], score(test)[~test.approved]),
        "race_auc": 1 - auc(race[test.black], race[~test.black]),
    }
    for name, group in {"black": test.black, "white": ~test.black}.items():
        row[f"loans_{name}"] = np.mean(yes[group])
        row[f"tpr_{name}"] = np.mean(yes[group & test.approved])
        row[f"fpr_{name}"] = np.mean(yes[group & ~test.approved])
        row[f"precision_{name}"] = np.mean(test.approved[group & yes])
    return row


SHARES = [0.80, 0.84, 0.88, 0.92, 0.96]
RATES = ["loans", "tpr", "fpr", "precision"]
REPAIRS = Study(
    name="18_repairs",
    question="What does a repair of unequal true-positive rates cost, by its method?",
    arms=[
        *product(method=["one bar", "bars by group", "reweighed"], share=SHARES),
        {"method": "race read", "share": 0.88},
        {"method": "one bar", "share": 1.0},
    ],
    seeds=range(50),
    run_row=repair_row,
    tolerance=dict.fromkeys(
        ["accuracy", "specificity", "tpr", "loans", "decision_auc", "race_auc"]
        + [f"{rate}_{group}" for group in ("black", "white") for rate in RATES],
        0.02,
    ),
)
STUDIES = [PRIVACY, REPAIRS]
