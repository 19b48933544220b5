"""The elements of a drawing: texts, boxes, arrays, frames, arrows."""

from __future__ import annotations

import numpy as np

from course_utils import style
from course_utils.drawings.shapes import STEP, Point, Shape, around, beside, between, outline
from course_utils.drawings.sheet import (
    FAINT,
    HEAD,
    LINE,
    NEGATIVE,
    NORMAL,
    POSITIVE,
    SMALL,
    Sheet,
    tint,
)

GAP = 0.04  # inches between a shape and the text over or under it


class Elements(Sheet):
    """What boxes, arrays and arrows are drawn with (see `Drawing`)."""

    def text(self, at: Point, text, *, align="center", size=SMALL, bold=False) -> Shape:
        """Write a text whose "center", "left" or "right" end lies at a point.

        Raises:
            ValueError: `size` is below 9 points, or `align` is none of the three.
        """
        shifts = {"center": 0, "left": 0.5, "right": -0.5}
        if align not in shifts or size < SMALL:
            raise ValueError(
                f"text {text!r}: expected align left, center or right and a size of at least "
                f"{SMALL} points, found {align!r} and {size}"
            )
        artist, extent = self._write(text, size, weight="bold" if bold else "normal")
        return self._label(artist, extent, (at[0] + shifts[align] * extent[0], at[1]))

    def box(
        self, at: Point, text, *, shape="box", width=0.0, height=0.0, note="", color=LINE,
        dashed=False,
    ) -> Shape:  # fmt: skip
        """Draw a text in a box that fits it.

        Args:
            at: the centre.
            text: one line or several.
            shape: "box", "circle", or a trapezoid that "narrows" or "widens" to the right.
            width, height: in inches; 0 fits the text.
            note: a small text under the box.
            color: of the outline; the inside is a light tint of it.
            dashed: whether the outline is.

        Raises:
            ValueError: there is no such shape, or the text does not fit into the given size.
        """
        artist, extent = self._write(text, NORMAL)
        need = np.maximum(extent + np.array([0.16, 0.1]), 0.34)
        fitted = {"box": need, "narrows": need / (1, 0.6), "widens": need / (1, 0.6)}
        fitted["circle"] = np.repeat(max(np.hypot(*extent) + 0.04, extent[0] + 0.16, 0.42), 2)
        if shape not in fitted:
            raise ValueError(f"shape: expected one of {', '.join(fitted)}, found {shape!r}")
        least = fitted[shape]
        size = np.where(np.array([width, height]) > 0, (width, height), least)
        drawn = Shape(f"box {artist.get_text()!r}", at + outline(shape, size))
        if not drawn.holds(around(at, extent)).all():
            raise ValueError(
                f"{drawn.name}: the text cannot fit, it needs {least[0]:.2f} × {least[1]:.2f} "
                f"inches, found {size[0]:.2f} × {size[1]:.2f}; leave the size out or break the text"
            )
        artist.set_position(at)
        self._fill(drawn, tint(color, 0.12), color, dashed=dashed)
        self._shapes.append(drawn)
        self._beside(drawn, note, -GAP)
        return drawn

    def array(
        self, at: Point, values, *, title="", note="", rows=(), columns=(), shade=False, cell=0.36
    ) -> Shape:
        """Draw numbers or texts as a grid of cells.

        Args:
            at: the centre of the cells; title, note and labels come outside them.
            values: shape (columns,) or (rows, columns).
            title, note: above and below, for the name and the shape.
            rows, columns: one label for each row, on its left, and each column, above it.
            shade: tint the cells by size, blue above zero and orange below.
            cell: least side of a cell in inches.

        Raises:
            ValueError: the rows differ in length, or the labels in number.
        """
        nested = [not isinstance(row, str) and np.ndim(row) > 0 for row in values]
        table = [list(row) for row in values] if any(nested) and all(nested) else [list(values)]
        count = len(table), len(table[0])
        if any(nested) != all(nested) or {len(row) for row in table} != {count[1]} or not count[1]:
            raise ValueError(f"values: expected one row, or rows of one length, found {values!r}")
        for name, labels, number in (("rows", rows, count[0]), ("columns", columns, count[1])):
            if len(labels) not in (0, number):
                raise ValueError(f"{name}: expected {number} labels, found {len(labels)}")
        written = [self._write(value, NORMAL) for row in table for value in row]
        largest = np.max([extent for _, extent in written], axis=0)
        side = np.maximum(largest + np.array([0.1, 0.06]), cell)
        name = f"array {title or written[0][0].get_text()!r}"
        drawn = Shape(name, around(at, side * count[::-1]), cells=count)
        numbers = [0.0 if isinstance(v, str) else float(v) for row in table for v in row]
        most = max(map(abs, numbers)) or 1.0
        for index, (artist, _) in enumerate(written):
            part, share = drawn[divmod(index, count[1])], numbers[index] / most
            face = tint(POSITIVE if share > 0 else NEGATIVE, 0.45 * abs(share) * shade)
            self._fill(part, face, FAINT, width=0.8)
            artist.set_position((part.x, part.y))
        self._fill(drawn, "none", LINE, zorder=2.5)
        self._shapes.append(drawn)
        for i, label in enumerate(rows):
            at = drawn.low[0] - 0.06, drawn[i, 0].y
            drawn.labels.append(self.text(at, label, align="right"))
        heads = [self._beside(drawn[0, j], label, GAP) for j, label in enumerate(columns)]
        self._beside(drawn, title, 1.5 * GAP + max(heads, default=0), bold=True)
        self._beside(drawn, note, -GAP)
        return drawn

    def frame(self, *shapes: Shape, text="", color="C1") -> Shape:
        """Draw a dashed frame round shapes, or a bold one on the border of cells of one array."""
        cells = shapes[0].whole and len({shape.whole for shape in shapes}) == 1
        gap = 0.0 if cells else 0.12
        within = [part for shape in shapes for part in (shape, *shape.labels)]
        low = np.min([part.low for part in within], axis=0) - gap
        high = np.max([part.high for part in within], axis=0) + gap
        drawn = Shape(
            f"frame {text!r}",
            around((low + high) / 2, high - low),
            shapes[0].whole if cells else None,
        )
        looks = {"width": 1.2, "dashed": True} if gap else {"width": 2.6}
        self._fill(drawn, "none", color, zorder=2.8, **looks)
        self._frames.append(drawn)
        self._beside(drawn, text, GAP)
        return drawn

    def arrow(
        self, start: Shape | Point, end: Shape | Point, text="", *, back="", bend=0.0, via=(),
        color=LINE, dashed=False,
    ) -> None:  # fmt: skip
        """Draw an arrow from border to border; between points, also `box.top`; or a loop.

        Args:
            start, end: shapes or points; the same shape twice is a loop.
            text: above the arrow (right of a vertical one, outside of a bent one).
            back: on the other side, in the second colour: the gradient that flows back.
            bend: inches between the arrow's middle and the straight line, positive to the left of
                the way. A loop is above its shape, with a negative bend below it.
            via: points through which it goes round corners.
            color, dashed: of the line.

        Raises:
            ValueError: start and end are too close.
        """
        line = between(start, end, bend, via)
        shapes = [place for place in (start, end) if isinstance(place, Shape)]
        name = " to ".join(getattr(place, "name", str(place)) for place in (start, end))
        if len(line) * STEP < 1.5 * HEAD:
            raise ValueError(f"arrow from {name}: there is no room for it; move them apart")
        touched = [*shapes, *(shape.whole for shape in shapes)]
        self._line(f"arrow from {name}", line, touched, color, dashed=dashed, head=True)
        for content, side, ink in ((text, 1, style.INK), (back, -1, NEGATIVE)):
            if content != "":
                artist, extent = self._write(content, SMALL, color=ink)
                self._label(artist, extent, beside(line, extent, side, bend))
