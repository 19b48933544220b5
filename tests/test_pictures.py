"""The contact sheet: every picture in its place, with the paper between them."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course_utils.pictures import GAP, LEVELS, contact_sheet


@pytest.fixture
def pictures():
    return np.random.default_rng(0).random((2, 3, 16))


def test_each_picture_stands_in_its_place(pictures):
    figure = contact_sheet(pictures, rows=["a", "b"], columns=list("123"), title="t")
    sheet = np.asarray(figure.axes[0].images[0].get_array())
    assert sheet.shape == (8 + GAP, 12 + 2 * GAP)
    found = sheet[4 + GAP :, 4 + GAP : 8 + GAP]
    np.testing.assert_allclose(found, pictures[1, 1].reshape(4, 4), atol=0.5 / (LEVELS - 1))
    assert not sheet[4 : 4 + GAP].any()
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a", "b"]
    plt.close(figure)


def test_other_numbers_of_labels_and_pictures_that_are_not_square_are_refused(pictures):
    with pytest.raises(ValueError, match="rows: expected 2 labels, found 1"):
        contact_sheet(pictures, rows=["a"])
    with pytest.raises(ValueError, match="side²"):
        contact_sheet(pictures[..., :15])
