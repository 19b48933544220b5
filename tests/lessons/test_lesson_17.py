"""What lesson 17 writes out equals what its studies use; the laws that its text names hold."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy.stats import rankdata

from course_utils import attacks, attributions, environment, steering
from course_utils.training import minimize
from tests.lessons.taught import taught

CELLS = (
    *("gradient-code", "integrated-code", "cam-code", "network-code", "network-train"),
    *("delete-code", "sane-code", "fgsm-code", "pgd-code", "steer-code"),
)


@pytest.fixture(scope="module")
def page():
    given = {"np": np, "tf": tf, "keras": keras, "layers": layers, "rankdata": rankdata}
    return taught("17", *CELLS, minimize=minimize, **given)


@pytest.fixture(scope="module")
def shown():
    """A network that is not trained, pictures with ink in a corner, and classes."""
    environment.set_seed(0)
    network, x = attributions.digit_network(), np.zeros((3, 28, 28, 1), np.float32)
    x[:, 10:14, 10:15] = np.random.default_rng(0).random((3, 4, 5, 1))
    return network, x, np.array([1, 5, 7])


def test_page_and_package_attribute_the_same(page, shown):
    for name, method in attributions.METHODS.items():
        ours = getattr(page, method.__name__)(*shown)
        steps = {"steps": 128} if name == "integrated gradients" else {}
        np.testing.assert_allclose(ours, method(*shown, **steps), atol=1e-6, err_msg=name)


def test_page_and_package_judge_the_same(page, shown):
    network, x, _ = shown
    a, b = np.random.default_rng(1).normal(size=(2, *x.shape))
    for number in (0, 3, 7):
        np.testing.assert_array_equal(*(f.delete(x, a, number) for f in (page, attributions)))
    assert np.sum(attributions.delete(x, a, 7) > 0) == np.sum(x > 0) - 3 * 7
    kept = [f.kept(network, x, a, (0, 20)) for f in (page, attributions)]
    np.testing.assert_array_equal(*kept)
    assert kept[0][0] == 1
    correlations = [f.rank_correlation(a, b, x > 0) for f in (page, attributions)]
    np.testing.assert_array_equal(*correlations)
    np.testing.assert_allclose(attributions.rank_correlation(a, -a, x > 0), -1)


def test_page_and_package_attack_the_same(page, shown):
    network, x, y = shown[0], tf.constant(shown[1]), shown[2]
    np.testing.assert_array_equal(*(f.fgsm(network, x, y, 0.1) for f in (page, attacks)))
    moved = []
    for source in (page, attacks):
        environment.set_seed(3)
        moved.append(source.pgd(network, x, y, 0.1, 3).numpy())
    np.testing.assert_array_equal(*moved)
    assert np.abs(moved[0] - x).max() <= 0.1 + 1e-6
    assert moved[0].min() >= 0


def test_page_and_package_train_the_same(page):
    x = np.random.default_rng(0).random((40, 28, 28, 1), np.float32)
    y = np.arange(40, dtype=np.int32) % 10
    given = {"x_train": x, "y_train": y, "LEARNING_RATE": 0.002}
    page.train_digits.__globals__.update(given)
    weights = []
    for disturb in (None, lambda network, x, y: attacks.pgd(network, x, y, 0.1, 2)):
        environment.set_seed(0)
        weights.append(page.train_digits(20, disturb).get_weights())
        environment.set_seed(0)
        weights.append(attributions.train_digits(x, y, 20, 0.002, disturb).get_weights())
    for ours, theirs in ((0, 1), (2, 3)):
        for a, b in zip(weights[ours], weights[theirs], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)
    assert any(np.any(a != b) for a, b in zip(weights[0], weights[2], strict=True))


def test_page_and_package_steer_the_same(page):
    rng = np.random.default_rng(0)
    u, y, amount = rng.normal(size=(60, 4)), np.arange(60) % 3, rng.normal(size=60)
    np.testing.assert_array_equal(*(f.steering_vector(u, y, amount) for f in (page, steering)))
    read = [f.fit_probe(u, amount)(u) for f in (page, steering)]
    np.testing.assert_array_equal(*read)
    line = u @ [1.0, -2.0, 0.5, 0.0]
    assert steering.explained(line, steering.fit_probe(u, line)(u)) > 0.99


def test_grad_cam_is_cam_where_the_head_averages_its_maps():
    """With mean pooling and one dense layer its weights are the layer's (Selvaraju 2017)."""
    environment.set_seed(0)
    body = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(3, 3, 4, "same")])
    head = keras.Sequential(
        [keras.Input((7, 7, 3)), layers.GlobalAveragePooling2D(), layers.Dense(4)]
    )
    x = np.random.default_rng(0).random((2, 28, 28, 1), np.float32)
    found = attributions.grad_cam(keras.Sequential([body, head]), x, np.array([1, 3]))
    w = head.get_weights()[0][:, [1, 3]] / 49
    cam = np.maximum(np.einsum("nijc,cn->nij", body(x), w), 0)[..., None]
    np.testing.assert_allclose(found, tf.image.resize(cam, (28, 28)), atol=1e-6)


def test_without_biases_the_product_is_integrated_gradients(shown):
    network, x, k = shown  # biases begin at 0
    product = attributions.gradient_times_input(network, x, k)
    np.testing.assert_allclose(
        attributions.integrated_gradients(network, x, k, 3), product, atol=1e-6
    )
    sums = product.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(sums, attributions.logit(network, x, k), atol=1e-5)
