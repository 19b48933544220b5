"""Drawings: texts lie in their boxes, arrows end on borders, nothing covers anything else."""

from io import BytesIO
from itertools import combinations

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from course_utils import drawings, style
from course_utils.drawings import Drawing, arrow_on

INCH = 0.01  # how near is on: a hundredth of an inch


@pytest.fixture(autouse=True)
def course_style():
    with mpl.rc_context():
        mpl.use("agg")
        style.use_course_style()
        yield
    plt.close("all")


W1 = np.array([[0.9, -0.4, 0.6], [-1.2, 0.3, 0.8]])
W2 = np.array([[1.1], [-0.7], [np.nan]])


def network(**options):
    d = Drawing(decimals=1)
    layers = [["$x_1$", "$x_2$"], ["$a_1$", "$a_2$", "$a_3$"], ["$\\hat{y}$"]]
    options = {"weights": [W1, W2], "gap": (2.1, 0.9)} | options
    return d, d.network(layers, titles=["in", "hidden layer", "out"], **options)


def graph():
    d = Drawing()
    x, w = d.box((0, 0.9), "$x$", shape="circle"), d.box((0, 0), "$w$", shape="circle")
    times, loss = d.box((1.6, 0.4), "×", shape="circle"), d.box((3.2, 0.4), "$-\\log\\,\\hat{y}$")
    d.arrow(x, times, 2.0, back=-0.177)
    d.arrow(w, times, 0.5, back=-0.708)
    d.arrow(times, loss, 1.0, back=-0.35)
    d.arrow(loss, (4.4, 0.4), "loss")
    d.arrow(x, loss, "over", via=[(x.x, 1.6), (3.2, 1.6)])
    d.arrow(loss, times, "curved", bend=-0.5)
    d.arrow(w, w, "again", bend=-0.4)
    return d


def tables():
    d = Drawing()
    image = d.array((0, 0), np.arange(25).reshape(5, 5), title="image", note="5 × 5")
    row = d.array((2.6, 0), [0.25, -0.001, -7.5], columns=["a", "b", "c"], rows=["row"], shade=True)
    d.frame(image[1:4, 2:])
    d.arrow(image[1:4, 2:], row[0])
    coder = d.box((5.0, 0), "two\nlines", shape="narrows", note="a note", color="C2", dashed=True)
    d.frame(coder, text="framed")
    d.arrow(row, coder, "3 → 2")
    return d


def queue():
    d = Drawing()
    rows = {
        "one": [(0, 4, "waits", "gray"), (4, 10, "computed")],
        "done": [(10, "answer"), (2, "x")],
    }
    return d, d.timeline(rows, width=4.0)


GALLERY = {
    "graph": graph,
    "tables": tables,
    "network": lambda: network(write=True)[0],
    "queue": lambda: queue()[0],
}


def extent(artist):
    """What an artist covers when it is saved, as (x0, y0, x1, y1) in inches of the drawing."""
    box = artist.get_window_extent()
    return artist.axes.transData.inverted().transform(box.get_points()).ravel()


def texts(d):
    return {text.get_text(): extent(text) for text in d.axes.texts}


def gap_of(line):
    """Where a line with a weight on it is interrupted, as a list for `np.split`."""
    return np.flatnonzero(np.isnan(line.get_xydata()[:, 0]))


def distance(point, outline):
    """From a point to the border of a polygon."""
    a, b = np.asarray(outline), np.roll(outline, -1, axis=0)
    along = np.clip(((point - a) * (b - a)).sum(1) / ((b - a) ** 2).sum(1), 0, 1)
    return np.hypot(*(a + along[:, None] * (b - a) - point).T).min()


@pytest.mark.filterwarnings("error")  # a sign that the font lacks is a warning
@pytest.mark.parametrize("draw", GALLERY.values(), ids=GALLERY)
def test_nothing_that_is_seen_covers_a_text(draw):
    d = draw()
    figure = d.finish()
    figure.canvas.draw()
    seen = [extent(text) for text in d.axes.texts]
    for (a, b), pair in zip(
        combinations(seen, 2), combinations([t.get_text() for t in d.axes.texts], 2), strict=True
    ):
        assert (np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])).min() < INCH / 2, pair
    for patch in d.axes.patches:
        border = patch.get_path()
        for box in seen:  # wholly inside or wholly outside
            corners = [(box[i], box[j]) for i in (0, 2) for j in (1, 3)]
            assert len(set(border.contains_points(corners))) == 1
    paper = [*d.axes.get_xlim(), *d.axes.get_ylim()]
    assert paper[1] - paper[0] == pytest.approx(figure.get_figwidth())  # a unit is an inch
    assert paper[3] - paper[2] == pytest.approx(figure.get_figheight())
    low, high = np.min(seen, axis=0), np.max(seen, axis=0)
    assert low[0] > paper[0] and low[1] > paper[2] and high[2] < paper[1] and high[3] < paper[3]
    assert min(text.get_size() for text in d.axes.texts) >= 9


