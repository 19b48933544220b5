"""Lesson 16: the page and its studies are the same; what the text says of the stored numbers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils import edge, litert
from course_utils.studies import lesson_16 as study
from course_utils.studies import read_study
from tests.lessons.taught import taught


def test_the_page_distils_as_the_study_does():
    page = taught("16", "soft-code", keras=keras)
    teacher, pupil = np.random.default_rng(0).normal(size=(2, 6, 10)) * 5
    ours = study.distillation(4)(teacher, pupil)
    np.testing.assert_allclose(page.distillation(teacher, pupil), ours)


def test_the_page_prunes_as_the_study_does():
    page = taught("16", "prune-code", np=np, tf=tf)
    networks = [edge.digit_network(2) for _ in range(2)]
    networks[1].set_weights(networks[0].get_weights())
    for network, prune in zip(networks, (page.keep_largest, study.keep_largest), strict=True):
        prune(network, 0.75)
        kernel = network.layers[1].kernel
        np.testing.assert_array_equal(kernel.constraint(tf.ones_like(kernel)), kernel != 0)
    for ours, theirs in zip(*(network.get_weights() for network in networks), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    kernels = [np.ravel(layer.kernel) for layer in networks[0].layers if hasattr(layer, "kernel")]
    assert abs(np.mean(np.concatenate(kernels) == 0) - 0.75) < 0.01


def test_the_page_rounds_as_the_study_does():
    page = taught("16", "channel-code", np=np)
    kernel = np.random.default_rng(0).normal(size=(3, 3, 4, 5)) * np.arange(1, 6)
    for bits in study.BITS:
        for per_channel in (False, True):
            ours = page.rounded(kernel, bits, per_channel)
            np.testing.assert_array_equal(ours, study.rounded(kernel, bits, per_channel))


def test_the_page_stores_numbers_as_the_package_does():
    page = taught("16", "byte-code", np=np)
    x = np.random.default_rng(0).uniform(-9, 9, size=1000)
    end = {"quantization": (0.05, -17)}
    np.testing.assert_array_equal(page.quantized(x, 0.05, -17), litert._stored(x, end))
    q = page.quantized(x, 0.05, -17)
    np.testing.assert_allclose(page.restored(q, 0.05, -17), litert._restored(q, end), rtol=1e-6)


def test_the_studies_say_what_the_text_says():
    files, pupils = read_study("16_files").where(filters=16), read_study("16_pupils")
    base = files["test_float32"]
    assert abs(files["test_int8"] - base).max() <= 0.0003  # nothing that can be seen
    assert (files["test_pruned_80"] - files["test_int8"]).mean() == pytest.approx(0.0008, abs=2e-4)
    assert (files["test_pruned_90"] - base).mean() > 0.003
    assert files["zipped_pruned_80"].mean() < files["bytes_float32"].mean() / 10

    def row(filters, targets):
        return pupils.where(filters=filters, targets=targets)

    for filters, expected in ((2, 0), (4, 0.0013), (8, 0.0019)):
        gain = row(filters, "labels")["val_error"] - row(filters, "teacher, T = 4")["val_error"]
        assert gain.mean() == pytest.approx(expected, abs=4e-4)
    for targets in ("labels", "teacher, T = 4"):
        assert (row(4, targets)["test_int8"] - base).mean() > 0.003
        assert (row(8, targets)["test_int8"] - base).mean() < 0.003
        assert row(8, targets)["bytes_int8"].mean() < files["bytes_float32"].mean() / 10
    assert row(8, "teacher, T = 4")["test_int8"].mean() < base.mean()
