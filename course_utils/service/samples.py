"""The test images that the page at `/` offers: `/samples.json`."""

from __future__ import annotations

import json

import numpy as np


def sample_digits(images: np.ndarray, labels: np.ndarray, per_digit: int = 2) -> list[dict]:
    """Return the first `per_digit` images of each digit, in the order of the digits.

    The first ones, not chosen ones: what the page shows is what the test set holds.

    Args:
        images: shape (n, 28, 28), 0 background to 255 ink.
        labels: shape (n,), the digits 0 to 9.

    Returns:
        `{"index": row in images, "digit": label, "image": 28 lists of 28 whole numbers}` each;
        `image` has the form that `instances` of a prediction take.

    Raises:
        ValueError: there are fewer than `per_digit` images of a digit.
    """
    samples = []
    for digit in range(10):
        rows = np.flatnonzero(labels == digit)[:per_digit]
        if len(rows) < per_digit:
            raise ValueError(
                f"expected at least {per_digit} images of the digit {digit}, found {len(rows)}"
            )
        samples += [
            {"index": int(row), "digit": digit, "image": images[row].astype(int).tolist()}
            for row in rows
        ]
    return samples


def samples_json(images: np.ndarray, labels: np.ndarray, per_digit: int = 2) -> bytes:
    """Return the content of `/samples.json`: `{"samples": sample_digits(…)}`, about 40 kB."""
    samples = sample_digits(images, labels, per_digit)
    return json.dumps({"samples": samples}, separators=(",", ":")).encode()
