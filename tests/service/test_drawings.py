"""A drawing becomes the same image in lesson 10's Python and in the page's JavaScript."""

import numpy as np
import pytest

from tests.service.drawings import DRAWINGS, drawn, prepare, vectors
from tests.service.page import mnist_test

IN_THE_PAGE = """async ({size, boxes}) => {
  const {asMnist} = await import("/preprocess.js");
  const pixels = new Uint8Array(size * size);
  for (const [top, left, bottom, right, value] of boxes)
    for (let row = size * top; row < size * bottom; row += size)
      pixels.fill(value, row + left, row + right);
  return [...asMnist({pixels, width: size, height: size}).pixels];
}"""


@pytest.fixture(scope="module")
def expected():
    found = {name: np.array(image) for name, image in vectors().items()}
    assert list(found) == list(DRAWINGS)
    return found


@pytest.mark.parametrize("name", DRAWINGS)
def test_in_python(expected, name):
    np.testing.assert_array_equal(prepare()(drawn(*DRAWINGS[name])), expected[name])


def test_in_the_page(visit, expected):
    page = visit()
    for name, (size, boxes) in DRAWINGS.items():
        made = np.reshape(page.evaluate(IN_THE_PAGE, {"size": size, "boxes": boxes}), (28, 28))
        # The order in which numbers are added up may decide a rounding.
        assert np.abs(made - expected[name]).max() <= 1, name


def test_no_ink_is_lost_and_a_digit_of_mnist_stays_what_it_is(expected):
    for name, image in expected.items():
        assert (image.max() > 0) == bool(DRAWINGS[name][1]), name
    for digit in mnist_test()[0][:100]:
        np.testing.assert_array_equal(prepare()(np.kron(digit, np.ones((4, 4), np.uint8))), digit)
