"""The library's byte-pair encoding works on bytes, and shorter vocabularies are its beginnings."""

import numpy as np
import pytest

from course_utils import tokens

TEXT = "fair is foul and foul is fair\n" * 3 + "火、火。 漢漢"


@pytest.fixture(scope="module")
def tokenizer():
    return tokens.learn(TEXT, 280)


def test_tokens_stand_for_bytes(tokenizer):
    ids = tokens.encode(tokens.shortened(tokenizer, 256), TEXT)
    assert bytes(ids.tolist()).decode() == TEXT


def test_a_shorter_vocabulary_is_what_a_training_for_it_gives(tokenizer):
    fewer = tokens.learn(TEXT, 265)
    assert tokens.merges_of(fewer) == tokens.merges_of(tokenizer)[:9]
    short = tokens.shortened(tokenizer, 265)
    np.testing.assert_array_equal(tokens.encode(short, TEXT), tokens.encode(fewer, TEXT))
    assert len(tokens.encode(short, TEXT)) > len(tokens.encode(tokenizer, TEXT))


def test_a_long_text_is_cut_between_words(tokenizer, monkeypatch):
    whole = tokens.encode(tokenizer, TEXT)
    monkeypatch.setattr(tokens, "PIECE", 5)
    np.testing.assert_array_equal(tokens.encode(tokenizer, TEXT), whole)
    assert len(tokens.encode(tokenizer, "")) == 0
