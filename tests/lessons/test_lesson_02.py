"""The functions of lesson 02's studies give the same numbers as those on the page."""

import numpy as np
import pytest

from course_utils.studies import lesson_02 as study
from tests.lessons.taught import taught

CELLS = (
    *("neuron-check", "task-data", "forward-code", "forward-check"),
    *("backward-code", "train-code"),
)
GIVEN = {"np": np, "arm": study.ARM, "learning_rate": 0.3, "steps": 20}


@pytest.fixture(scope="module")
def page():
    return taught("02", *CELLS, **GIVEN)


def test_the_points_are_the_same(page):
    ours, theirs = (f(400, np.random.default_rng(1)) for f in (study.spirals, page.spirals))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("activation", study.PHI)
@pytest.mark.parametrize("biases", [True, False])
def test_a_training_is_the_same(page, activation, biases):
    X, y = study.spirals(400, np.random.default_rng(1))
    ours = study.start(8, np.random.default_rng(2))
    theirs = page.start(8, np.random.default_rng(2))
    rate, steps = GIVEN["learning_rate"], GIVEN["steps"]
    ours = study.train(X, y, ours, activation, biases, rate, steps)
    theirs = page.train(X, y, theirs, activation, biases)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14)
