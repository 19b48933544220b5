"""The paper of a drawing: texts are measured on it, and what overlaps is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.text import Text

from course_utils import style
from course_utils.drawings.shapes import STEP, Point, Shape, around

WIDEST = 7.5  # inches, what a page of the site and of JupyterLab shows without shrinking
MARGIN = 0.1
SMALL, NORMAL = 9, 10  # points
POSITIVE, NEGATIVE = style.COLORS[:2]
LINE, FAINT = "#444444", "#AAAAAA"
HEAD = 0.12  # inches, the length of an arrow's head


def tint(color: str, share: float) -> tuple[float, ...]:
    """Mix a share of a colour into the paper."""
    return tuple(np.array(to_rgb(style.PAPER)) * (1 - share) + np.array(to_rgb(color)) * share)


def written(content, decimals: int = 2) -> str:
    """Write a number, or a text outside its $maths$, with true minus signs."""
    if not isinstance(content, str):
        value = np.asarray(content)
        places = 0 if value.dtype.kind in "iu" else decimals
        content = f"{value.item():z.{places}f}"  # z: no minus before a zero
    parts = content.split("$")  # every second one is maths
    parts[::2] = [re.sub(r"(?<!\w)-(?=[\d.])", "−", part) for part in parts[::2]]
    return "$".join(parts)


class Sheet:
    """Matplotlib axes in inches, and a list of what lies where."""

    def __init__(self, decimals: int = 2) -> None:
        """Begin an empty sheet on which fractional numbers are written with `decimals` places."""
        self.decimals = decimals
        self.figure = Figure(dpi=style.PIXELS_PER_INCH, layout="none")
        self.axes = self.figure.add_axes((0, 0, 1, 1))
        self.axes.set_axis_off()
        self._renderer = FigureCanvasAgg(self.figure).get_renderer()
        self._shapes: list[Shape] = []  # no two of these may overlap
        self._frames: list[Shape] = []  # each holds a shape whole or not at all
        self._lines: list[tuple[str, np.ndarray, list[Shape]]] = []  # with what they may cross

    def finish(self) -> Figure:
        """Fit the paper to what is drawn, and give the figure.

        Raises:
            ValueError: something covers something else; the drawing is empty or too wide.
        """
        if not self._shapes and not self._lines:
            raise ValueError("drawing: nothing is drawn; call box, array or another of its methods")
        self._refuse_overlaps()
        points = [shape.outline for shape in (*self._shapes, *self._frames)]
        points = np.vstack(points + [line for _, line, _ in self._lines])
        low, high = points.min(axis=0) - MARGIN, points.max(axis=0) + MARGIN
        width, height = high - low
        if width > WIDEST:
            raise ValueError(f"drawing: expected at most {WIDEST} inches, found {width:.1f}")
        self.axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        self.figure.set_size_inches(width, height)
        return self.figure

    def show(self, alt: str) -> None:
        """Show the drawing with a text that says what is seen (`style.show` has its rules)."""
        style.show(self.finish(), alt)

    def _refuse_overlaps(self) -> None:
        for a, b in combinations(self._shapes, 2):
            if (shared := a.overlap(b)).any():
                raise ValueError(
                    f"{a.name} and {b.name} overlap by {shared[0]:.2f} × {shared[1]:.2f} inches; "
                    "move them apart"
                )
        for frame in self._frames:
            for shape in self._shapes:
                cut = frame.overlap(shape).any() and not frame.holds(shape.outline).all()
                if cut and shape is not frame.whole:
                    raise ValueError(
                        f"{frame.name} cuts {shape.name}; move them apart, or frame whole shapes, "
                        "or cells of one array"
                    )
        for name, line, may_cross in self._lines:
            for shape in self._shapes:
                if shape not in may_cross and shape.holds(line[2:-2]).any():
                    raise ValueError(f"{name} crosses {shape.name}; lead it round with bend or via")

    def _write(self, content, size: float, **looks) -> tuple[Text, np.ndarray]:
        """Create a text, to be placed later, and measure its width and height in inches."""
        looks = {"ha": "center", "va": "center", "zorder": 4, "color": style.INK} | looks
        artist = self.axes.text(0, 0, written(content, self.decimals), size=size, **looks)
        box = artist.get_window_extent(self._renderer)
        return artist, np.array([box.width, box.height]) / self.figure.dpi

    def _label(self, artist: Text, extent: np.ndarray, at: Point) -> Shape:
        artist.set_position(at)
        self._shapes.append(Shape(f"text {artist.get_text()!r}", around(at, extent)))
        return self._shapes[-1]

    def _beside(self, shape: Shape, content, above: float, bold: bool = False) -> float:
        """Write a text so many inches over a shape, or under it if negative; give its height."""
        if content == "":
            return 0.0
        artist, extent = self._write(content, SMALL, weight="bold" if bold else "normal")
        edge = shape.top[1] + extent[1] / 2 if above > 0 else shape.bottom[1] - extent[1] / 2
        shape.labels.append(self._label(artist, extent, (shape.x, edge + above)))
        return extent[1]

    def _clear(self, place: Shape, lines: Sequence[np.ndarray]) -> bool:
        """Tell whether a place touches no shape of the sheet and none of these lines."""
        shapes = any(place.overlap(shape).any() for shape in self._shapes)
        return not shapes and not any(place.holds(line).any() for line in lines)

    def _fill(self, shape: Shape, face, edge, *, width=1.2, dashed=False, zorder=2.0) -> None:
        looks = {"fc": face, "ec": edge, "lw": width, "ls": "--" if dashed else "-"}
        self.axes.add_patch(Polygon(shape.outline, joinstyle="round", zorder=zorder, **looks))

    def _line(self, name, line, may_cross, color, *, width=1.3, dashed=False, head=False) -> Line2D:
        self._lines.append((name, line, may_cross))
        if head:
            steps = round(HEAD / STEP)
            tip, base = line[-1], line[-1 - steps]
            along = (tip - base) / np.hypot(*(tip - base))
            wing = np.array([-along[1], along[0]]) * 0.36 * HEAD
            corners = [tip, tip - HEAD * along + wing, tip - HEAD * along - wing]
            self.axes.add_patch(Polygon(corners, fc=color, ec="none", zorder=3))
            line = np.vstack([line[: -1 - steps], tip - 0.9 * HEAD * along])
        looks = {"lw": width, "ls": (0, (4, 2)) if dashed else "-", "marker": ""}
        return self.axes.plot(*line.T, color=color, solid_capstyle="butt", zorder=1.5, **looks)[0]
