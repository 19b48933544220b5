"""minimize: the loop lowers an objective, draws its batches, averages parameters."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils import environment
from course_utils.training import minimize


def fit_line(updates=200, averaged=0.0, learning_rate=0.1):
    """Fit y = 3x + 1 and return the two parameters and the report."""
    environment.set_seed(0)
    x = np.random.default_rng(1).normal(size=500).astype("float32")
    theta = keras.Variable([0.0, 0.0])

    def objective(x, y):
        return {
            "J": tf.reduce_mean((theta[0] * x + theta[1] - y) ** 2),
            "size": tf.cast(tf.size(x), tf.float32),
        }

    report = minimize(
        *(objective, [theta], [x, 3 * x + 1]),
        **{"updates": updates, "batch_size": 32, "learning_rate": learning_rate},
        averaged=averaged,
    )
    return theta.numpy(), report


def test_it_finds_the_minimum_and_reports_each_twentieth():
    theta, report = fit_line()
    np.testing.assert_allclose(theta, [3, 1], atol=0.05)
    assert report["J"].shape == (20,) and report["J"][-1] < report["J"][0] / 100
    assert (report["size"] == 32).all()


def test_the_same_seed_gives_the_same_parameters():
    np.testing.assert_array_equal(fit_line()[0], fit_line()[0])


def test_the_running_mean_takes_the_place_of_the_parameters():
    plain, slow = fit_line(updates=40)[0], fit_line(updates=40, averaged=0.99)[0]
    assert 0 < slow[0] < plain[0]  # the mean lags behind on the way from 0 to 3


def test_updates_that_cannot_be_reported_are_refused():
    with pytest.raises(ValueError, match="multiple of 20, found 30"):
        fit_line(updates=30)
