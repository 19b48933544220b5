"""The pictures that several lessons draw: learning curves, image grids, a path on a surface."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from course_utils.style import COLORS


def learning_curves(
    histories: Mapping[str, Mapping[str, Sequence[float]]],
    metrics: Sequence[str] = ("loss", "accuracy"),
) -> Figure:
    """Draw each metric against epochs, one panel a metric.

    Args:
        histories: name → `History.history` of a Keras training; `val_` curves are drawn dashed
            in the colour of their training curve.
        metrics: names without `val_`.

    Raises:
        KeyError: a history has none of the asked metrics.
    """
    figure, panels = plt.subplots(1, len(metrics), figsize=(3.6 * len(metrics), 3.0), squeeze=False)
    for panel, metric in zip(panels[0], metrics, strict=True):
        drawn = [_curve(panel, i, n, h, metric) for i, (n, h) in enumerate(histories.items())]
        if not any(drawn):
            raise KeyError(f"no history has the metric {metric!r}")
        panel.set(title=metric, xlabel="epoch", ylabel=metric)
        panel.xaxis.get_major_locator().set_params(integer=True)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))
    return figure


def _curve(panel, index: int, name: str, history: Mapping, metric: str) -> bool:
    styles = {metric: ("-", "o", "training"), f"val_{metric}": ("--", "s", "validation")}
    found = [key for key in styles if key in history]
    for key in found:
        line, marker, kind = styles[key]
        label = f"{name}, {kind}" if f"val_{metric}" in history else name
        epochs = np.arange(1, len(history[key]) + 1)
        panel.plot(
            epochs, history[key], line, marker=marker, label=label, color=COLORS[index % 7], ms=4
        )
    return bool(found)


def image_grid(
    images: np.ndarray,
    titles: Sequence[str],
    columns: int = 6,
    marked: Sequence[bool] | None = None,
    title: str | None = None,
) -> Figure:
    """Draw grey images in a grid, each with a title; ink is dark.

    Args:
        images: shape (n, height, width).
        titles: n texts, one above each image.
        columns: images in a row.
        marked: n booleans; a marked image gets a thick frame and a bold title with a cross.
        title: above the whole figure.

    Raises:
        ValueError: the numbers of images, titles and marks differ.
    """
    images = np.asarray(images)
    marked = [False] * len(images) if marked is None else list(marked)
    if not len(images) == len(titles) == len(marked):
        raise ValueError(f"{len(images)} images, {len(titles)} titles, {len(marked)} marks")
    rows = -(-len(images) // columns)
    lines = max(text.count("\n") + 1 for text in titles)
    size = (1.15 * columns, (1.05 + 0.19 * lines) * rows + (0.3 if title else 0.0))
    figure, panels = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for panel in panels.flat:
        panel.axis("off")
    for panel, image, text, mark in zip(panels.flat, images, titles, marked, strict=False):
        panel.axis("on")
        panel.grid(False)
        panel.set(xticks=[], yticks=[])
        panel.imshow(image)
        panel.spines[:].set(visible=True, color=COLORS[1] if mark else "#BBBBBB")
        panel.spines[:].set_linewidth(3.0 if mark else 0.6)
        panel.set_title(f"✗ {text}" if mark else text, fontsize=9, pad=4)
        panel.title.set_fontweight("bold" if mark else "normal")
    if title:
        figure.suptitle(title, fontsize=11, fontweight="bold")
    return figure


def surface_with_path(
    function: Callable[[np.ndarray, np.ndarray], np.ndarray],
    paths: Mapping[str, np.ndarray],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    levels: int = 18,
) -> Figure:
    """Draw the contours of a function of two parameters and the paths that optimizers took.

    Args:
        function: maps two arrays of one shape to the values J, elementwise.
        paths: name → array of shape (steps + 1, 2), the start first.
        x_range, y_range: limits of the two parameters.
        levels: number of contour lines, spaced evenly in the square root of J − min J.
    """
    figure, panel = plt.subplots(figsize=(5.2, 4.0))
    x, y = np.meshgrid(np.linspace(*x_range, 121), np.linspace(*y_range, 121))
    values = function(x, y)
    root = np.sqrt(values - values.min())
    filled = panel.contourf(x, y, root, levels, cmap="Blues", alpha=0.7)
    panel.contour(x, y, root, filled.levels, colors="#7799BB", linewidths=0.4)
    bar = figure.colorbar(filled, ax=panel, label="√(J − min J)")
    bar.ax.grid(False)
    for (name, path), color in zip(paths.items(), [*COLORS[1:], COLORS[0]], strict=False):
        panel.plot(path[:, 0], path[:, 1], color=color, label=name, ms=3.5)
        panel.plot(*path[0], marker="o", ms=9, mfc="none", mec=color, linestyle="none")
    panel.set(xlabel="first parameter", ylabel="second parameter", xlim=x_range, ylim=y_range)
    panel.legend(loc="upper right", frameon=True)
    return figure
