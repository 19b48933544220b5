"""Drawings of mechanisms: boxes, arrows, small arrays of numbers, networks, time lines.

A `Drawing` is a sheet measured in inches as shown on the page: x to the right, y up, `at` always
the centre of what is drawn. The paper fits what is on it. Sizes follow the texts, and `show`
refuses a drawing in which one thing covers another.

    d = Drawing()
    x = d.box((0, 0), "$x$", shape="circle")
    y = d.box((2, 0), "dense layer")
    d.arrow(x, y, "32 × 784")
    d.show("An arrow, marked 32 × 784, leads from x to a dense layer.")
"""

from course_utils.drawings.drawing import Drawing, arrow_on

__all__ = ["Drawing", "arrow_on"]
