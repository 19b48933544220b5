"""The words of written texts: how many are known, how many are different."""

from __future__ import annotations

import re
from collections.abc import Iterable


def words(text: str) -> list[str]:
    """Return the words of a text, in small letters."""
    return re.findall(r"[a-z']+", text.lower())


def describe(texts: Iterable[str], lexicon: set[str]) -> tuple[float, float]:
    """Return which share of the words of texts is in a lexicon, and which share is different.

    The last word of each text is left out: it may be cut off.
    """
    said = [word for text in texts for word in words(text)[:-1]]
    return sum(word in lexicon for word in said) / len(said), len(set(said)) / len(said)
