"""Lesson 04: the page and its studies are the same; what the text says of a `fit` without seed."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest

from course_utils.bowls import linear_bowl
from course_utils.studies import lesson_04 as study
from course_utils.studies import read_study
from tests.lessons.taught import taught

UNSEEDED = """
import json, keras, numpy as np
seen = []
def spy(y, y_hat):
    seen.extend(y.numpy().ravel().astype(int).tolist())
    return keras.ops.mean(y_hat)
model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
model.compile("sgd", loss=spy, run_eagerly=True)
x, y = np.ones((10, 1)), np.arange(10).reshape(-1, 1)
model.fit(x, y, batch_size=1, epochs=3, verbose=0)
keras.utils.set_random_seed(0)
for _ in range(3):
    model.fit(x, y, batch_size=1, epochs=1, verbose=0)
print(json.dumps(np.reshape(seen, (6, 10)).tolist()))
"""


def test_the_page_trains_as_the_studies_do():
    X, y, _, _ = study.width_task()
    given = {"np": np, "X": X, "y": y, "n": len(X), "bowl": linear_bowl(X, y)}
    page = taught("04", "samplers-gradient", "sgd-code", "sgd-live", **given)
    for batch_size in (256, 4096):
        ours = study.run_batches(batch_size, 0.1, seed=3)
        draws = np.random.default_rng([3, batch_size])
        path = page.sgd(batch_size, 0.1, len(ours) - 1, draws)
        np.testing.assert_allclose(page.excess(path), ours, rtol=1e-8)
        assert page.arrival(ours) == study.arrival(ours)


@pytest.mark.parametrize(
    ("excess", "arrived"),
    [
        ([1, 0.5, 0.01, 0.01, 0.01], 2.0),
        ([1, 0.5, 0.0, 0.02, 0.02, *[0.01] * 6], 5.0),  # a lucky moment is not enough
        ([1, 0.5, 0.4, 0.3, 0.2], np.inf),
        ([1, 0.5, 0.01], np.inf),  # too short to tell
    ],
)
def test_a_run_has_arrived_when_it_stays(excess, arrived):
    assert study.arrival(np.array(excess), goal=0.0101) == arrived


def test_the_studies_say_what_the_text_says():
    batches, levels = read_study("04_batches"), read_study("04_levels")
    best = {B: batches.where(batch_size=B)["learning_rate"][0] for B in (1, 4, 16, 64)}
    examples = {B: B * batches.where(batch_size=B)["val_updates"].mean() for B in (*best, 4096)}
    assert [best[B] / best[1] for B in best] == pytest.approx([1, 4, 16, 64], rel=0.01)
    assert all(3700 <= examples[B] <= 3850 for B in (1, 4, 16))
    assert examples[4096] == 8 * 4096
    assert examples[1] / 8 == pytest.approx(460, abs=10)
    away = {B: levels.where(batch_size=B, learning_rate=0.12575)["level"] for B in (1, 4)}
    assert not np.isfinite(away[1]).any()
    assert np.isfinite(away[4]).all()


def test_64_normal_numbers_lie_within_the_limit_of_the_samplers():
    assert 64 * math.erfc(5.3 / math.sqrt(2)) < 1e-5


def test_without_a_seed_fit_shuffles_anew_and_with_one_it_does_not():
    done = subprocess.run(
        [sys.executable, "-c", UNSEEDED], capture_output=True, text=True, check=True
    )
    orders = [tuple(order) for order in json.loads(done.stdout.splitlines()[-1])]
    assert len(set(orders[:3])) > 1  # one order three times: once in 10^13
    assert len(set(orders[3:])) == 1  # of three calls as of three epochs
