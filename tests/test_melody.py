"""Tunes are cut out of tokens at their ends, and their intervals are counted."""

import numpy as np

from course_utils import melody

SYMBOLS = [(0, 0), (60, 12), (62, 12), (0, 6)]


def test_a_tune_goes_to_the_next_end():
    rows = np.array([[0, 1, 2, 0, 1], [0, 2, 2, 1, 1], [0, 0, 1, 1, 1], [0, 1, 0, 2, 2]])
    first, second = melody.to_tunes(rows, SYMBOLS, fewest=2)
    assert first.tolist() == [[60, 12], [62, 12]]
    assert second[:, 0].tolist() == [62, 62, 60, 60]


def test_intervals_are_counted_over_rests():
    tunes = [np.array([[60, 12], [0, 6], [62, 12], [62, 12]]), np.array([[60, 1], [90, 1]])]
    shares = melody.interval_shares(tunes)
    assert shares[12 + 2] == shares[12] == shares[24] == 1 / 3 and np.isclose(shares.sum(), 1)
