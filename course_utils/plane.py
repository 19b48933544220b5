"""Pictures of classifiers of points in the plane: points, answers, borders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_utils import style
from course_utils.drawings import arrow_on

Answer = Callable[[np.ndarray], np.ndarray]  # points (n, 2) → probability of class 1, n numbers
GRID = 121  # points along a side of the plane at which an answer is computed


def draw_points(panel: Axes, X: np.ndarray, y: np.ndarray, size: float = 2.4) -> None:
    """Draw circles for class 0 and triangles for class 1.

    Args:
        panel: axes to draw on.
        X: points, shape (n, 2).
        y: classes 0 or 1, n numbers.
        size: of a mark in points.
    """
    y = np.ravel(y)
    for k, marker, color in ((0, "o", style.COLORS[1]), (1, "^", style.INK)):
        looks = {"color": color, "markersize": size, "linestyle": "none", "label": f"class {k}"}
        panel.plot(*X[y == k].T, marker, **looks)


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
    panel.contourf(x1, x2, values, np.linspace(0, 1, 9), cmap="Blues", alpha=0.6)
    panel.contour(x1, x2, values, [0.5], colors="black", linewidths=1.3)
    panel.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal")
    panel.grid(False)


def answers(
    functions: Mapping[str, Answer],
    X: np.ndarray | None = None,
    y: np.ndarray | None = None,
    *,
    columns: int = 4,
    titles: Sequence[str] = (),
    centre=(0.0, 0.0),
    reach: float = 4.0,
) -> Figure:
    """Draw one panel for each answer, with its name as title and the points on it.

    Args:
        functions: title → answer.
        X, y: points to draw on each panel, and their classes.
        columns: panels in a row.
        titles: one text in front of each row, if any.
        centre, reach: see `draw_answer`.

    Raises:
        ValueError: there is no answer, or the titles are not one for each row.
    """
    rows = -(-len(functions) // columns)
    if not functions or len(titles) not in (0, rows):
        raise ValueError(
            f"answers: expected one or more, with {rows} titles or none, "
            f"found {len(functions)} with {len(titles)} titles"
        )
    columns = min(columns, len(functions))
    side = min(2.4, 7.4 / columns)
    size = (side * columns + 0.4, (side + 0.22) * rows + 0.4)
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
    for panel, title in zip(panels[:, 0], titles, strict=False):
        panel.set_ylabel(f"{title}\n$x_2$")
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
    orange = {"color": style.COLORS[1], "marker": "", "linestyle": "-", "linewidth": 5}
    panel.plot(*np.transpose([(0, 0), foot]), **orange)
    if np.any(foot):  # the right angle, on the side of the origin
        back = -np.sign(-b) * unit
        corner = foot + 0.25 * np.array([-across, -across + back, back])
        panel.plot(*corner.T, color=style.INK, marker="", linestyle="-", linewidth=1)
    arrow_on(panel, (0, 0), tuple(w))
