"""Networks for small devices and their LiteRT files."""

import numpy as np
import pytest

from course_utils import edge, environment, litert


@pytest.fixture(scope="module")
def network():
    """A small network whose batch normalisation has seen images."""
    environment.set_seed(3)
    model = edge.digit_network(2)
    x, y = edge.digits("val")
    edge.train(model, x[:640], y[:640], edge.label_loss(), 2, 8e-3)
    return model


@pytest.fixture(scope="module")
def whole_file(network):
    x = edge.digits("val").x
    return edge.export(network, **edge.litert_options(x[:50])["full int8"])


def test_the_network_is_that_of_lesson_06():
    model = edge.digit_network(16, dropout=0.3)
    assert model.count_params() == 156_378
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [128, 10]


def test_the_parts_are_those_of_lesson_06():
    assert [len(edge.digits(part).y) for part in ("train", "val", "test")] == [55_000, 5000, 10_000]
    assert edge.digits("val").x.max() == 1


def test_without_normalisation_it_is_the_same_function(network):
    x = edge.digits("val").x[:100]
    plain = edge.without_normalisation(network)
    assert not any("BatchNormalization" in type(layer).__name__ for layer in plain.layers)
    ours, theirs = (model.predict(x, verbose=0) for model in (plain, network))
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert np.ptp(theirs) > 1


def test_shifts_change_the_images_of_a_training_and_no_others(network):
    x = edge.digits("val").x[:20]
    shifted = edge.with_shifts(network)
    np.testing.assert_allclose(shifted(x, training=False), network(x), atol=1e-5)
    assert not np.allclose(shifted(x, training=True), network(x, training=True), atol=0.1)


def test_a_file_in_full_int8_answers_nearly_as_the_network(network, whole_file):
    x = edge.digits("val").x[:200]
    found = litert.LiteRTModel(whole_file).logits(x)
    exact = network.predict(x, verbose=0)
    assert found.shape == (200, 10)
    assert np.abs(found - exact).mean() < 0.1 * exact.std()


@pytest.mark.parametrize("xnnpack", [True, False])
def test_the_parts_of_a_file_give_its_answers(whole_file, xnnpack):
    model = litert.LiteRTModel(whole_file, xnnpack=xnnpack)
    layers = litert.LiteRTModel(whole_file).whole_layers()
    assert [each.weights.shape[0] for each in layers] == [2, 4, 8, 16, 10]
    x = edge.digits("val").x[:50]
    q = np.rint(255 * x).astype(int)[..., None] - 128
    for i, layer in enumerate(layers):
        q = litert.windows(q, layer.weights.shape[1], layer.zero_in) if i < 3 else q.reshape(50, -1)
        total = (q - layer.zero_in) @ layer.weights.reshape(len(layer.weights), -1).T.astype(int)
        steps = (total + layer.bias) * layer.scale_weights * layer.scale_in / layer.scale_out
        lowest = layer.zero_out if i < 4 else -128
        q = np.clip(np.rint(steps) + layer.zero_out, lowest, 127).astype(int)
    off = np.abs(q - np.rint(model.logits(x) / layers[-1].scale_out) - layers[-1].zero_out)
    assert off.max() <= 1
    assert np.mean(off > 0) < 0.05


def test_a_file_whose_weights_cannot_be_told_apart_is_refused(whole_file):
    model = litert.LiteRTModel(whole_file, xnnpack=False)
    with pytest.raises(ValueError, match="full int8"):
        model.whole_layers()


def test_what_is_no_file_is_refused():
    with pytest.raises(ValueError):
        litert.LiteRTModel(b"nothing")
