"""Tunes from tokens, and how their notes follow each other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from course_utils.corpora import END

LARGEST = 12  # semitones; larger steps count as this


def to_tunes(rows: np.ndarray, symbols: Sequence, fewest: int = 24) -> list[np.ndarray]:
    """Return the tunes that rows of tokens begin with, each as an array (notes, 2).

    rows: the first token of each is an end; a tune goes to the next end, or to the end of the row.
    symbols: the note (pitch, duration) of each token. Tunes below `fewest` notes are left out.
    """
    tunes = []
    for row in rows:
        notes = [symbols[token] for token in row[1:]]
        stop = notes.index(END) if END in notes else len(notes)
        tunes.append(np.array(notes[:stop]).reshape(-1, 2))
    return [tune for tune in tunes if len(tune) >= fewest]


def interval_shares(tunes: Iterable[np.ndarray]) -> np.ndarray:
    """Return the shares of the intervals −12 to 12 among all steps between notes, shape (25,)."""
    steps = np.concatenate([np.diff(tune[tune[:, 0] > 0, 0]) for tune in tunes])
    counts = np.bincount(np.clip(steps, -LARGEST, LARGEST) + LARGEST, minlength=2 * LARGEST + 1)
    return counts / counts.sum()
