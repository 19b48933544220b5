"""Lesson 18: the page and its studies are the same; what the text says of the studies."""

from functools import partial

import numpy as np
import pytest

from course_utils import canaries
from course_utils.mortgages import split_applicants
from course_utils.studies import lesson_18 as study
from tests.lessons.taught import taught


@pytest.fixture(scope="module")
def attack():
    given = {"first_weights": canaries.first_weights, "pushes": canaries.pushes}
    return taught("18", "member-auc", "member-train", "noise-code", np=np, **given, BATCH_SIZE=250,
                  MOMENTUM=0.9)  # fmt: skip


@pytest.fixture(scope="module")
def repair():
    return taught("18", "rates-model", "repair-code", np=np)


@pytest.mark.parametrize("kind", ["plain", "private"])
def test_the_page_trains_as_the_study_does(attack, kind):
    members = canaries.draw_people(2, 600).members
    trained = []
    for source in (attack, study):
        gradient_sum = source.plain_sum
        if kind == "private":
            gradient_sum = partial(source.private_sum, max_norm=0.7, noise_multiplier=1.3)
        theta = source.train(members, 4, 0.3, gradient_sum, np.random.default_rng(1))
        trained.append(theta)
    for ours, theirs in zip(*trained, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert np.any(trained[0][0] != canaries.first_weights(np.random.default_rng(1))[0])


def test_one_person_changes_the_clipped_sum_by_at_most_the_limit():
    rng = np.random.default_rng(0)
    people = canaries.draw_people(2, 200).members
    theta = canaries.first_weights(rng)
    for limit in (0.1, 2.0, 100.0):
        whole, without = (
            study.private_sum(theta, people.x[start:40], people.y[start:40], rng, limit, 0.0)
            for start in (0, 1)
        )
        moved = np.sqrt(sum(np.sum((a - b) ** 2) for a, b in zip(whole, without, strict=True)))
        assert moved <= limit * 1.001
        assert moved > 0.9 * min(limit, 1.0)


def test_the_page_and_the_study_count_pairs_alike(attack):
    rng = np.random.default_rng(0)
    members, strangers = rng.integers(0, 9, 40), rng.integers(1, 10, 30)
    pairs = (members[:, None] < strangers) + 0.5 * (members[:, None] == strangers)
    assert attack.auc(members, strangers) == pytest.approx(pairs.mean())
    assert study.auc(members, strangers) == pytest.approx(pairs.mean())


def test_the_page_repairs_as_the_study_does(repair):
    learn, test = split_applicants(1)
    np.testing.assert_array_equal(repair.reweigh(learn), study.reweigh(learn))
    score = study.fit(learn, study.reweigh(learn))
    for name in ("one_bar", "bars_by_group"):
        ours, theirs = (getattr(m, name)(score(learn), learn, 0.9) for m in (repair, study))
        assert ours == theirs
        np.testing.assert_array_equal(
            repair.reaches(score(test), test, ours), study.reaches(score(test), test, theirs)
        )


def test_weights_make_group_and_decision_independent():
    learn, _ = split_applicants(1)
    weights = study.reweigh(learn)
    for group in (False, True):
        own = learn.black == group
        rate = np.average(learn.approved[own], weights=weights[own])
        assert rate == pytest.approx(learn.approved.mean())


def test_bars_by_group_have_equal_true_positive_rates_where_they_were_set():
    learn, _ = split_applicants(1)
    score = study.fit(learn)(learn)
    yes = study.reaches(score, learn, study.bars_by_group(score, learn, 0.88))
    rates = [yes[learn.approved & (learn.black == group)].mean() for group in (False, True)]
    assert abs(rates[0] - rates[1]) < 0.01
    assert yes.mean() == pytest.approx(0.88, abs=0.005)
