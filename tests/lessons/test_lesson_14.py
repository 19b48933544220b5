"""Lesson 14: the page trains as its studies do, and its counts hold for other sizes."""

import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import curve_fit

from course_utils import environment
from course_utils.studies import lesson_14 as study
from course_utils.training import minimize
from tests.lessons.taught import taught

TEXT = np.tile(np.arange(9, dtype="int32"), 60)


@pytest.fixture(scope="module")
def page():
    given = {"np": np, "tf": tf, "keras": keras, "os": os, "curve_fit": curve_fit}
    given |= {"environment": environment, "minimize": minimize}
    cells = ("law-network", "law-check", "law-train", "law-bits", "power-fit", "team-step")
    return taught("14", *cells, "team-loop", "team-work", **given)


def test_the_page_trains_as_the_study_does(page):
    found = []
    for source in (page, study):
        theta = source.train(3, 20, 0.03, TEXT, 9, seed=5)
        found.append([*(w.numpy() for w in theta), source.bits(theta, TEXT)])
    assert (study.SIZES.arms[0]["steps"], study.BATCH_SIZE) == (page.STEPS, page.BATCH_SIZE)
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_fits_find_the_numbers_of_a_law_without_noise(page):
    N = 612 * np.array([2, 4, 8, 16, 32, 64, 128]) + 68
    np.testing.assert_allclose(page.fit_law(N, page.law(N, 2.2, 8.0, 0.4)), [2.2, 8.0, 0.4], 1e-4)
    np.testing.assert_allclose(page.fit_line(N, page.line(N, 20.0, 0.1)), [20.0, 0.1])


def test_one_process_resumes_to_the_same_weights(page, tmp_path):
    windows = np.random.default_rng(0).integers(9, size=(45, 8, 9)).astype("int32")
    names = ("table", "W", "b")
    start = dict(zip(names, page.new_parameters(4, 9, np.random.default_rng(1)), strict=True))
    alone, reports = tf.distribute.get_strategy(), []

    def run(number, path):
        reports.clear()
        batches = windows[:number]
        return page.work(alone, 0, 1, reports.append, batches, str(tmp_path / path), **start)

    whole = run(45, "whole.npz")
    run(30, "broken.npz")  # the checkpoint of step 20 is the last
    resumed = run(45, "broken.npz")
    assert reports == list(range(21, 46))
    for name in names:
        np.testing.assert_array_equal(resumed[name], whole[name])
