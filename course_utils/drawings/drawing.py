"""What a lesson draws with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise, product

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator

from course_utils import style
from course_utils.drawings.elements import Elements
from course_utils.drawings.shapes import Point, Shape, around, between
from course_utils.drawings.sheet import FAINT, NEGATIVE, POSITIVE, SMALL, written


class Drawing(Elements):
    """One picture. A text is a string, also with $maths$, or a number.

    Colours are Matplotlib's, "C0" to "C6" the course palette; outlines and lines take them, texts
    stay dark. What is drawn is given back as a `Shape`: arrows and frames hold on to it.
    """

    def network(
        self, layers: Sequence[Sequence], weights: Sequence = (), *, at: Point = (0, 0), titles=(),
        write: bool | Mapping[tuple[int, int, int], str] = False, gap: Point = (1.7, 0.72),
    ) -> list[list[Shape]]:  # fmt: skip
        """Draw layers of units, from left to right, and a line for each weight.

        Args:
            layers: the texts of each layer's units; "…" stands for units left out.
            weights: for each two layers a matrix of shape (inputs, outputs); "…" counts as no
                unit, NaN is no line. A line is as wide as its weight is large, orange and dashed
                below zero. Without them all lines are alike.
            at: the centre of all.
            titles: one text above each layer.
            write: True writes every weight on its line, a mapping {(layer, input, output): text}
                the chosen ones.
            gap: inches between the centres of two layers and of two units.

        Returns:
            The units as `[layer][unit]`, without those left out.

        Raises:
            ValueError: a matrix has another shape than its layers, or a text finds no room.
        """
        for name, given, number in (
            ("titles", titles, len(layers)),
            ("weights", weights, len(layers) - 1),
        ):
            if len(given) not in (0, number):
                raise ValueError(f"{name}: expected {number}, found {len(given)}")
        top = at[1] + (max(map(len, layers)) - 1) / 2 * gap[1] + 0.4
        units = []
        for k, texts in enumerate(layers):
            x = at[0] + (k - (len(layers) - 1) / 2) * gap[0]
            units.append([])
            for i, text in enumerate(texts):
                place = x, at[1] + ((len(texts) - 1) / 2 - i) * gap[1]
                if text == "…":
                    self.text(place, "⋮", size=14)
                else:
                    units[k].append(self.box(place, text, shape="circle", color="C0"))
            if len(titles):
                self.text((x, top), titles[k], bold=True)
        labels: list[Shape] = []
        edges = self._edges(units, weights, labels)
        if write is True:
            if not len(weights):
                raise ValueError("write: True writes the weights, found none; give a mapping")
            write = {(k, i, j): weights[k][i][j] for k, i, j in edges}
        whole = {edge: line.get_xydata() for edge, line in edges.items()}
        for edge, content in (write or {}).items():
            if edge not in edges:
                raise ValueError(f"write: there is no weight {edge}")
            others = [line for key, line in whole.items() if key != edge]
            labels.append(self._label_on(edges[edge], content, others))
        return units

    def _edges(self, units, weights, labels) -> dict[tuple[int, int, int], Line2D]:
        """Draw the lines, on which labels may lie; (layer, input, output) → one of them."""
        most = max((np.nanmax(np.abs(matrix)) for matrix in weights), default=1.0) or 1.0
        edges = {}
        for k, (inputs, outputs) in enumerate(pairwise(units)):
            shape = len(inputs), len(outputs)
            matrix = np.array(weights[k] if len(weights) else np.ones(shape), float)
            if matrix.shape != shape:
                raise ValueError(f"weights[{k}]: expected shape {shape}, found {matrix.shape}")
            for (i, j), weight in np.ndenumerate(matrix):
                if np.isnan(weight):
                    continue
                line = between(inputs[i], outputs[j])
                looks = {"color": FAINT, "width": 1.0}
                if len(weights):
                    color = NEGATIVE if weight < 0 else POSITIVE
                    looks = {"color": color, "width": 0.8 + 2.2 * abs(weight) / most}
                looks["dashed"] = weight < 0
                edges[k, i, j] = self._line(f"weight {k, i, j}", line, labels, **looks)
        return edges

    def _label_on(self, drawn: Line2D, content, others: list[np.ndarray]) -> Shape:
        """Write in a gap of a line, where the text covers no shape and none of the other lines."""
        artist, extent = self._write(content, SMALL)
        line = drawn.get_xydata()
        shares = sorted(np.linspace(0.15, 0.85, 36), key=lambda share: abs(share - 0.3))
        for room, share in product((0.12, 0.08, 0.04), shares):
            at = line[int(share * len(line))]
            if self._clear(Shape("", around(at, extent + room)), others):
                covered = np.flatnonzero(Shape("", around(at, extent + 0.08)).holds(line))
                before, after = line[: covered[0]], line[covered[-1] + 1 :]
                # both begin at the text, so that no sliver of a dash stands beside it
                drawn.set_data(*np.vstack([before[::-1], [[np.nan, np.nan]], after]).T)
                return self._label(artist, extent, tuple(at))
        raise ValueError(f"write: no room for {content!r}; widen gap, or write fewer weights")

    def timeline(
        self, rows: Mapping[str, Sequence[tuple]], *, at: Point = (0, 0), width=5.5, unit="ms"
    ) -> dict[str, list[Shape]]:
        """Draw what happens when: rows of bars and events over an axis of time.

        Args:
            rows: label → bars (start, stop, text), with a colour as a fourth if wanted, and
                events (time, text).
            at: the centre of the rows.
            width: inches from the first time to the last.
            unit: of time.

        Returns:
            label → its bars and events, as shapes.

        Raises:
            ValueError: a text does not fit into its bar, or a bar ends before it starts.
        """
        times = [
            time
            for row in rows.values()
            for bar in row
            for time in bar
            if not isinstance(time, str)
        ]
        first, last = min(times), max(times)
        if first == last:
            raise ValueError(f"rows: expected times that differ, found only {first}")
        left, top, high = at[0] - width / 2, at[1] + len(rows) * 0.21, 0.42

        def x(time: float) -> float:
            return left + (time - first) / (last - first) * width

        drawn = {}
        for i, (label, row) in enumerate(rows.items()):
            y, drawn[label] = top - (i + 0.5) * high, []
            self.text((left - 0.12, y), label, align="right")
            for bar in row:
                draw = self._bar if len(bar) > 2 else self._event
                drawn[label].append(draw(x, y, *bar))
        bottom = top - len(rows) * high
        for time in MaxNLocator(8, steps=[1, 2, 5, 10]).tick_values(first, last):
            if first <= time <= last:
                self.axes.vlines(x(time), bottom, top, color="#DDDDDD", lw=0.8, zorder=0)
                self.text((x(time), bottom - 0.1), f"{time:g}")
        self.text((left - 0.12, bottom - 0.1), f"time in {unit}", align="right")
        return drawn

    def _bar(self, x, y, start, stop, text, color="C0") -> Shape:
        if stop <= start:
            raise ValueError(f"bar {text!r}: expected an end after {start}, found {stop}")
        size = {"width": x(stop) - x(start), "height": 0.32}
        return self.box(((x(start) + x(stop)) / 2, y), text, color=color, **size)

    def _event(self, x, y, time, text) -> Shape:
        diamond = np.array([(-0.07, 0), (0, 0.07), (0.07, 0), (0, -0.07)])
        event = Shape(f"event {text!r}", diamond + np.array([x(time), y]))
        self._fill(event, style.INK, style.INK)
        self._shapes.append(event)
        self.text((x(time) + 0.1, y), text, align="left")
        return event


def arrow_on(
    axes: Axes, start: Point, end: Point, text="", *, side="right", color=style.INK
) -> None:
    """Draw an arrow on a plot, in the units of its axes, with a text at one side of its middle.

    Raises:
        ValueError: `side` is none of left, right, above and below.
    """
    sides = {"right": (6, 0, "left", "center"), "left": (-6, 0, "right", "center"),
             "above": (0, 5, "center", "bottom"), "below": (0, -5, "center", "top")}  # fmt: skip
    if side not in sides:
        raise ValueError(f"side: expected one of {', '.join(sides)}, found {side!r}")
    looks = {"arrowstyle": "-|>", "color": color, "lw": 1.3, "shrinkA": 3, "shrinkB": 3}
    axes.annotate("", end, start, arrowprops=looks)
    dx, dy, ha, va = sides[side]
    middle = np.mean([start, end], axis=0)
    halo = [withStroke(linewidth=3, foreground=style.PAPER)]
    looks = {"ha": ha, "va": va, "size": SMALL, "path_effects": halo}
    axes.annotate(written(text), middle, (dx, dy), textcoords="offset points", **looks)
