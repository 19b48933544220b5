r"""Drawings of mechanisms: boxes, arrows, small arrays of numbers, networks, time lines.

A `Drawing` is a sheet measured in inches as shown on the page: x to the right, y up, `at` always
the centre of what is drawn. The paper fits what is on it. Sizes follow the texts, and `show`
refuses a drawing in which one thing covers another.

    d = Drawing(decimals=1)
    x = d.array((0, 0), [0.5, -1.0], title="x", note="2 numbers")
    layer = d.box((2, 0), "dense layer", color="C0")
    unit = d.box((4, 0), "$\\hat{y}$", shape="circle")
    d.arrow(x, layer, "2")  # between shapes; also from or to a point: (4, 1), unit.top
    d.arrow(layer, unit, 0.7, back=-0.3)  # a value and, below, the gradient that flows back
    d.arrow(x, unit, "over it", via=[(x.x, 0.9), (unit.x, 0.9)])  # or bend=0.5
    d.frame(x[0])  # a bold border on cells; a dashed frame round whole shapes
    d.show("A row x of two numbers leads through a dense layer, and over it, to a circle ŷ.")

`network` draws layers of units with their weights, `timeline` bars and events over time, `text`
what is left, and `arrow_on` an arrow on a plot.
"""

from course_utils.drawings.drawing import Drawing, arrow_on

__all__ = ["Drawing", "arrow_on"]
