"""Slant and thickness of drawn bars; the sheet of attributions."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils.heatmaps import attribution_sheet
from course_utils.strokes import slant, thickness


def bar(width, lean=0.0):
    """A bar of 20 rows and `width` columns, which moves by `lean` columns a row upwards."""
    picture = np.zeros((28, 28))
    for i in range(4, 24):
        start = 10 + lean * (23 - i)
        for j in range(28):
            picture[i, j] = np.clip(min(j + 1, start + width) - max(j, start), 0, 1)
    return picture


@pytest.mark.parametrize("lean", [-0.4, 0.0, 0.25])
def test_the_slant_is_the_lean_of_a_bar(lean):
    assert slant(bar(3, lean))[0] == pytest.approx(lean, abs=0.01)


def test_thickness_is_the_width_of_a_long_bar():
    found = thickness(np.stack([bar(2), bar(4)]).reshape(2, 784))
    np.testing.assert_allclose(found, [2 * 40 / 44, 2 * 80 / 48], rtol=0.02)


def test_a_sheet_has_a_column_for_each_map_and_refuses_another_shape():
    pictures = np.zeros((2, 28, 28))
    figure = attribution_sheet(pictures, {"a": pictures, "b": pictures - 1}, ["x", "y"])
    (panel,) = figure.axes
    plt.close(figure)
    assert [label.get_text() for label in panel.get_xticklabels()] == ["picture", "a", "b"]
    shown = panel.images[0].get_array()
    assert shown[5, 35].tolist() == [1, 1, 1] and shown[5, 65][2] < 0.1  # white; orange below 0
    with pytest.raises(ValueError, match="b: expected the shape of the pictures"):
        attribution_sheet(pictures, {"b": pictures[:1]})
