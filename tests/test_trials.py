"""A trial depends on its setting and seed alone, and each part of a setting does something."""

import numpy as np
import pytest

from course_utils.trials import DigitTrials, _shifted, schedule

SETTING = {"learning_rate": 0.01, "dropout": 0.2, "weight_decay": 0.01, "shift": 1}


@pytest.fixture(scope="module")
def net():
    return DigitTrials()


def weights_after(net, setting, seed=0, epochs=1):
    errors = list(net.train(setting, epochs, seed))
    return errors, np.concatenate([w.ravel() for w in net.get_weights()])


def test_a_training_is_made_again_whatever_came_between(net):
    errors, weights = weights_after(net, SETTING, epochs=2)
    changed = {"learning_rate": 0.02, "dropout": 0.5, "weight_decay": 0.5, "shift": 2}
    others = [weights_after(net, SETTING | {k: v})[1] for k, v in changed.items()]
    others.append(weights_after(net, SETTING, seed=1)[1])
    again = weights_after(net, SETTING, epochs=2)
    assert errors == again[0]
    np.testing.assert_array_equal(weights, again[1])
    one = weights_after(net, SETTING)[1]
    assert all(np.abs(other - one).max() > 1e-3 for other in others)
    assert errors[-1] < 0.5


def test_weights_can_be_kept(net):
    list(net.train(SETTING, 1, seed=0))
    kept, error = net.get_weights(), net.test_error()
    list(net.train(SETTING | {"learning_rate": 1e-4}, 1, seed=0))
    assert net.test_error() != error
    net.set_weights(kept)
    assert net.test_error() == error


@pytest.mark.parametrize("wrong", [{"shift": 4}, {"momentum": 0.9}])
def test_a_wrong_setting_is_refused(net, wrong):
    with pytest.raises(ValueError, match="setting: expected"):
        next(net.train(SETTING | wrong, 1, seed=0))


def test_the_schedule_rises_and_falls():
    rates = schedule(100)
    assert rates.argmax() in (8, 9)
    assert rates[0] == pytest.approx(0.1)
    assert rates[-1] == pytest.approx(0, abs=1e-3)
    assert (np.diff(rates[9:]) < 0).all()


def test_shifted_images_keep_their_ink():
    images = np.zeros((50, 28, 28, 1), np.float32)
    images[:, 14, 10] = 1
    moved = _shifted(images, 2, np.random.default_rng(0))
    _, rows, columns, _ = np.nonzero(moved)
    assert moved.sum() == 50
    assert set(rows) == {12, 13, 14, 15, 16}
    assert set(columns) == {8, 9, 10, 11, 12}
