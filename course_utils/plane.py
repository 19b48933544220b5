"""Classifiers of points in the plane: pictures of points, answers and borders; the best line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from course_utils import style
from course_utils.drawings import arrow_on

Answer = Callable[[np.ndarray], np.ndarray]  # points (n, 2) → probability of class 1, n numbers
GRID = 121  # points along a side of the plane at which an answer is computed
CLASSES = (("class 0", "o", style.COLORS[1]), ("class 1", "^", style.INK))  # label, marker, colour
SHADES, STRENGTH = "Blues", 0.6  # colour map of an answer, and its opacity
KEY = ("answer near 0", "answer near 1", "border")  # of the light, the dark and the line


def best_line(X: np.ndarray, y: np.ndarray, directions: int = 360) -> tuple:
    """Return the line that separates two classes best: its accuracy, w and b.

    For each direction of w, of length 1, the points are sorted by w · x, and every cut between two
    neighbours is tried: class 0 before it, class 1 after it.

    Args:
        X: points, shape (n, 2).
        y: classes 0 or 1, n numbers.
        directions: of w, evenly around.
    """
    y, best = np.ravel(y), (0.0, np.zeros(2), 0.0)
    for angle in np.linspace(0, 2 * np.pi, directions, endpoint=False):
        w = np.array([np.cos(angle), np.sin(angle)])
        order = np.argsort(X @ w)
        z, classes = (X @ w)[order], y[order]
        # right with a cut after point k: the 0s up to it and the 1s after it
        right = (np.cumsum(1 - classes) + y.sum() - np.cumsum(classes))[:-1] / len(y)
        k = np.argmax(right)
        if right[k] > best[0]:
            best = right[k], w, -(z[k] + z[k + 1]) / 2
    return best


def draw_points(panel: Axes, X: np.ndarray, y: np.ndarray, size: float = 2.4) -> None:
    """Draw circles for class 0 and triangles for class 1.

    Args:
        panel: axes to draw on.
        X: points, shape (n, 2).
        y: classes 0 or 1, n numbers.
        size: of a mark in points.
    """
    y = np.ravel(y)
    for k, (label, marker, color) in enumerate(CLASSES):
        looks = {"color": color, "markersize": size, "linestyle": "none", "label": label}
        panel.plot(*X[y == k].T, marker, **looks)


def add_key(figure: Figure, *, points: bool = True, key: Sequence[str] = KEY) -> None:
    """Write under a figure what its shades, its border and, if drawn, its points mean."""
    looks = {"linestyle": "none", "markersize": 4}
    marks = [Line2D([], [], marker=m, color=c, label=name, **looks) for name, m, c in CLASSES]
    shades = plt.get_cmap(SHADES)
    light, dark = (Patch(fc=shades(x), alpha=STRENGTH, ec=style.INK) for x in (0.0, 1.0))
    border = Line2D([], [], marker="", linestyle="-", color="black", linewidth=1.3)
    for handle, text in zip((light, dark, border), key, strict=True):
        handle.set_label(text)
    handles = [*(marks if points else []), light, dark, border]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))


def draw_answer(panel: Axes, f: Answer, *, centre=(0.0, 0.0), reach: float = 4.0) -> None:
    """Fill the plane with an answer, light for 0 and dark for 1, and draw its border at one half.

    Args:
        panel: axes to draw on; its limits become the square.
        f: the answer.
        centre: of the square.
        reach: from the centre to each side.
    """
    x1, x2 = (np.linspace(c - reach, c + reach, GRID) for c in centre)
    points = np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2)
    values = np.reshape(f(points), (GRID, GRID))
    panel.contourf(x1, x2, values, np.linspace(0, 1, 9), cmap=SHADES, alpha=STRENGTH)
    panel.contour(x1, x2, values, [0.5], colors="black", linewidths=1.3)
    panel.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    panel.grid(False)


def answers(
    functions: Mapping[str, Answer],
    X: np.ndarray | None = None,
    y: np.ndarray | None = None,
    *,
    columns: int = 4,
    key: Sequence[str] = KEY,
    centre=(0.0, 0.0),
    reach: float = 4.0,
) -> Figure:
    """Draw one panel for each answer, with its name as title and the points on it, and a key.

    Args:
        functions: title → answer.
        X, y: points to draw on each panel, and their classes.
        columns: panels in a row.
        key: what light, dark and the line mean.
        centre, reach: see `draw_answer`.

    Raises:
        ValueError: there is no answer, or the key has not three texts.
    """
    if not functions or len(key) != 3:
        raise ValueError(
            "answers: expected one or more and three texts for the key, "
            f"found {len(functions)} and {len(key)}"
        )
    rows = -(-len(functions) // columns)
    columns = min(columns, len(functions))
    side = min(2.4, 7.4 / columns)
    size = (side * columns + 0.4, (side + 0.22) * rows + 0.65)
    figure, panels = plt.subplots(
        rows, columns, figsize=size, squeeze=False, sharex=True, sharey=True
    )
    for panel in panels.flat[len(functions) :]:
        panel.axis("off")
    for panel, (name, f) in zip(panels.flat, functions.items(), strict=False):
        draw_answer(panel, f, centre=centre, reach=reach)
        if X is not None:
            draw_points(panel, X, y, size=2.4 if side > 2 else 1.2)
        panel.set_title(name, fontsize=9)
        panel.label_outer()
    add_key(figure, points=X is not None, key=key)
    return figure


def draw_weights(panel: Axes, w: np.ndarray, b: float) -> None:
    """Draw what a neuron's border depends on: the arrow w and, thick, the distance along it.

    Args:
        panel: axes to draw on, with equal aspect.
        w: weights, shape (2,), not both zero.
        b: bias.
    """
    length = np.hypot(*w)
    unit, across = w / length, np.array([-w[1], w[0]]) / length
    foot = -b / length * unit
    thick = {"color": style.COLORS[2], "marker": "", "linestyle": "-", "linewidth": 5}
    panel.plot(*np.transpose([(0, 0), foot]), **thick)
    if np.any(foot):  # the right angle, on the side of the origin
        back = -np.sign(-b) * unit
        corner = foot + 0.25 * np.array([-across, -across + back, back])
        panel.plot(*corner.T, color=style.INK, marker="", linestyle="-", linewidth=1)
    arrow_on(panel, (0, 0), tuple(w))


def draw_neuron(
    angle_of_w: float = 30, length: float = 1.0, bias: float = 0.0
) -> tuple[Figure, str]:
    """Return a picture of one neuron and a caption, for sliders.

    Args:
        angle_of_w: direction of the weights, in degrees.
        length: of the weights.
        bias: of the neuron.
    """
    w = length * np.array([np.cos(np.radians(angle_of_w)), np.sin(np.radians(angle_of_w))])
    figure, panel = plt.subplots(figsize=(3.8, 4.0))
    draw_answer(panel, lambda X: 1 / (1 + np.exp(-(X @ w + bias))))
    draw_weights(panel, w, bias)
    add_key(figure, points=False)
    panel.set_title("One neuron")
    return figure, f"The border lies at {-bias / length:.2f} along w."