def test_the_paper_fits_its_content():
    d = Drawing()
    d.box((100, -50), "a", width=2, height=1)
    assert d.finish().get_size_inches() == pytest.approx([2.2, 1.2])


@pytest.mark.parametrize("shape", ["box", "circle", "narrows", "widens"])
@pytest.mark.parametrize(
    "text", ["1", "a long line of text", "three\nlines\nof it", "$\\frac{a}{b}$"]
)
def test_a_box_grows_with_its_text(shape, text):
    d = Drawing()
    box = d.box((3, 1), text, shape=shape)
    d.finish()
    x0, y0, x1, y1 = texts(d)[text]
    assert box.holds(np.array([(x0, y0), (x0, y1), (x1, y0), (x1, y1)])).all()
    assert (box.x, box.y) == pytest.approx((3, 1))
    assert box.width < x1 - x0 + 0.5


SHAPES = {
    "box": lambda d, at: d.box(at, "a box"),
    "circle": lambda d, at: d.box(at, "o", shape="circle"),
    "narrows": lambda d, at: d.box(at, "coder", shape="narrows"),
    "array": lambda d, at: d.array(at, [[1, 2], [3, 4]]),
}
WAYS = {"straight": {}, "bent": {"bend": 0.4}, "corner": {"via": [(1.7, 0)]}}


@pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("kind", SHAPES)
def test_an_arrow_goes_from_border_to_border(kind, options):
    d = Drawing()
    a, b = SHAPES[kind](d, (0, 0)), SHAPES[kind](d, (1.7, -1.1))
    d.arrow(a, b, **options)
    d.finish()
    (line,), head = d.axes.lines, d.axes.patches[-1]
    assert distance(line.get_xydata()[0], a.outline) < INCH / 5
    assert distance(head.get_xy()[0], b.outline) < INCH / 5
    assert not a.holds(line.get_xydata()[5:]).any()
    assert not b.holds(line.get_xydata()).any()


@pytest.mark.parametrize("sign", [1, -1])
def test_a_loop_begins_and_ends_on_its_shape(sign):
    d = Drawing()
    box = d.box((0, 0), "state")
    d.arrow(box, box, "again", bend=0.5 * sign)
    d.finish()
    (line,), head = d.axes.lines, d.axes.patches[-1]
    for end in (line.get_xydata()[0], head.get_xy()[0]):
        assert distance(end, box.outline) < INCH / 5
        assert end[1] == pytest.approx(box.height / 2 * sign, abs=INCH)
    assert texts(d)["again"][1] * sign > 0.4


def test_an_arrow_does_not_cross_what_is_written_at_its_shape():
    d = Drawing()
    box = d.box((0, 0), "x", note="a note")
    d.arrow((0, -1.5), box)
    d.finish()
    assert d.axes.patches[-1].get_xy()[0][1] == pytest.approx(texts(d)["a note"][1], abs=INCH)


def test_an_arrow_between_points_has_exactly_these_ends():
    d = Drawing()
    box = d.box((0, 0), "from", width=1.0)
    d.arrow(box.top, (0.5, 2))
    np.testing.assert_allclose(d.axes.lines[0].get_xydata()[0], (0, box.height / 2))
    np.testing.assert_allclose(d.axes.patches[-1].get_xy()[0], (0.5, 2))


