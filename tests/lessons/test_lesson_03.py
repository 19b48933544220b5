"""Lesson 03: the page and its studies are the same; the studies say what the text says."""

import numpy as np
import pytest

from course_utils.studies import lesson_03 as study
from course_utils.studies import read_study
from tests.lessons.taught import taught

PUSHES = {
    "cross-entropy": "class_push_ce",
    "MSE through softmax": "class_push_mse",
    "MSE without softmax": "class_push_linear",
}


@pytest.fixture(scope="module")
def page():
    cells = ("classes-code", "three-pushes", "three-network", "three-train", "three-data")
    return taught("03", *cells, np=np)


@pytest.mark.parametrize("name", PUSHES)
def test_the_page_trains_as_the_study_does(page, name):
    images, labels = np.random.default_rng(1).random((300, 196)), np.arange(300) % 10
    ours, theirs = (np.random.default_rng(2) for _ in range(2))
    given = 0.5, 40, images, labels
    *_, last = page.train(getattr(page, PUSHES[name]), page.begin(3.0, ours), *given, ours)
    stored = study.train(study.PUSHES[name], study.begin(3.0, theirs), *given, theirs)
    for part, expected in zip(last, stored, strict=True):
        np.testing.assert_allclose(part, expected, rtol=1e-10, atol=1e-13)
    assert page.accuracy(last, images, labels) == study.accuracy(stored, images, labels)


def test_the_page_shrinks_images_as_the_study_does(page):
    images = np.arange(28 * 28 * 2, dtype=np.uint8).reshape(2, 28, 28)
    np.testing.assert_array_equal(page.shrink(images), study.shrink(images))


def test_no_learning_rate_was_chosen_at_an_end_of_the_grid_where_the_loss_learns():
    starts = read_study("03_starts")
    grid = study.STARTS.tuning.grid["learning_rate"]
    learns = starts["test_accuracy"] > 0.3
    chosen = starts["learning_rate"][learns]
    assert grid[0] < chosen.min()
    assert chosen.max() < grid[-1]
