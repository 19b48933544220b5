"""N-gram language models with good smoothing: what a network must beat.

An n-gram model of order 5 predicts a token from the four before it, by counting. Where a context
was seen seldom or never, the model of the next lower order takes over. The two ways to weigh the
orders are interpolated Kneser–Ney with three discounts, and Witten–Bell (S. F. Chen and J. Goodman,
"An empirical study of smoothing techniques for language modeling", 1998).
"""

from __future__ import annotations

import numpy as np

SMOOTHINGS = ("kneser-ney", "witten-bell")


class NGram:
    """An n-gram model of tokens 0 … vocabulary_size − 1.

    Order k is stored as sorted keys: the k tokens of an n-gram are the digits of a number to the
    base `vocabulary_size`, so that all continuations of a context are neighbours.
    """

    def __init__(
        self, tokens: np.ndarray, order: int, vocabulary_size: int, smoothing: str = "kneser-ney"
    ):
        """Count the n-grams of `tokens`, shape (n,).

        Raises:
            ValueError: another smoothing, or an order whose keys do not fit into 63 bits.
        """
        if smoothing not in SMOOTHINGS:
            raise ValueError(f"smoothing: expected one of {SMOOTHINGS}, found {smoothing!r}")
        if vocabulary_size**order >= 2**63:
            raise ValueError(f"order {order}: {vocabulary_size} tokens need a lower one")
        self.order, self.vocabulary_size, self.smoothing = order, vocabulary_size, smoothing
        keys, counts = np.unique(_keys(tokens, order, vocabulary_size), return_counts=True)
        levels = [_Level(keys, counts, vocabulary_size, smoothing)]
        for k in range(order - 1, 0, -1):
            # Kneser–Ney counts, for a lower order, after how many different tokens an n-gram came.
            weights = None if smoothing == "kneser-ney" else counts
            shorter, place = np.unique(keys % vocabulary_size**k, return_inverse=True)
            keys, counts = shorter, np.bincount(place, weights).astype(np.int64)
            levels.append(_Level(keys, counts, vocabulary_size, smoothing))
        self._levels = levels[::-1]

    def bits(self, tokens: np.ndarray) -> np.ndarray:
        """Return −log₂ of the probability of each token, from those before it; shape (n,)."""
        p = np.full(len(tokens), 1 / self.vocabulary_size)
        for k, level in enumerate(self._levels, start=1):
            p[k - 1 :] = level.mix(_keys(tokens, k, self.vocabulary_size), p[k - 1 :])
        return -np.log2(p)

    def probabilities(self, history) -> np.ndarray:
        """Return the probability of each next token after the tokens `history`; (V,)."""
        p = np.full(self.vocabulary_size, 1 / self.vocabulary_size)
        history = np.asarray(history, dtype=np.int64)
        for k, level in enumerate(self._levels[: len(history) + 1], start=1):
            context = history[len(history) - k + 1 :]
            key = np.int64(0)
            for token in context:
                key = key * self.vocabulary_size + token
            p = level.mix(key * self.vocabulary_size + np.arange(self.vocabulary_size), p)
        return p

    def write(self, start, number: int, rng: np.random.Generator) -> np.ndarray:
        """Return `start` continued by so many tokens, drawn one after another; shape (t + n,)."""
        text = list(start)
        for _ in range(number):
            p = self.probabilities(text[max(len(text) - self.order + 1, 0) :])
            text.append(int(min(np.searchsorted(p.cumsum(), rng.random()), len(p) - 1)))
        return np.array(text)


class _Level:
    """One order: what each n-gram keeps, and what its context leaves for the lower order."""

    def __init__(self, keys, counts, vocabulary_size, smoothing):
        self._keys, self._base = keys, vocabulary_size
        self._contexts, start = np.unique(keys // vocabulary_size, return_index=True)
        totals = np.add.reduceat(counts, start)
        if smoothing == "kneser-ney":
            taken = _discounts(counts)[np.minimum(counts, 3)]
            left = np.add.reduceat(taken, start)
        else:
            taken, left = 0, np.diff(np.append(start, len(keys)))  # the number of continuations
            totals = totals + left
        self._kept = (counts - taken) / totals[np.searchsorted(self._contexts, keys // self._base)]
        self._left = left / totals

    def mix(self, keys: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """Return the probabilities of n-grams, given those of the lower order."""
        kept, _ = _look_up(self._keys, self._kept, keys, 0.0)
        left, seen = _look_up(self._contexts, self._left, keys // self._base, 1.0)
        return np.where(seen, kept + left * lower, lower)


def _keys(tokens: np.ndarray, k: int, base: int) -> np.ndarray:
    """Return the keys of all runs of k tokens, in order."""
    tokens = np.asarray(tokens, dtype=np.int64)
    keys = np.zeros(max(len(tokens) - k + 1, 0), dtype=np.int64)
    for i in range(k):
        keys = keys * base + tokens[i : i + len(keys)]
    return keys


def _discounts(counts: np.ndarray) -> np.ndarray:
    """Return what Kneser–Ney takes from n-grams counted 0, 1, 2 and 3 or more times."""
    ones, twos, threes, fours = (np.sum(counts == c) for c in (1, 2, 3, 4))
    share = ones / max(ones + 2 * twos, 1)
    each = [
        1 - 2 * share * twos / max(ones, 1),
        2 - 3 * share * threes / max(twos, 1),
        3 - 4 * share * fours / max(threes, 1),
    ]
    return np.array([0.0, *np.clip(each, 0.0, [1.0, 2.0, 3.0])])


def _look_up(known: np.ndarray, values: np.ndarray, keys: np.ndarray, missing: float):
    """Return the value of each key, `missing` for an unknown one, and whether it is known."""
    place = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found = known[place] == keys
    return np.where(found, values[place], missing), found
