"""What lesson 12 writes out is what `course_utils.painting` does, for studies and models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course_utils import environment, painting
from course_utils.training import minimize
from tests.lessons.taught import taught

CELLS = ("squeeze-code", "squeeze-train", "vae-kl-check", "vae-code", "flow-walk", "flow-code",
         "flow-draw", "guidance-code")  # fmt: skip
CODE_SIZE = 4


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(0).random((300, 784)).astype("float32")


def page(**given):
    names = {"np": np, "tf": tf, "keras": keras, "minimize": minimize, "code_size": CODE_SIZE}
    return taught("12", *CELLS, **names, **given)


def assert_same(*pairs):
    for ours, theirs in pairs:
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_autoencoder_with_clouds_is_the_same(x):
    environment.set_seed(1)
    encoder, decoder, _ = page(x_train=x).train_vae(0.03, 20)
    environment.set_seed(1)
    ours = painting.train_vae(x, CODE_SIZE, 0.03, 20)
    assert_same((ours[0], encoder), (ours[1], decoder))


def test_the_flow_and_its_pictures_are_the_same():
    rng = np.random.default_rng(0)
    mu, labels = rng.normal(size=(200, CODE_SIZE)).astype("float32"), rng.integers(10, size=200)
    data = [mu, np.full_like(mu, 0.1), np.eye(10, dtype="float32")[labels]]
    environment.set_seed(2)
    velocity = painting.dense_network([CODE_SIZE + 11, *painting.FLOW_HIDDEN, CODE_SIZE], "silu")
    lesson = page(velocity=velocity)
    options = {"updates": 20, "batch_size": 512, "learning_rate": 2e-3, "averaged": 0.999}
    minimize(lesson.flow_objective, velocity.trainable_variables, data, **options)
    environment.set_seed(2)
    flow = painting.train_flow(*data, updates=20)
    assert_same((flow.velocity, velocity))
    noise = rng.normal(size=(6, CODE_SIZE)).astype("float32")
    drawn = lesson.draw_codes(noise, lesson.one_hot(labels[:6]), 1.5)
    np.testing.assert_allclose(flow.draw(noise, data[2][:6], 1.5), drawn, atol=1e-5)
