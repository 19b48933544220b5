"""Splits are whole, and the ranking measures are what they are by hand."""

import numpy as np
import pytest

from course_utils import ratings


def table(rows):
    student, lecturer, rating = np.transpose(rows)
    return {"student": student, "lecturer": lecturer, "rating": rating}


def test_a_split_has_every_rating_once():
    whole = table([(i % 7, i % 11, i) for i in range(1000)])
    parts = ratings.split_ratings(whole, seed=3)
    assert {name: len(part["rating"]) for name, part in parts.items()} == {
        "train": 700,
        "val": 100,
        "test": 200,
    }
    assert sorted(np.concatenate([part["rating"] for part in parts.values()])) == list(range(1000))
    for part in parts.values():
        assert (part["student"] == part["rating"] % 7).all()
    other = ratings.split_ratings(whole, seed=4)["test"]["rating"]
    assert set(other) != set(parts["test"]["rating"])


def test_ndcg_by_hand():
    gains = np.array([3.0, 31.0, 15.0])
    found = 3 + 31 / np.log2(3) + 15 / 2
    best = 31 + 15 / np.log2(3) + 3 / 2
    assert ratings.ndcg(gains, np.array([9, 8, 7])) == pytest.approx(found / best)
    assert ratings.ndcg(gains, gains) == 1
    assert ratings.ndcg(gains, np.array([9, 8, 7]), most=1) == pytest.approx(3 / 31)


def test_among_rated_is_the_mean_over_students_with_an_order():
    held_out = table([(4, 0, 2), (1, 0, 5), (4, 1, 5), (1, 1, 1), (2, 0, 3), (3, 0, 4), (3, 1, 4)])
    scores = np.array([2.0, 2.0, 1.0, 1.0, 0.0, 0.0, 0.0])  # student 4 wrong, student 1 right
    wrong = ratings.ndcg(np.array([3.0, 31.0]), np.array([2.0, 1.0]))
    assert ratings.ndcg_among_rated(held_out, scores) == pytest.approx((1 + wrong) / 2)


def test_equal_scores_show_no_order_of_the_file():
    held_out = table([(student, k, 5 - k) for student in range(400) for k in range(2)])
    value = ratings.ndcg_among_rated(held_out, np.zeros(800))
    wrong = ratings.ndcg(np.array([15.0, 31.0]), np.array([2.0, 1.0]))
    assert value == pytest.approx((1 + wrong) / 2, abs=0.02)


def test_lists_leave_out_what_was_seen():
    seen = table([(0, 2, 5), (1, 0, 1)])
    scores = np.array([[1.0, 2, 3, 0], [9, 1, 1, 2]])
    assert ratings.top_lists(seen, scores, most=2).tolist() == [[1, 0], [3, 1]]


def test_among_all_counts_what_was_not_rated_as_nothing():
    held_out = table([(0, 3, 5), (0, 1, 2), (2, 0, 4)])
    lists = np.array([[2, 3, 0], [0, 1, 2], [1, 2, 3]])  # student 1 has nothing to find
    first = (31 / np.log2(3)) / (31 + 3 / np.log2(3))
    assert ratings.ndcg_among_all(held_out, lists) == pytest.approx((first + 0) / 2)


def test_factors_find_a_table_of_rank_two():
    rng = np.random.default_rng(0)
    p, q = rng.normal(size=(30, 2)), rng.normal(size=(20, 2))
    student, lecturer = np.nonzero(rng.random((30, 20)) < 0.6)
    left = np.sum(p[student] * q[lecturer], axis=1)
    train = {"student": student, "lecturer": lecturer}
    found = ratings.fit_factors(train, left, 2, 1e-6, seed=1, sizes=(30, 20), rounds=60)
    assert np.abs(found[0] @ found[1].T - p @ q.T).max() < 0.05
    strict = ratings.fit_factors(train, left, 2, 1e6, seed=1, sizes=(30, 20))
    assert np.abs(strict[0] @ strict[1].T).max() < 1e-3


def test_two_towers_learn_who_is_strict():
    rng = np.random.default_rng(0)
    student, lecturer = rng.integers(40, size=4000), rng.integers(30, size=4000)
    whole = table(np.stack([student, lecturer, 3 + (student % 2) * 2 - 1], axis=1))
    whole |= dict.fromkeys(("student_age", "lecture_age", "service", "department"), student * 0)
    parts = ratings.split_ratings(whole, seed=0)
    predict = ratings.train_two_towers(parts["train"], parts["val"], 0.0, rank=2, seed=0, epochs=8)
    assert ratings.rmse(parts["test"], predict(parts["test"])) < 0.4  # the mean alone: 1
