"""Pictures of attributions: blue where a pixel speaks for an answer, orange where against it."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from course_utils.style import COLORS

GAP = 2  # pixels of paper between two pictures
LEVELS = 24  # of each colour, so that the file stays small


def attribution_sheet(
    pictures: np.ndarray,
    attributions: dict[str, np.ndarray],
    rows: Sequence[str] = (),
    inches: float = 0.9,
) -> Figure:
    """Draw pictures in the first column, and an attribution of each in every further one.

    In each attribution the largest size has the full colour.

    Args:
        pictures: shape (n, side, side), ink 1 and paper 0.
        attributions: name, which stands above, → array of the same shape.
        rows: one label for each picture, on its left.
        inches: side of one picture.

    Raises:
        ValueError: an attribution has another shape than the pictures.
    """
    pictures = np.asarray(pictures, float)
    number, side = pictures.shape[:2]
    step = side + GAP
    sheet = np.ones((number * step - GAP, (1 + len(attributions)) * step - GAP, 3))
    for column, (name, values) in enumerate({"picture": pictures, **attributions}.items()):
        values = np.asarray(values, float)
        if values.shape != pictures.shape:
            raise ValueError(
                f"{name}: expected the shape of the pictures, {pictures.shape}, "
                f"found {values.shape}"
            )
        for row, value in enumerate(values):
            colored = 1 - pictures[row][..., None] * np.ones(3) if column == 0 else _tinted(value)
            sheet[row * step : row * step + side, column * step : column * step + side] = colored
    size = (1 + len(attributions)) * inches + (0.8 if rows else 0.1), number * inches + 0.35
    figure, panel = plt.subplots(figsize=size)
    panel.imshow(sheet, interpolation="nearest")
    panel.grid(False)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0, labeltop=True, labelbottom=False)
    middle = np.arange(max(number, 1 + len(attributions))) * step + side / 2 - 0.5
    panel.set_xticks(middle[: 1 + len(attributions)], ["picture", *attributions])
    panel.set_yticks(middle[: len(rows)], rows)
    return figure


def _tinted(values: np.ndarray) -> np.ndarray:
    """Colours of shape (side, side, 3): white at 0, blue above it and orange below."""
    share = values / (np.abs(values).max() or 1.0)
    share = np.round(share * LEVELS)[..., None] / LEVELS
    colors = np.where(share > 0, to_rgb(COLORS[0]), to_rgb(COLORS[1]))
    return 1 - np.abs(share) * (1 - colors)
