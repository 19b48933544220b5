"""The pictures that several lessons draw: learning curves, grids, paths, laws, spreads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_utils.style import COLORS, INK, MARKERS


def learning_curves(
    histories: Mapping[str, Mapping[str, Sequence[float]]],
    metrics: Sequence[str] = ("loss", "accuracy"),
) -> Figure:
    """Draw each metric against epochs, one panel a metric.

    Args:
        histories: name → `History.history` of a Keras training, at most 7; `val_` curves are
            drawn dashed in the colour of their training curve.
        metrics: names without `val_`.

    Raises:
        KeyError: a history lacks one of the metrics.
        ValueError: there are too many histories to be told apart.
    """
    _check_number("histories", histories)
    for name, history in histories.items():
        for metric in metrics:
            if metric not in history and f"val_{metric}" not in history:
                known = ", ".join(history)
                raise KeyError(f"history {name!r} has no metric {metric!r}; it has: {known}")
    figure, panels = plt.subplots(1, len(metrics), figsize=(3.6 * len(metrics), 3.0), squeeze=False)
    for panel, metric in zip(panels[0], metrics, strict=True):
        for index, (name, history) in enumerate(histories.items()):
            _curve(panel, index, name, history, metric)
        panel.set(title=metric, xlabel="epoch", ylabel=metric)
        panel.xaxis.get_major_locator().set_params(integer=True)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 3))
    return figure


def _curve(panel, index: int, name: str, history: Mapping, metric: str) -> None:
    for validation, key in enumerate((metric, f"val_{metric}")):
        if key not in history:
            continue
        kind = "validation" if validation else "training"
        panel.plot(
            np.arange(1, len(history[key]) + 1),
            history[key],
            color=COLORS[index],
            # a marker of its own for each curve of one kind: colour alone is not enough
            marker=MARKERS[(2 * index + validation) % len(MARKERS)],
            linestyle="--" if validation else "-",
            label=f"{name}, {kind}" if f"val_{metric}" in history else name,
            ms=4,
        )


def _check_number(what: str, series: Mapping) -> None:
    if not 1 <= len(series) <= len(COLORS):
        raise ValueError(
            f"{what}: expected 1 to {len(COLORS)}, which can be told apart, found {len(series)}"
        )


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
        ValueError: the numbers of images, titles and marks differ, or are 0.
    """
    images = np.asarray(images)
    marked = [False] * len(images) if marked is None else list(marked)
    if not len(images) == len(titles) == len(marked):
        raise ValueError(
            f"expected as many titles and marks as images, "
            f"found {len(images)} images, {len(titles)} titles, {len(marked)} marks"
        )
    if len(images) == 0:
        raise ValueError("expected at least one image, found none")
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
        paths: name → array of shape (steps + 1, 2), the start first; at most 7.
        x_range, y_range: limits of the two parameters.
        levels: number of bands between contours, spaced evenly in the square root of J − min J.

    Raises:
        ValueError: there are too many paths to be told apart.
    """
    _check_number("paths", paths)
    figure, panel = plt.subplots(figsize=(5.2, 4.0))
    x, y = np.meshgrid(np.linspace(*x_range, 101), np.linspace(*y_range, 101))
    values = function(x, y)
    root = np.sqrt(values - values.min())
    filled = panel.contourf(x, y, root, levels, cmap="Blues", alpha=0.7)
    panel.grid(False)  # the edges of the bands are the contours; more lines cost 30 KB
    bar = figure.colorbar(filled, ax=panel, label="√(J − min J)")
    bar.ax.grid(False)
    for (name, path), color in zip(paths.items(), [*COLORS[1:], COLORS[0]], strict=False):
        panel.plot(path[:, 0], path[:, 1], color=color, label=name, ms=3.5)
        panel.plot(*path[0], marker="o", ms=9, mfc="none", mec=color, linestyle="none")
    panel.set(xlabel="first parameter", ylabel="second parameter", xlim=x_range, ylim=y_range)
    figure.legend(loc="outside lower center", ncols=3)  # outside: it covers no path
    return figure


def bowl_with_path(
    panel: Axes,
    H: np.ndarray,
    path: np.ndarray,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    minimum: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Draw contour lines of J = ½ e·(He), e the distance from the minimum, and a path on them.

    A ring marks the start and a star the minimum; nothing else is drawn, so that no path hides
    another: give each path a panel of its own.

    Args:
        panel: to draw on; titles and labels are left to the caller.
        H: second derivatives, shape (2, 2), symmetric.
        path: shape (steps + 1, 2), the start first.
        x_range, y_range: limits of the two weights.
        minimum: where J is lowest.
    """
    x, y = np.meshgrid(np.linspace(*x_range, 101), np.linspace(*y_range, 101))
    e = np.stack([x - minimum[0], y - minimum[1]])
    J = np.einsum("ixy,ij,jxy->xy", e, H, e) / 2
    panel.contour(x, y, np.sqrt(J), 8, colors="#9DB7CC", linewidths=0.8)
    panel.grid(False)
    panel.plot(*np.transpose(path), marker="o", ms=3, linestyle="-", linewidth=1, color=COLORS[1])
    panel.plot(*path[0], marker="o", ms=9, mfc="none", mec=COLORS[1], linestyle="none")
    panel.plot(*minimum, marker="*", ms=11, color=INK, linestyle="none")
    panel.set(xlim=x_range, ylim=y_range)


