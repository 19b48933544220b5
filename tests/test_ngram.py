"""The n-gram models: probabilities that are ones, and two smoothings computed by hand."""

import numpy as np
import pytest

from course_utils.ngram import NGram

rng = np.random.default_rng(13)
TOKENS = np.minimum(rng.geometric(0.3, 3000), 7) - 1 + 2 * (np.arange(3000) % 2)


@pytest.mark.parametrize("smoothing", ["kneser-ney", "witten-bell"])
@pytest.mark.parametrize("order", [1, 2, 4])
def test_probabilities_add_up_and_agree_with_the_bits(order, smoothing):
    model = NGram(TOKENS, order, 10, smoothing)
    fresh = rng.integers(10, size=50)
    bits = model.bits(fresh)
    for i in range(50):
        p = model.probabilities(fresh[max(i - order + 1, 0) : i])
        assert p.min() > 0 and p.sum() == pytest.approx(1)
        assert -np.log2(p[fresh[i]]) == pytest.approx(bits[i])


def test_witten_bell_by_hand():
    model = NGram(np.array([0, 1, 0, 1, 0, 2]), 2, 4, "witten-bell")
    # after 0: 1 twice, 2 once, so 3 counts and 2 kinds
    expected = np.array([0, 2, 1, 0]) / 5 + 2 / 5 * _unigram()
    assert model.probabilities([0]) == pytest.approx(expected)


def _unigram():
    """Of the second tokens of the five pairs: 1, 0, 1, 0, 2."""
    return np.array([2, 2, 1, 0]) / 8 + 3 / 8 / 4


def test_kneser_ney_counts_after_how_many_tokens_one_came():
    # 30 comes often, but only after 31
    noise = rng.integers(30, size=2000)
    tokens = np.concatenate([[31, 30, *noise[i : i + 4]] for i in range(0, 2000, 4)])
    kneser, witten = (
        NGram(tokens, 2, 33, s).probabilities([32]) for s in ("kneser-ney", "witten-bell")
    )
    assert kneser[30] < 0.1 * witten[30] and kneser[31] > 0.2 * witten[31]


def test_kneser_ney_is_the_better_one_on_fresh_tokens():
    fresh = np.minimum(rng.geometric(0.3, 3000), 7) - 1 + 2 * (np.arange(3000) % 2)
    kneser, witten = (
        NGram(TOKENS, 4, 10, s).bits(fresh).mean() for s in ("kneser-ney", "witten-bell")
    )
    assert kneser < witten < np.log2(10)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="order 6: 3730 tokens need a lower one"):
        NGram(TOKENS, 6, 3730)
    with pytest.raises(ValueError, match="smoothing: expected one of"):
        NGram(TOKENS, 2, 10, "none")


def test_it_writes_what_it_has_read():
    cycle = np.tile([0, 1, 2, 3, 4], 400)
    text = NGram(cycle, 3, 5).write([3, 4], 40, np.random.default_rng(0))
    assert len(text) == 42 and np.mean(np.diff(text) % 5 == 1) > 0.9
