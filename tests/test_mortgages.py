"""Random splits of the mortgage applications, and intervals over them."""

import numpy as np
import pytest

from course_utils import mortgages
from course_utils.data import load_mortgages


def test_a_split_holds_everybody_once_and_is_standardised_by_the_training_part():
    train, test = mortgages.split_applicants(seed=5)
    table = load_mortgages()
    assert (len(train.black), len(test.black)) == (1666, 714)
    assert train.black.sum() + test.black.sum() == table["black"].sum()
    assert train.approved.sum() + test.approved.sum() == np.sum(table["denied"] == 0)
    np.testing.assert_allclose(train.X.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(train.X.std(axis=0), 1)
    assert np.abs(test.X.mean(axis=0)).max() > 0.001
    both = np.concatenate([train.X, test.X])
    for j, name in enumerate(mortgages.INPUTS):
        slope = np.std(table[name]) / np.std(both[:, j])
        np.testing.assert_allclose(
            np.sort(both[:, j] * slope - np.mean(both[:, j] * slope)),
            np.sort(table[name] - np.mean(table[name])),
            atol=1e-9,
        )
    assert not {"black", "single", "insurance_denied", "denied"} & set(mortgages.INPUTS)


def test_widened_differences_give_the_interval_of_nadeau_and_bengio():
    d = np.random.default_rng(0).normal(size=20)
    wide = mortgages.widened(d)
    assert wide.mean() == pytest.approx(d.mean())
    error = wide.std(ddof=1) / 20**0.5
    assert error == pytest.approx(d.std(ddof=1) * np.sqrt(1 / 20 + 0.3 / 0.7))


def test_a_model_reads_race_only_if_asked_and_counts_people_by_their_weights():
    train, test = mortgages.split_applicants(seed=5)
    flipped = test._replace(black=~test.black)
    blind, reading = mortgages.fit(train), mortgages.fit(train, read_race=True)
    np.testing.assert_array_equal(blind(test), blind(flipped))
    assert np.all(reading(test)[test.black] < reading(flipped)[test.black])
    few = mortgages.fit(train, weights=np.where(train.approved, 0.1, 1.0))
    assert few(test).mean() < blind(test).mean() - 1