def points_on_law(
    panel: Axes,
    kind: int,
    name: str,
    x: Sequence[float],
    measured: Sequence[float],
    law: Sequence[float] | None = None,
    law_x: Sequence[float] | None = None,
) -> None:
    """Draw measured points, and the law that they should obey as a thin line of their colour.

    Args:
        panel: to draw on.
        kind: which colour and marker, from 0; the markers of the first one are large and open, so
            that those of another kind can lie inside.
        name: for the legend.
        x, measured: the points.
        law, law_x: the line, at `x` if `law_x` is not given.
    """
    open_marker = {"ms": 9, "mfc": "none"} if kind == 0 else {"ms": 5}
    looks = {"color": COLORS[kind], "linestyle": "none", "marker": MARKERS[kind]} | open_marker
    panel.plot(x, measured, label=name, **looks)
    if law is not None:
        where = x if law_x is None else law_x
        panel.plot(where, law, linestyle="-", linewidth=1, marker="", color=COLORS[kind])


def points_with_errors(
    panel: Axes,
    kind: int,
    name: str,
    x: Sequence[float],
    measured: Sequence[float],
    standard_errors: Sequence[float],
    **options,
) -> None:
    """Draw measured points with bars of two standard errors up and down.

    Args:
        panel: to draw on.
        kind: which colour and marker, from 0.
        name: for the legend.
        x, measured, standard_errors: the points.
        options: for `Axes.errorbar`, such as `linestyle="-"`.
    """
    looks = {"color": COLORS[kind], "marker": MARKERS[kind], "linestyle": "none", "ms": 5}
    bars = 2 * np.asarray(standard_errors)
    panel.errorbar(x, measured, bars, label=name, **looks | {"capsize": 2} | options)


def spread(
    panel: Axes, x: Sequence[float], values: np.ndarray, names: Sequence[str] = (), **options
) -> None:
    """Draw the mean of each row of values, with a bar from its lowest to its highest.

    Args:
        panel: axes to draw on.
        x: one number for each row.
        values: shape (rows, runs).
        names: one for each row, written right of the top of its bar; none if empty.
        options: for `Axes.errorbar`, such as `label`.

    Raises:
        ValueError: there is not one row for each x.
    """
    values = np.asarray(values, float)
    if values.ndim != 2 or len(values) != len(x):
        raise ValueError(f"values: expected shape ({len(x)}, runs), found {values.shape}")
    mean = values.mean(axis=1)
    bars = mean - values.min(axis=1), values.max(axis=1) - mean
    panel.errorbar(x, mean, bars, **{"capsize": 2} | options)
    for name, *top in zip(names, x, values.max(axis=1), strict=True) if len(names) else ():
        panel.annotate(name, top, (4, 1), textcoords="offset points", fontsize=8)


def rows_of_points(panel: Axes, runs: Mapping[str, Sequence[float]]) -> None:
    """Draw a row of points for each name, one point a run, and a bar at their mean.

    The points of a row stand a little above each other, in the order of the runs.

    Args:
        panel: axes to draw on; the first name is the highest row.
        runs: name → numbers; at most 7.

    Raises:
        ValueError: there are too many rows to be told apart.
    """
    _check_number("runs", runs)
    for i, values in enumerate(runs.values()):
        looks = {"color": COLORS[i], "marker": MARKERS[i], "linestyle": "none", "ms": 3.5}
        panel.plot(values, i + np.linspace(-0.2, 0.2, len(values)), **looks)
        panel.plot(np.mean(values), i, marker="|", ms=18, mew=2, color=INK)
    panel.set(yticks=range(len(runs)), yticklabels=runs, ylim=(len(runs) - 0.4, -0.6))
