"""Noisy pictures and noisy spoken digits in pairs: what lesson 15 joins.

A pair is a handwritten and a spoken digit of the same class, drawn independently of each other:
any picture of a 7 may meet any clip of a seven. Noise is added anew in every draw.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from course_utils.data import load_mnist, load_speech

VALIDATION = 5000  # the last training images
PARTS = ("training", "validation", "test")


class Pairs(NamedTuple):
    """Pictures (n, 784), clips (n, 320) and digits (n,); row i of each belongs together."""

    images: np.ndarray
    sounds: np.ndarray
    digits: np.ndarray


class Senses:
    """One part of the data, from which pairs are drawn; no speaker lies in two parts.

    part: "training" (55,000 images, 20 speakers), "validation" (5,000 and 5) or "test" (10,000
    and 5). `average` is an average picture and clip of the part, a `Pairs` of one row.
    """

    def __init__(self, part: str, image_noise: float, sound_noise: float):
        """Read a part; the noises are standard deviations, where ink and the loudest cell are 1."""
        (x_train, y_train), (x_test, y_test) = load_mnist()
        images, self._labels = {
            "training": (x_train[:-VALIDATION], y_train[:-VALIDATION]),
            "validation": (x_train[-VALIDATION:], y_train[-VALIDATION:]),
            "test": (x_test, y_test),
        }[part]
        self._images = images.reshape(len(images), -1)
        clips = load_speech()[PARTS.index(part)]
        self._clips = clips.loudness.reshape(len(clips.loudness), -1)
        self._clips_of = [np.flatnonzero(clips.digits == digit) for digit in range(10)]
        self._noise = np.float32(image_noise), np.float32(sound_noise)
        means = (each.mean(axis=0, keepdims=True) / 255 for each in (self._images, self._clips))
        self.average = Pairs(*(mean.astype(np.float32) for mean in means), np.zeros(1, np.int32))

    def draw(self, number: int, rng: np.random.Generator) -> Pairs:
        """Return pairs drawn with replacement, float32."""
        chosen = rng.integers(len(self._images), size=number)
        digits = self._labels[chosen].astype(np.int32)
        groups, place = (self._clips_of[digit] for digit in digits), rng.random(number)
        clips = [group[int(u * len(group))] for group, u in zip(groups, place, strict=True)]
        values = self._images[chosen], self._clips[clips]
        noisy = (
            each / np.float32(255) + noise * rng.standard_normal(each.shape, dtype=np.float32)
            for each, noise in zip(values, self._noise, strict=True)
        )
        return Pairs(*noisy, digits)
