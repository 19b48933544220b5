"""Sliders: shown in a live notebook, tested at their ends everywhere else."""

import matplotlib.pyplot as plt
import pytest

from course_utils import interactive

SENTENCE = "A line that rises with the slope that the slider gives."


@pytest.fixture
def drawn():
    return []


@pytest.fixture
def draw(drawn):
    def draw(slope=1.0, points=2):
        drawn.append((slope, points))
        figure, panel = plt.subplots()
        panel.plot([0, 1], [0, slope])
        return figure, SENTENCE

    return draw


def test_batch_draws_both_ends_of_each_slider_and_leaves_one_line(draw, drawn, capsys, monkeypatch):
    monkeypatch.delenv(interactive.SESSION, raising=False)
    interactive.explore(draw, slope=[0.5, 1.0, 2.0], points=[2, 3])
    assert drawn == [(0.5, 2), (2.0, 2), (1.0, 2), (1.0, 3)]
    assert plt.get_fignums() == []
    assert capsys.readouterr().out == (
        "Open in JupyterLab, this cell shows sliders: slope (3 values, 0.5 to 2.0), "
        "points (2 values, 2 to 3).\n"
    )


def test_batch_run_fails_where_the_picture_fails(draw, monkeypatch):
    monkeypatch.delenv(interactive.SESSION, raising=False)

    def broken(slope=1.0):
        return plt.figure(), f"{1 / (2.0 - slope)}"

    with pytest.raises(ZeroDivisionError):
        interactive.explore(broken, slope=[1.0, 2.0])


def test_live_shows_sliders_and_redraws(draw, drawn, monkeypatch):
    shown, pictures = [], []
    monkeypatch.setenv(interactive.SESSION, "notebooks/04_x.ipynb")
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setattr(interactive.style, "show", lambda figure, alt: pictures.append(alt))
    interactive.explore(draw, slope=[0.5, 1.0, 2.0], points=[2, 3])
    first, second, _ = shown[0].children
    assert first.description == "slope" and second.description == "points"
    assert [label for label, _ in first.options] == ["0.5", "1", "2"]
    first.value = 2.0
    second.value = 3
    assert drawn == [(1.0, 2), (2.0, 2), (2.0, 3)]
    assert pictures == [SENTENCE] * 3


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"slope": [1.0, 2.0]}, "one for each parameter of draw .slope, points., found slope"),
        ({"slope": [1.0, 2.0], "points": [2, 3], "x": [1, 2]}, "found slope, points, x"),
        ({"slope": [1.0], "points": [2, 3]}, "slope: expected at least two values"),
        ({"slope": [1.0, 2.0], "points": [5, 6]}, "points: .* default 2"),
    ],
)
def test_sliders_that_do_not_fit_the_picture_are_refused(draw, choices, message):
    with pytest.raises(ValueError, match=message):
        interactive.explore(draw, **choices)
