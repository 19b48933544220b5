"""Byte-pair encoding by the library `tokenizers`: lesson 13's second opinion, and the fast one.

The library works on characters. It gets each byte of the UTF-8 text as the character of the same
number (Latin-1), so that its tokens 0 to 255 are the bytes, as in the lesson.
"""

from __future__ import annotations

import json

import numpy as np
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

WORD = r"[ \n]?[^ \n]+|[ \n]"  # what is cut into tokens on its own
BYTES = [chr(i) for i in range(256)]
PIECE = 100_000  # characters that are encoded at a time, and the rest of the line


def learn(text: str, vocabulary_size: int) -> Tokenizer:
    """Return a tokenizer with the 256 bytes and so many merges that it has this vocabulary."""
    tokenizer = _empty({}, [])
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size, initial_alphabet=BYTES, special_tokens=[], show_progress=False
    )
    tokenizer.train_from_iterator([_as_bytes(text)], trainer)
    return tokenizer


def merges_of(tokenizer: Tokenizer) -> list[tuple[int, int]]:
    """Return the pairs of tokens that are joined, in the order in which they were learnt."""
    vocabulary = tokenizer.get_vocab()
    return [(vocabulary[a], vocabulary[b]) for a, b in _merges(tokenizer)]


def shortened(tokenizer: Tokenizer, vocabulary_size: int) -> Tokenizer:
    """Return the tokenizer of the first merges: what a training for this size gives."""
    vocabulary = {text: i for text, i in tokenizer.get_vocab().items() if i < vocabulary_size}
    merges = _merges(tokenizer)[: vocabulary_size - 256]
    return _empty(vocabulary, [tuple(pair) for pair in merges])


def encode(tokenizer: Tokenizer, text: str) -> np.ndarray:
    """Return the tokens of a text, shape (n,)."""
    parts, start = [np.zeros(0, int)], 0
    while start < len(text):  # in pieces: the library keeps a hundred bytes and more for a token
        end = text.find("\n", start + PIECE)  # no word reaches over the start of a line
        end = len(text) if end < 0 else end
        parts.append(np.array(tokenizer.encode(_as_bytes(text[start:end])).ids, int))
        start = end
    return np.concatenate(parts)


def _empty(vocabulary: dict, merges: list) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(WORD), "isolated")
    return tokenizer


def _merges(tokenizer: Tokenizer) -> list:
    return json.loads(tokenizer.to_str())["model"]["merges"]


def _as_bytes(text: str) -> str:
    return text.encode().decode("latin-1")
