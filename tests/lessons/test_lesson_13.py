"""What lesson 13 writes out equals what the package, its study and its recipes use."""

import re
from collections import Counter
from itertools import pairwise

import keras
import numpy as np
import pytest
from keras import layers, ops

from course_utils import corpora, environment, text_models, tokens
from course_utils.models import lesson_13
from course_utils.models.store import read, shipped
from course_utils.ngram import NGram
from tests.lessons.taught import taught

CELLS = (
    *("tokens-code", "tokens-merges", "attend-code", "model-attention", "model-embed"),
    *("model-code", "train-code", "write-code", "write-loop", "top-code"),
)


@pytest.fixture(scope="module")
def page():
    given = {"np": np, "re": re, "Counter": Counter, "pairwise": pairwise}
    return taught("13", *CELLS, keras=keras, layers=layers, ops=ops, **given)


@pytest.mark.parametrize(
    "text", ["aaaa aaa aaaaa ababab\n" * 3, "火、火。火\n漢漢 漢", "fair is foul and foul is fair"]
)
def test_the_merges_are_the_librarys_at_every_tie(page, text):
    assert page.learn_merges(text, 6) == tokens.merges_of(tokens.learn(text, 262))


def test_the_two_transformers_are_trained_and_write_the_same(page):
    text = np.tile(np.arange(9), 30)
    models = {}
    for name, source in (("page", page), ("package", text_models)):
        rng = environment.set_seed(0)
        model = source.transformer(9, 12, 8, 2, 2, dropout=0.1)
        source.train(model, source.pieces(text, 12, 16, rng, every=3), 4, 0.01)
        models[name] = model, source.write(model, np.zeros((2, 1), int), 15, 12, rng)
    for ours, theirs in zip(
        models["page"][0].get_weights(), models["package"][0].get_weights(), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    np.testing.assert_array_equal(models["page"][1], models["package"][1])


def test_probabilities_are_the_same(page):
    logits = np.random.default_rng(0).normal(size=(3, 9))
    for options in ({}, {"temperature": 0.5}, {"top_k": 2}):
        ours, theirs = (f.probabilities(logits, **options) for f in (page, text_models))
        np.testing.assert_array_equal(ours, theirs)
    assert np.sum(page.top_p(logits, 1e-9) > 0, axis=1).tolist() == [1, 1, 1]
    np.testing.assert_allclose(page.top_p(logits, 1.0), page.probabilities(logits))


def test_six_characters_of_context_are_best():
    plays = corpora.plays()
    found = {
        order: NGram(plays.training, order, len(plays.symbols)).bits(plays.validation).mean()
        for order in (6, 7, 8)
    }
    assert min(found, key=found.get) == 7 and found[7] == pytest.approx(2.1025, abs=1e-4)


def test_shipped_weights_have_names_and_shapes_of_a_transformer():
    stored = read(shipped("shakespeare"))
    assert list(stored.weights) == lesson_13.names(stored.parameters["num_layers"])
    assert stored.weights["token"].shape == (68, 128)
    assert stored.weights["block_4_qkv_weights"].shape == (128, 384)
    assert stored.weights["logits_weights"].shape == (128, 68)
