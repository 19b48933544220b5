"""Members, strangers and canaries; a network whose gradients are told apart by example."""

import numpy as np
import pytest

from course_utils import canaries
from course_utils.checks import numeric_gradient
from course_utils.data import load_mnist


def test_nobody_is_drawn_twice_and_the_first_hundred_have_wrong_labels():
    people = canaries.draw_people(seed=3, n=150)
    (images, labels), _ = load_mnist()
    order = np.random.default_rng([3, 18]).permutation(60000)[: 300 + canaries.VALIDATION]
    true = np.split(labels[order], [150, 300])
    for digits, own in zip(people[:3], true, strict=True):
        wrong = np.flatnonzero(digits.y != own)
        count = 0 if digits is people.val else canaries.CANARIES
        np.testing.assert_array_equal(wrong, np.arange(count))
        assert set(digits.y) <= set(range(10))
    np.testing.assert_allclose(people.strangers.x[7], images[order[157]].ravel() / 255, atol=1e-7)
    assert len(set(order)) == len(order)
    other = canaries.draw_people(seed=4, n=150).members
    assert np.any(other.y != people.members.y)


def test_too_few_and_too_many_people_are_refused():
    for n in (100, 27_501):
        with pytest.raises(ValueError, match="expected 101 to 27,500 members"):
            canaries.draw_people(0, n)


def test_pushes_are_derivatives_of_the_losses():
    rng = np.random.default_rng(0)
    theta = [w.astype(float) for w in canaries.first_weights(rng)]
    digits = canaries.Digits(rng.random((3, 784)), np.array([4, 0, 9]))
    a, push1, push2 = canaries.pushes(theta, digits.x, digits.y)
    np.testing.assert_array_equal(a, canaries.forward(theta, digits.x)[0])
    for index, push in ((1, push1), (3, push2)):

        def loss(b, index=index):
            changed = [b if k == index else w for k, w in enumerate(theta)]
            return canaries.losses(changed, digits).sum()

        np.testing.assert_allclose(
            push.sum(axis=0), numeric_gradient(loss, theta[index]), atol=1e-6
        )


def test_a_tiny_loss_is_not_rounded_to_zero():
    theta = [np.zeros((784, 100)), np.zeros(100), np.zeros((100, 10)), np.zeros(10)]
    theta[3][2] = 60.0
    digits = canaries.Digits(np.zeros((2, 784), np.float32), np.array([2, 3]))
    found = canaries.losses(theta, digits)
    np.testing.assert_allclose(found, [9 * np.exp(-60), 60 + np.log1p(9 * np.exp(-60))])
    assert canaries.accuracy(theta, digits) == 0.5
