"""Lesson 11: the page and its studies are the same; what the text says of a resumed search."""

import numpy as np
import optuna
import pytest

from course_utils import designers
from course_utils.beams import half_mbb
from course_utils.ratings import fit_factors, split_ratings
from course_utils.studies import lesson_11 as study
from course_utils.studies import read_study
from tests.lessons.taught import taught


class FakeNet:
    """Trainings without a network: errors that fall, faster with a better setting."""

    def train(self, setting, epochs, seed):
        rng = np.random.default_rng(seed)
        level = abs(np.log10(setting["learning_rate"]) + 2) / 10 + setting["dropout"] / 20
        for epoch in range(epochs):
            yield level + 0.5 / (1 + epoch) + rng.normal() / 1000

    def get_weights(self):
        return []


@pytest.fixture(scope="module")
def searching():
    return taught("11", "search-space", "search-code", "search-live", np=np, optuna=optuna)


@pytest.mark.parametrize("strategy", ["random", "tpe", "hyperband"])
def test_the_page_searches_as_the_study_does(searching, strategy):
    curves = [
        run(study.make_search(strategy, 5), FakeNet(), 100, 5)
        for run in (lambda *a: study.search(*a)[0], searching.search)
    ]
    assert searching.EPOCHS == study.EPOCHS
    assert np.isfinite(curves[0][-1])
    np.testing.assert_array_equal(*curves)


def test_hyperband_tries_more_settings_and_stops_some_after_one_or_three_epochs():
    made = study.make_search("hyperband", 5)
    study.search(made, FakeNet(), 180, 5)
    last = [trial.last_step for trial in made.trials[:-1]]
    assert len(last) > study.TRIALS
    assert set(last) == {1, 3, 9}


def test_a_resumed_search_with_the_same_seed_repeats_its_settings(tmp_path, searching):
    """The reason for `seed + done` on the page."""
    given = {"JournalStorage": optuna.storages.JournalStorage}
    journal = optuna.storages.journal
    given |= {
        name: getattr(journal, name) for name in ("JournalFileBackend", "JournalFileOpenLock")
    }
    page = taught("11", "search-live", optuna=optuna, **given)
    settings = {}
    for name, step in (("same", 0), ("counted", 3)):
        for again in (0, 1):
            opened = page.open_search(f"{tmp_path}/{name}.log", 7 + again * step)
            searching.search(opened, FakeNet(), 3 * study.EPOCHS, 7)
        settings[name] = [str(trial.params) for trial in opened.trials]
    assert settings["same"][:3] == settings["same"][3:]
    assert len(set(settings["counted"])) == 6


def test_the_page_fits_biases_and_factors_as_the_study_does():
    ratings = study.all_ratings()
    train = split_ratings(ratings, seed=3)["train"]
    page = taught("11", "bias-code", "factor-code", np=np, ratings=ratings, train=train)
    mean, biases = page.fit_biases(train, 10)
    ours, theirs = study.fit_biases(train, 10)
    assert mean == ours
    for kind in biases:
        np.testing.assert_allclose(biases[kind], theirs[kind])
    predicted = study.predict_biases(train, mean, biases)
    np.testing.assert_allclose(page.predict_biases(train, mean, biases), predicted)
    left = train["rating"] - predicted
    p, q = fit_factors(train, left, 1, 15.0, 2, study.sizes())
    for ours, theirs in zip(page.rank_one(left, 15.0, 2), (p, q), strict=True):
        np.testing.assert_allclose(ours, theirs[:, 0])


def test_the_page_redistributes_as_the_package_does():
    page = taught("11", "beam-rule", np=np)
    beam = half_mbb(8, 4)
    weight = beam.smoothing.T @ np.ones(32)
    x, energy = np.full(32, 0.5), np.random.default_rng(0).uniform(0.1, 5, 32)
    ours = page.redistribute(x, energy, weight, 0.5)
    np.testing.assert_allclose(ours, designers._redistribute(x, energy, weight, 0.5))


def test_the_page_designs_the_beam_as_the_package_does():
    beam = half_mbb(60, 20)
    given = {"beam": beam, "blur": beam.smoothing, "weight": beam.smoothing.T @ np.ones(1200)}
    page = taught("11", "beam-rule", "beam-design", np=np, solves=8, **given)
    ours = designers.optimality_criteria(beam, solves=8).best()[1]
    assert min(page.design(power=3)[1]) == pytest.approx(ours, rel=1e-4)


def test_the_studies_of_beams_and_ratings_say_what_the_text_says():
    beams, models, lists = (read_study(f"11_{name}") for name in ("beams", "ratings", "lists"))
    at_100 = {
        (kind, name): beams.where(beam=kind, designer=name)["after_100"]
        for kind in ("half MBB", "cantilever")
        for name in ("optimality criteria", "pixels", "network")
    }
    for kind, wins in (("half MBB", 8), ("cantilever", 4)):
        criteria, network = at_100[kind, "optimality criteria"], at_100[kind, "network"]
        assert np.sum(network < at_100[kind, "pixels"]) == wins
        assert network.min() < criteria.min()  # its best runs are as stiff, or slightly stiffer
        assert network.max() > at_100[kind, "pixels"].max() + 20  # its worst are far worse
        assert np.ptp(criteria) < 5
    errors = {
        (model, rank): models.where(model=model, rank=rank)["test_rmse"]
        for model, rank in {*zip(models["model"].tolist(), models["rank"].tolist(), strict=True)}
    }
    both, mean = errors["both biases", 0].mean(), errors["mean", 0].mean()
    assert (mean - both) / (mean - errors["factors", 8].mean()) > 0.99
    assert 0.7 < (mean - errors["lecturers", 0].mean()) / (mean - both) < 0.9
    np.testing.assert_allclose(errors["factors", 1], errors["both biases", 0], atol=1e-6)
    assert both - errors["factors", 8].mean() == pytest.approx(0.0004, abs=0.00005)
    of_all = {name: lists.where(ranking=name)["among_all"].mean() for name in set(lists["ranking"])}
    assert of_all["popularity"] > 3 * of_all["biases"]
    assert of_all["plain mean"] < of_all["random"]
    assert round(lists.where(ranking="biases")["shown"].mean()) == 14
