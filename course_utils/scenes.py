"""Scenes of two handwritten digits, and their captions, such as "a 3 left of a 7".

A caption is a row of three whole numbers: the first digit, the relation (an index of RELATIONS)
and the second digit, which is another one. There are 180, in the rows of CAPTIONS. A scene has
28 × 28 pixels, each of its digits 14 × 14.
"""

from __future__ import annotations

import numpy as np

from course_utils.data import load_mnist

RELATIONS = ("left of", "above")
CAPTIONS = np.array(
    [
        (first, relation, second)
        for relation in range(2)
        for first in range(10)
        for second in range(10)
        if first != second
    ]
)
WORDS = ("", "a", "left", "of", "above", *"0123456789")  # token 0 fills up a short caption
NUM_TOKENS = 6  # of a caption
SIDE, HALF = 28, 14  # pixels of a scene and of a digit
SHIFT = 4  # pixels by which a digit may lie off the middle line
VALIDATION = 5000  # the last training images


def to_text(caption: np.ndarray) -> str:
    """Return a caption as a text."""
    first, relation, second = caption
    return f"a {first} {RELATIONS[relation]} a {second}"


def to_tokens(captions: np.ndarray) -> np.ndarray:
    """Return captions (n, 3) as tokens, the numbers of their words in WORDS, shape (n, 6)."""
    first, relation, second = captions.T
    a, left, of, above = (
        np.full(len(captions), WORDS.index(w)) for w in ("a", "left", "of", "above")
    )
    first, second = first + WORDS.index("0"), second + WORDS.index("0")
    beside = np.stack([a, first, left, of, a, second], axis=1)
    stacked = np.stack([a, first, above, a, second, 0 * a], axis=1)
    return np.where(relation[:, None] == 0, beside, stacked).astype(np.int32)


def mirrored(captions: np.ndarray) -> np.ndarray:
    """Return the captions with their two digits exchanged."""
    return captions[:, ::-1]


def is_held_out(captions: np.ndarray) -> np.ndarray:
    """Tell of each caption whether its digits differ by 5: 20 of the 180, for no training."""
    return np.abs(captions[:, 0] - captions[:, 2]) == 5


class Digits:
    """Handwritten digits of half the size, to compose scenes from.

    part: "training" (the first 55,000 training images), "validation" (the other 5,000) or "test".
    """

    def __init__(self, part: str):
        """Read the images, and shrink each to 14 × 14 pixels, means of four."""
        (x_train, y_train), (x_test, y_test) = load_mnist()
        images, digits = {
            "training": (x_train[:-VALIDATION], y_train[:-VALIDATION]),
            "validation": (x_train[-VALIDATION:], y_train[-VALIDATION:]),
            "test": (x_test, y_test),
        }[part]
        self._images = images.reshape(-1, HALF, 2, HALF, 2).mean(axis=(2, 4)).astype(np.uint8)
        self._of = [np.flatnonzero(digits == digit) for digit in range(10)]

    def draw(self, captions: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return a scene for each caption, shape (n, 28, 28), float32 from 0 to 1.

        Which images, and how far each lies off the middle line, is drawn at random.
        """
        scenes = np.zeros((len(captions), SIDE, SIDE), dtype=np.float32)
        lying = captions[:, 1] == 0  # side by side
        for second in (False, True):
            drawn = rng.random(len(captions))
            wanted = (self._of[digit] for digit in captions[:, 2 * second])
            number = [of[int(u * len(of))] for of, u in zip(wanted, drawn, strict=True)]
            off = HALF // 2 + rng.integers(-SHIFT, SHIFT + 1, size=len(captions))
            top, left = np.where(lying, off, HALF * second), np.where(lying, HALF * second, off)
            rows, columns = (start[:, None] + np.arange(HALF) for start in (top, left))
            place = np.arange(len(captions))[:, None, None], rows[:, :, None], columns[:, None, :]
            scenes[place] = self._images[number] / 255
        return scenes
