"""Pictures of the plane: what is drawn is what the answer function says."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils import plane, style


@pytest.fixture(autouse=True)
def course_style():
    with mpl.rc_context():
        mpl.use("agg")
        style.use_course_style()
        yield
    plt.close("all")


def right_half(X):
    return 1 / (1 + np.exp(-(X[:, 0] - 1)))


def border(panel):
    """Points of the black line: that of the contour at one half."""
    paths = panel.collections[-1].get_paths()
    return np.concatenate([path.vertices for path in paths])


def test_the_border_lies_where_the_answer_is_one_half():
    _, panel = plt.subplots()
    plane.draw_answer(panel, right_half, centre=(2, 0), reach=3)
    np.testing.assert_allclose(border(panel)[:, 0], 1, atol=0.01)
    assert panel.get_xlim() == (-1, 5) and panel.get_ylim() == (-3, 3)


def test_each_class_has_its_own_mark():
    _, panel = plt.subplots()
    plane.draw_points(panel, np.array([[0, 1], [2, 3], [4, 5]]), np.array([[0], [1], [1]]))
    drawn = {line.get_marker(): line.get_xydata().tolist() for line in panel.lines}
    assert drawn == {"o": [[0, 1]], "^": [[2, 3], [4, 5]]}


def test_answers_have_a_panel_each_and_an_empty_place_stays_empty():
    names = ["a", "b", "c", "d", "e"]
    figure = plane.answers(dict.fromkeys(names, right_half), columns=3)
    assert [panel.get_title() for panel in figure.axes] == [*names, ""]
    assert not figure.axes[-1].axison


def test_the_key_names_the_marks_only_where_there_are_points():
    shades = ["answer near 0", "answer near 1", "border"]
    for X, marks in ((None, []), (np.array([[0, 1], [2, 3]]), ["class 0", "class 1"])):
        figure = plane.answers({"a": right_half}, X, None if X is None else np.array([0, 1]))
        texts = [text.get_text() for text in figure.legends[0].get_texts()]
        assert texts == marks + shades
    figure = plane.answers({"a": right_half}, key=("low", "high", "line"))
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["low", "high", "line"]


def test_the_best_line_of_points_that_a_line_separates_but_one():
    x1 = np.array([0.0, 1, 2, 3, 4, 5, 6, 7, 8, 0.5])
    X = np.stack([x1, np.tile([0, 0.1], 5)], axis=1)
    y = np.array([0, 0, 0, 1, 1, 1, 1, 1, 1, 1])[:, None]  # the last one lies among the others
    accuracy, w, b = plane.best_line(X, y)
    assert accuracy == 0.9
    assert np.mean((X @ w + b > 0) == y[:, 0]) == 0.9
    assert np.linalg.norm(w) == pytest.approx(1)


@pytest.mark.parametrize("functions, key", [({}, plane.KEY), ({"a": right_half}, ["one", "two"])])
def test_answers_that_cannot_be_laid_out_are_refused(functions, key):
    with pytest.raises(ValueError, match="expected one or more"):
        plane.answers(functions, key=key)


@pytest.mark.parametrize("b, foot", [(-10, (1.2, 1.6)), (5, (-0.6, -0.8))])
def test_the_distance_ends_on_the_border(b, foot):
    _, panel = plt.subplots()
    plane.draw_weights(panel, np.array([3.0, 4.0]), b)
    thick, corner = panel.lines
    np.testing.assert_allclose(thick.get_xydata(), [(0, 0), foot], atol=1e-12)
    sides = np.diff(corner.get_xydata(), axis=0)
    assert sides[0] @ sides[1] == pytest.approx(0)
    inner = corner.get_xydata()[-1]  # on the side of the origin
    assert np.hypot(*inner) < np.hypot(*foot)
    assert panel.texts[0].xy == (3, 4)


def test_a_neuron_for_sliders_has_its_border_where_the_caption_says():
    figure, caption = plane.draw_neuron(angle_of_w=0, length=2.0, bias=-4.0)
    contours = [c for c in figure.axes[0].collections if len(c.get_paths()) == 1]
    np.testing.assert_allclose(contours[-1].get_paths()[0].vertices[:, 0], 2, atol=0.01)
    assert caption == "The border lies at 2.00 along w."
