"""Many small grey pictures side by side, as one image: a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

GAP = 2  # pixels of paper between two pictures
LEVELS = 32  # of grey


def contact_sheet(
    pictures: np.ndarray,
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    title: str = "",
    inches: float = 0.5,
) -> Figure:
    """Draw a table of square grey pictures; ink is dark.

    Args:
        pictures: shape (rows, columns, pixels) or (rows, columns, side, side), ink 1, paper 0.
        rows: one label for each row, on its left.
        columns: one label for each column, above it.
        title: above all.
        inches: side of one picture.

    Raises:
        ValueError: the pictures are not square, or there is another number of labels.
    """
    pictures = np.asarray(pictures, float)
    down, across = pictures.shape[:2]
    side = round(np.sqrt(np.prod(pictures.shape[2:])))
    if pictures.ndim not in (3, 4) or pictures[0, 0].size != side**2:
        raise ValueError(f"pictures: expected (rows, columns, side²), found {pictures.shape}")
    for name, labels, number in (("rows", rows, down), ("columns", columns, across)):
        if len(labels) not in (0, number):
            raise ValueError(f"{name}: expected {number} labels, found {len(labels)}")
    step = side + GAP
    sheet = np.zeros((down * step - GAP, across * step - GAP))
    for row, column in np.ndindex(down, across):
        top, left = row * step, column * step
        picture = pictures[row, column].reshape(side, side)
        sheet[top : top + side, left : left + side] = picture
    sheet = np.round(sheet * (LEVELS - 1)) / (LEVELS - 1)  # a third of the bytes, looks the same
    longest = max((len(line) for label in rows for line in label.split("\n")), default=0)
    lines = max((label.count("\n") + 1 for label in columns), default=0)
    size = across * inches + 0.1 * longest + 0.15, down * inches + 0.17 * lines + 0.3 * bool(title)
    figure, panel = plt.subplots(figsize=(size[0], size[1] + 0.1))
    panel.imshow(sheet, vmin=0, vmax=1, interpolation="nearest")
    panel.grid(False)
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0, labeltop=True, labelbottom=False)
    middle = np.arange(max(down, across)) * step + side / 2 - 0.5
    panel.set_xticks(middle[: len(columns)], columns)
    panel.set_yticks(middle[: len(rows)], rows)
    if title:
        figure.suptitle(title, fontsize=11, fontweight="bold")
    return figure