@pytest.mark.parametrize(
    ("end", "bend", "side"),
    [((2, 0), 0, (0, 1)), ((-2, 0), 0, (0, 1)), ((0, 2), 0, (1, 0)), ((0, -2), 0, (1, 0)),
     ((2, 0), 0.4, (0, 1)), ((2, 0), -0.4, (0, -1)), ((0, 2), 0.4, (-1, 0))],
)  # fmt: skip
def test_the_text_is_above_right_or_outside_and_back_opposite(end, bend, side):
    d = Drawing()
    d.arrow((0, 0), end, 0.5, back=-0.25, bend=bend)
    d.finish()
    middle = d.axes.lines[0].get_xydata()[len(d.axes.lines[0].get_xydata()) // 2]
    found = {name: np.reshape(box, (2, 2)).mean(axis=0) - middle for name, box in texts(d).items()}
    assert found["0.50"] @ side > 0.06
    assert found["−0.25"] @ side < -0.06
    assert d.axes.texts[1].get_color() != d.axes.texts[0].get_color()


def test_an_array_shows_the_values_in_their_places():
    d = Drawing(decimals=1)
    values = np.array([[1.25, -2.0, 0.0], [-0.04, 10.0, 3.5]])
    a = d.array((0, 0), values, rows=["r", "s"], columns=["a", "b", "c"], title="T", note="2 × 3")
    shown = {text.get_position(): text.get_text() for text in d.axes.texts}
    expected = [["1.2", "−2.0", "0.0"], ["0.0", "10.0", "3.5"]]
    assert [[shown[a[i, j].x, a[i, j].y] for j in range(3)] for i in range(2)] == expected
    assert (a[0, 0].x, a[0, 0].y) < (a[0, 1].x, a[0, 1].y)
    assert a[0, 0].y > a[1, 0].y
    d.finish()
    places = texts(d)
    assert places["r"][2] < a.left[0] and places["r"][1] > a.y
    assert places["b"][1] > a.top[1] and abs(places["b"][0] + places["b"][2]) / 2 < INCH
    assert places["T"][1] > places["b"][3] - INCH
    assert places["2 × 3"][3] < a.bottom[1]


@pytest.mark.parametrize(
    ("value", "shown"),
    [(3, "3"), (np.int64(-3), "−3"), (2.0, "2.00"), (np.float32(-0.001), "0.00"),
     ("-1 and x-1", "−1 and x-1"), ("$a-1$ = -1", "$a-1$ = −1"), ("", "")],
)  # fmt: skip
def test_numbers_are_written_with_places_and_a_true_minus(value, shown):
    d = Drawing()
    d.array((0, 0), [value])
    assert d.axes.texts[0].get_text() == shown


def test_a_part_of_an_array_is_a_shape():
    d = Drawing()
    a = d.array((0, 0), np.zeros((4, 5), int), cell=0.5)
    part = a[1:3, -2:]
    assert (part.width, part.height) == pytest.approx((1.0, 1.0))
    assert (part.x, part.y) == pytest.approx((0.75, 0.0))
    row = d.array((0, 3), ["a", "b", "c"], cell=0.5)
    assert [row[i].x for i in (0, 1, -1)] == pytest.approx([-0.5, 0, 0.5])
    d.frame(part)
    np.testing.assert_allclose(d.axes.patches[-1].get_xy()[:4], part.outline)
    with pytest.raises(IndexError, match="out of bounds"):
        a[4, 0]
    with pytest.raises(IndexError, match="no cell at"):
        a[4:, 0]
    with pytest.raises(TypeError, match="box 'x' has no cells; only an array has"):
        d.box((5, 0), "x")[0]


def test_shading_follows_size_and_sign():
    d = Drawing()
    d.array((0, 0), [2.0, 1.0, 0.0, -2.0], shade=True)
    strong, weak, none, negative = [np.array(patch.get_fc()[:3]) for patch in d.axes.patches[:4]]
    assert (none == 1).all() and strong.sum() < weak.sum() < 3
    assert strong[2] > strong[0] and negative[0] > negative[2]


def test_a_frame_goes_round_shapes_and_what_is_written_at_them():
    d = Drawing()
    box = d.box((0, 0), "x", note="a long note")
    frame = d.frame(box, text="both")
    d.finish()
    assert frame.low[0] < texts(d)["a long note"][0] and frame.low[1] < texts(d)["a long note"][1]
    assert frame.high[1] > box.high[1]
    assert texts(d)["both"][1] > frame.high[1]


def test_a_network_has_a_line_for_each_weight():
    d, units = network()
    assert [len(layer) for layer in units] == [2, 3, 1]
    lines = d.axes.lines
    weights = [w for w in [*W1.ravel(), *W2.ravel()] if not np.isnan(w)]
    assert len(lines) == len(weights) == 8
    assert [line.is_dashed() for line in lines] == [w < 0 for w in weights]
    assert [to_rgb(line.get_color()) for line in lines] == [
        to_rgb(style.COLORS[int(w < 0)]) for w in weights
    ]
    order = np.argsort([line.get_linewidth() for line in lines], kind="stable")
    assert np.abs(weights)[order].tolist() == sorted(np.abs(weights))
    ends = [(i, j) for i in range(2) for j in range(3)]
    for (i, j), line in zip(ends, lines, strict=False):
        assert distance(line.get_xydata()[0], units[0][i].outline) < INCH / 5
        assert distance(line.get_xydata()[-1], units[1][j].outline) < INCH / 5


def test_every_weight_is_written_on_its_own_line():
    d, _ = network(write=True)
    labels = d.axes.texts[-8:]
    weights = [w for w in [*W1.ravel(), *W2.ravel()] if not np.isnan(w)]
    assert [text.get_text() for text in labels] == [f"{w:.1f}".replace("-", "−") for w in weights]
    parts = [np.split(line.get_xydata(), gap_of(line)) for line in d.axes.lines]
    whole = [np.linspace(before[-1], after[-1], 500) for before, after in parts]
    for i, text in enumerate(labels):
        near = [np.hypot(*(line - text.get_position()).T).min() for line in whole]
        assert near[i] == min(near) < INCH


def test_a_line_begins_anew_on_both_sides_of_its_weight():
    d, _ = network(write=True)
    for text, line in zip(d.axes.texts[-8:], d.axes.lines, strict=True):
        (x0, y0, x1, y1), points = extent(text), line.get_xydata()
        nearest = np.hypot(*(points - text.get_position()).T)
        before, after = np.split(nearest, gap_of(line))
        assert before[0] == before.min() and after[1] == np.nanmin(after)  # the dashes' beginnings
        inside = (points > (x0 - 0.02, y0 - 0.02)) & (points < (x1 + 0.02, y1 + 0.02))
        assert not inside.all(axis=1).any()


def test_units_left_out_have_no_lines():
    d = Drawing()
    units = d.network([["a", "…", "b"], ["c"]], write={(0, 1, 0): "w"})
    assert [len(layer) for layer in units] == [2, 1]
    assert len(d.axes.lines) == 2
    assert [text.get_text() for text in d.axes.texts] == ["a", "⋮", "b", "c", "w"]
    assert d.axes.texts[-1].get_position()[1] < 0


def test_bars_lie_where_their_times_are():
    d, rows = queue()
    d.finish()
    ticks = {text.get_text(): text.get_position()[0] for text in d.axes.texts}
    assert ticks["10"] - ticks["0"] == pytest.approx(4.0)
    waits, computed = rows["one"]
    assert waits.left[0] == pytest.approx(ticks["0"])
    assert waits.right[0] == computed.left[0] == pytest.approx(ticks["4"])
    assert computed.right[0] == rows["done"][0].x == pytest.approx(ticks["10"])
    assert waits.y == computed.y > rows["done"][0].y
    assert "time in ms" in ticks


def boxes(*ats):
    d = Drawing()
    return d, [d.box(at, f"box {i}") for i, at in enumerate(ats)]


def overlapping_boxes():
    boxes((0, 0), (0.3, 0.1))[0].finish()


def label_wider_than_its_gap():
    d, (a, b) = boxes((0, 0), (1.2, 0))
    d.arrow(a, b, "much too long a text")
    d.finish()


def arrow_through_a_box():
    d, (a, _, c) = boxes((0, 0), (2, 0), (4, 0))
    d.arrow(a, c)
    d.finish()


def frame_through_a_box():
    d, (a, _) = boxes((0, 0), (0.65, 0.3))
    d.frame(a)
    d.finish()


def cells_of_two():
    d = Drawing()
    a, b = d.array((0, 0), [1, 2, 3]), d.array((0, 0.8), [4, 5, 6])
    d.frame(a[:2], b[:2], text="both")
    d.finish()


def touching():
    d, (a, b) = boxes((0, 0), (0.65, 0))
    d.arrow(a, b)


ERRORS = {
    r"box 'box 0' and box 'box 1' overlap by 0\.\d\d × 0\.\d\d inches; move": overlapping_boxes,
    "box 'box 0' and text 'much too long a text' overlap by": label_wider_than_its_gap,
    "arrow from box 'box 0' to box 'box 2' crosses box 'box 1'; lead it round": arrow_through_a_box,
    "frame '' cuts box 'box 1'": frame_through_a_box,
    "arrow from box 'box 0' to box 'box 1': there is no room for it": touching,
    "shape: expected one of box, narrows, widens, circle, found 'star'": lambda: Drawing().box(
        (0, 0), "x", shape="star"
    ),
    r"box 'a long text': the text cannot fit, it needs 0\.\d\d × 0\.34 inches, found": lambda: (
        Drawing().box((0, 0), "a long text", width=0.5)
    ),
    "size of at least 9 points, found 'center' and 7": lambda: Drawing().text((0, 0), "x", size=7),
    "expected align left, center or right": lambda: Drawing().text((0, 0), "x", align="top"),
    "values: expected one row, or rows of one length": lambda: (
        Drawing().array((0, 0), [[1, 2], [3]])
    ),
    r"values: .* found \[\[1\], 2\]": lambda: Drawing().array((0, 0), [[1], 2]),
    r"values: .* found \[\]": lambda: Drawing().array((0, 0), []),
    "columns: expected 2 labels, found 1": lambda: Drawing().array((0, 0), [1, 2], columns=["a"]),
    r"weights\[1\]: expected shape \(3, 1\), found \(1, 3\)": lambda: network(weights=[W1, W2.T]),
    "weights: expected 2, found 1": lambda: network(weights=[W1]),
    r"write: there is no weight \(1, 0, 5\)": lambda: network(write={(1, 0, 5): "w"}),
    "write: True writes the weights, found none": lambda: network(weights=[], write=True),
    "titles: expected 2, found 1": lambda: Drawing().network([["a"], ["b"]], titles=["a"]),
    "bar 'x': expected an end after 4, found 2": lambda: Drawing().timeline({"r": [(4, 2, "x")]}),
    "rows: expected times that differ, found only 3": lambda: Drawing().timeline({"r": [(3, "")]}),
    "frame 'both' cuts array '1'; .*, or frame whole shapes, or cells of one array": cells_of_two,
    "write: no room for": lambda: network(write=True, gap=(1.0, 0.45)),
    "box 'a long text': the text cannot fit": lambda: (
        Drawing().timeline({"r": [(0, 1, "a long text"), (9, "")]})
    ),
    "drawing: expected at most 7.5 inches, found 8.": lambda: boxes((0, 0), (8, 0))[0].finish(),
    "drawing: nothing is drawn": lambda: Drawing().finish(),
    "side: expected one of right, left, above, below, found 'top'": lambda: arrow_on(
        plt.figure().gca(), (0, 0), (1, 1), side="top"
    ),
}  # fmt: skip


@pytest.mark.parametrize("message", ERRORS)
def test_what_cannot_be_drawn_is_refused(message):
    with pytest.raises(ValueError, match=message):
        ERRORS[message]()


def test_a_drawing_is_shown_with_its_alt_text(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **more: shown.append((data, more)))
    graph().show("Two circles x and w lead to a product and to its logarithm.")
    ((data, more),) = shown
    assert data["text/plain"].startswith("Two circles")
    assert more["metadata"]["image/png"]["width"] > 400
    assert plt.get_fignums() == []


@pytest.mark.filterwarnings("error")
def test_the_example_of_the_package_draws(monkeypatch):
    monkeypatch.setattr(style, "show", lambda figure, alt: figure.savefig(BytesIO()))
    lines = [line[4:] for line in drawings.__doc__.splitlines() if line.startswith("    ")]
    exec("\n".join(lines), {"Drawing": Drawing})
    assert len(lines) == 9


def test_an_arrow_on_a_plot_keeps_the_units_of_its_axes():
    _, axes = plt.subplots()
    axes.plot([0, 10], [0, 100])
    arrow_on(axes, (8, 64), (2, 64), "step -6", side="above")
    arrow, label = axes.texts
    assert (arrow.xyann, arrow.xy) == ((8, 64), (2, 64))
    assert label.get_text() == "step −6"
    assert tuple(label.xy) == (5, 64)
    assert label.get_position() == (0, 5)
