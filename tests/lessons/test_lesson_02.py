"""The functions of lesson 02's studies give the same numbers as those on the page."""

import numpy as np
import pytest

from course_utils.studies import lesson_02 as study
from tests.lessons.taught import taught

CELLS = (
    *("neuron-code", "task-data", "forward-code", "forward-start"),
    *("forward-loss-check", "backward-code", "backward-differences", "backward-check"),
    *("backward-check-broken", "train-code", "parts-train"),
)
GIVEN = {"np": np, "learning_rate": 0.3, "steps": 20, "x_train": None, "y_train": None}


@pytest.fixture(scope="module")
def page():
    return taught("02", *CELLS, **GIVEN)


@pytest.fixture(scope="module")
def points(page):
    ours, theirs = (f(400, np.random.default_rng(1)) for f in (study.spirals, page.spirals))
    assert all(np.array_equal(a, b) for a, b in zip(ours, theirs, strict=True))
    return ours


@pytest.mark.parametrize("name", study.PHI)
def test_a_training_is_the_same(page, points, name):
    phi, slope = {
        "tanh": (np.tanh, page.tanh_slope),
        "relu": (page.relu, page.relu_slope),
        "none": (page.identity, np.ones_like),
        "tanh with a broken gradient": (np.tanh, page.broken_slope),
    }[name]
    theirs = page.train(*points, page.start(8, np.random.default_rng(2)), phi, slope)
    ours = study.start(8, np.random.default_rng(2))
    ours = study.train(*points, ours, *study.PHI[name], True, 0.3, 20)
    for key, part in theirs.items():
        np.testing.assert_allclose(ours[key], part, rtol=1e-12, atol=1e-14)


def test_a_gradient_check_sees_the_broken_slope_unless_all_sums_are_near_0(page, points):
    theta = page.start(8, np.random.default_rng(2))
    theta |= {"b1": theta["b1"] + 0.1, "b2": theta["b2"] + 0.5}
    assert page.error_at(theta, *points) < 1e-6
    assert page.error_at(theta, *points, slope=page.broken_slope) > 0.1
    near_0 = theta | {name: 0.001 * theta[name] for name in ("W1", "b1")}
    assert page.error_at(near_0, *points, slope=page.broken_slope) < 1e-6


def test_without_biases_only_the_weights_move(points):
    theta = study.start(8, np.random.default_rng(2))
    trained = study.train(*points, theta, *study.PHI["tanh"], False, 0.3, 20)
    assert not trained["b1"].any() and not trained["b2"].any()
    assert (trained["W1"] != theta["W1"]).all() and (trained["W2"] != theta["W2"]).all()


def test_a_study_without_hidden_units_trains_the_neuron_of_the_page(points):
    X, y = points
    w, b = np.zeros((2, 1)), 0.0
    for _ in range(20):
        d_z = (1 / (1 + np.exp(-(X @ w + b))) - y) / len(X)
        w, b = w - 0.3 * X.T @ d_z, b - 0.3 * d_z.sum()
    theta = study.train(X, y, study.start(0, None), *study.PHI["none"], True, 0.3, 20)
    np.testing.assert_allclose(theta["W2"], w)
    np.testing.assert_allclose(theta["b2"], [[b]])
