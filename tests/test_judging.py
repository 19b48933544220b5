"""The measures of lesson 12: Fréchet distance, variance within classes, nearest pictures."""

import numpy as np
import pytest
import scipy.linalg

from course_utils.judging import frechet_distance, judge_network, judged, nearest
from course_utils.judging import within_class_variance as within


@pytest.fixture
def sets():
    rng = np.random.default_rng(3)
    mixing = rng.normal(size=(5, 5))
    return rng.normal(size=(400, 5)) @ mixing, rng.normal(1, 2, size=(300, 5))


def test_the_distance_is_the_formula_with_scipys_root(sets):
    a, b = sets
    cov_a, cov_b = np.cov(a.T), np.cov(b.T)
    root = scipy.linalg.sqrtm(cov_a @ cov_b).real
    apart = a.mean(axis=0) - b.mean(axis=0)
    expected = apart @ apart + np.trace(cov_a + cov_b - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)


def test_a_set_and_itself_are_not_apart_and_a_move_counts_squared(sets):
    a, _ = sets
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-9)
    assert frechet_distance(a, np.add(a, [0, 0, 3, 0, 0])) == pytest.approx(9)


def test_features_that_never_change_do_no_harm(sets):
    a, b = (np.hstack([part, np.zeros((len(part), 2))]) for part in sets)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(*sets), rel=1e-6)


def test_sets_of_other_features_are_refused(sets):
    with pytest.raises(ValueError, match=r"found \(400, 5\) and \(300, 4\)"):
        frechet_distance(sets[0], sets[1][:, :4])


def test_variance_within_classes():
    features, labels = np.array([[0.0, 0], [2, 0], [5, 5], [5, 5]]), [7, 7, 3, 3]
    assert within(features, labels) == 0.5  # class 7 has variance 1 in one feature, class 3 none


def test_nearest_is_a_brute_force_search():
    rng = np.random.default_rng(0)
    pictures, others = rng.random((7, 30)), rng.random((40, 30))
    apart = np.linalg.norm(pictures[:, None] - others, axis=2)
    index, distance = nearest(pictures, others, block=3)
    np.testing.assert_array_equal(index, apart.argmin(axis=1))
    np.testing.assert_allclose(distance, apart.min(axis=1), rtol=1e-5)


def test_a_judge_sees_pictures_of_either_shape():
    pictures, network = np.random.default_rng(0).random((5, 28, 28)), judge_network()
    seen, flat = judged(network, pictures), judged(network, pictures.reshape(5, 784))
    assert seen.features.shape == (5, 64)
    np.testing.assert_array_equal(seen.digits, flat.digits)
    _, logits = network(pictures[..., None].astype("float32"))
    odds = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(seen.confidence, odds.max(axis=1), rtol=1e-5)
