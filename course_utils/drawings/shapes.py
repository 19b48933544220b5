"""Shapes and the lines between them: plain geometry in inches, nothing is drawn here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.path import Path

Point = tuple[float, float]

STEP = 0.01  # between two points of a line
LOOP = 0.4  # height of an arrow from a shape to itself


class Shape:
    """What an arrow or a frame can hold on to. A part of an array is one too: `a[row, column]`.

    In inches: `x`, `y` (the centre), `width`, `height`; `left`, `right`, `top` and `bottom` are
    the points (x, y) in the middle of the four sides.
    """

    def __init__(
        self,
        name: str,
        outline: np.ndarray,
        whole: Shape | None = None,
        cells: tuple[int, int] | None = None,
    ) -> None:
        """Take the corners, shape (n, 2); the array of which this is a part; its rows, columns."""
        self.name, self.outline, self.whole, self.cells = name, outline, whole, cells
        self.labels: list[Shape] = []  # what is written round it
        (x0, y0), (x1, y1) = self.low, self.high = outline.min(axis=0), outline.max(axis=0)
        self.x, self.y, self.width, self.height = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0
        self.left, self.right = (x0, self.y), (x1, self.y)
        self.bottom, self.top = (self.x, y0), (self.x, y1)

    def __repr__(self) -> str:
        """Say what it is, as the messages do."""
        return self.name

    def __getitem__(self, key) -> Shape:
        """Give the cells `[row, column]` of an array, numbers or slices, as one shape."""
        if self.cells is None:
            raise TypeError(f"{self.name} has no cells; only an array has")
        picked = np.zeros(self.cells, bool)
        picked[(0, key) if self.cells[0] == 1 and not isinstance(key, tuple) else key] = True
        rows, columns = np.nonzero(picked)
        if not len(rows):
            raise IndexError(f"{self.name}: no cell at [{key}]")
        side = np.array([self.width, self.height]) / self.cells[::-1]
        corner = np.array([self.low[0], self.high[1]])
        first = corner + side * (columns.min(), -rows.min())
        last = corner + side * (columns.max() + 1, -rows.max() - 1)
        return Shape(f"a part of {self.name}", around((first + last) / 2, abs(last - first)), self)

    def holds(self, points: np.ndarray) -> np.ndarray:
        """Tell which of n points lie inside; shape (n, 2) gives n booleans."""
        return Path(self.outline).contains_points(points)

    def overlap(self, other: Shape) -> np.ndarray:
        """Give width and height of what two shapes share, zeros where they are apart."""
        shared = np.minimum(self.high, other.high) - np.maximum(self.low, other.low)
        if shared.min() > 1e-6 and Path(self.outline).intersects_path(Path(other.outline)):
            return shared
        return np.zeros(2)


def around(at: Point, size: Sequence[float]) -> np.ndarray:
    """Give the corners of a rectangle with this centre and size, shape (4, 2)."""
    return at + np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * size / 2


def outline(shape: str, size: np.ndarray) -> np.ndarray:
    """Give the corners of a box, circle or trapezoid about the origin, shape (n, 2)."""
    width, height = size / 2
    turn = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    if shape == "circle":
        return circle * size / 2
    if shape == "box":  # a quarter of a small circle at each corner
        radius = min(0.06, width, height)
        return radius * circle + np.sign(circle.round(9) + 1e-12) * (size / 2 - radius)
    left, right = (1, 0.6) if shape == "narrows" else (0.6, 1)
    return np.array(
        [(-width, -left * height), (width, -right * height), (width, right * height),
         (-width, left * height)]
    )  # fmt: skip


def way(start: Shape | Point, end: Shape | Point, bend: float = 0.0, via=()) -> np.ndarray:
    """Give the points of a line from centre to centre, STEP apart, shape (n, 2).

    Args:
        start, end: shapes or points; the same shape twice gives a loop above it.
        bend: inches from the middle of the straight line to the curve, positive to the left of
            the way; a negative one puts a loop below.
        via: points between, where the line goes round a corner.
    """
    if start is end:
        size, sign = max(abs(bend), LOOP), -1 if bend < 0 else 1
        turn = np.linspace(-np.pi / 2, -np.pi * 5 / 2, 60)
        circle = np.column_stack([np.cos(turn), sign * np.sin(turn)]) * size / 2
        return _even(circle + np.array([start.x, start.y + sign * (start.height / 2 + 0.3 * size)]))
    ends = [(p.x, p.y) if isinstance(p, Shape) else p for p in (start, end)]
    a, b = np.array(ends, float)
    if len(via):
        return _round_corners(_even(np.vstack([a, via, b])))
    across = np.array([a[1] - b[1], b[0] - a[0]]) / (np.hypot(*(b - a)) or 1)
    t = np.linspace(0, 1, 60)[:, None]
    return _even(a + t * (b - a) + 4 * bend * t * (1 - t) * across)


def _even(points: np.ndarray) -> np.ndarray:
    length = np.append(0, np.cumsum(np.hypot(*np.diff(points, axis=0).T)))
    at = np.linspace(0, length[-1], int(length[-1] / STEP) + 2)
    return np.column_stack([np.interp(at, length, column) for column in points.T])


def _round_corners(points: np.ndarray, reach: int = 10) -> np.ndarray:
    """Replace each point by the mean of its neighbours: a parabola at corners, no change beside."""
    padded = np.pad(points, ((reach, reach), (0, 0)), mode="edge")
    weights = np.ones(2 * reach + 1) / (2 * reach + 1)
    return np.column_stack([np.convolve(column, weights, "valid") for column in padded.T])


def leave(line: np.ndarray, shape: Shape) -> np.ndarray:
    """Cut off the beginning of a line, so that it starts on the border of the shape."""
    inside = shape.holds(line)
    if inside.all():
        return line[:0]
    first = int(np.argmin(inside))  # the first one outside
    if first == 0:
        return line
    near, far = line[first - 1], line[first]
    for _ in range(30):
        middle = (near + far) / 2
        near, far = (middle, far) if shape.holds(middle[None])[0] else (near, middle)
    return np.vstack([far, line[first:]])


def between(start: Shape | Point, end: Shape | Point, bend: float = 0.0, via=()) -> np.ndarray:
    """Give the `way` from border to border; it may be empty.

    The border is that of the array for some of its cells, and where a label of the shape is in the
    way, that of the label.
    """
    line = way(start, end, bend, via)
    for place in (start, end):
        if isinstance(place, Shape):
            whole = place.whole or place
            line = leave(leave(line, place), whole)
            for label in whole.labels:
                covered = np.flatnonzero(label.holds(line))
                line = line[covered[-1] + 1 :] if len(covered) else line
        line = line[::-1]
    return line


def beside(line: np.ndarray, extent: np.ndarray, side: int, bend: float) -> Point:
    """Give the centre for a text of this extent next to the middle of a line, clear of it.

    Side 1 is above a straight line, right of a vertical one and outside of a bent one.
    """
    middle = len(line) // 2
    along = line[min(middle + 3, len(line) - 1)] - line[max(middle - 3, 0)]
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    upward = across[1] if abs(across[1]) > 0.2 else across[0]
    across *= side * np.sign(bend or upward)
    air = 0.06, 0.01 if across[1] > 0 else 0.04  # a text has room for descenders at its foot
    distance = np.abs(across) @ (extent / 2 + air)
    while Shape("", around(line[middle] + distance * across, extent)).holds(line).any():
        distance += STEP
    return tuple(line[middle] + distance * across)
