"""The three data sets of lesson 13 as tokens: plays and poems by character, tunes by note."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_utils import data
from course_utils.text_models import encode

END = (0, 0)  # the token after each tune: a rest that lasts no time


class Corpus(NamedTuple):
    """Tokens of a data set; the symbol of token i is symbols[i]."""

    symbols: list
    training: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def plays() -> Corpus:
    """Shakespeare's plays, a token for each character."""
    parts = ["\n\n".join(play.text for play in part) for part in data.load_plays()]
    symbols = sorted(set("".join(parts)))
    return Corpus(symbols, *(encode(part, symbols) for part in parts))


def quatrains() -> Corpus:
    """Tang quatrains, a token for each character; a line feed before, between and after them."""
    parts = ["\n" + "".join(poem.text + "\n" for poem in part) for part in data.load_quatrains()]
    symbols = sorted(set("".join(parts)))
    return Corpus(symbols, *(encode(part, symbols) for part in parts))


def tunes() -> Corpus:
    """O'Neill's tunes, a token (pitch, duration) for each note; END before, between and after."""
    parts = []
    for part in data.load_tunes():
        parts.append([END])
        for tune in part:
            parts[-1] += [*map(tuple, tune.tolist()), END]
    symbols = sorted({note for part in parts for note in part})
    return Corpus(symbols, *(encode(part, symbols) for part in parts))


CORPORA = {"plays": plays, "quatrains": quatrains, "tunes": tunes}
