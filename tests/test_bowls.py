import numpy as np
import pytest

from course_utils.bowls import linear_bowl

X = np.array([[1.0, 2.0], [0.0, 1.0], [3.0, -1.0], [2.0, 2.0]])
Y = np.array([1.0, 4.0, -2.0, 3.0])


@pytest.mark.parametrize("bias", [False, True])
def test_the_bowl_is_the_objective(bias):
    columns = np.column_stack([np.ones(4), X]) if bias else X
    bowl = linear_bowl(X, Y, bias)
    for w in np.random.default_rng(0).normal(size=(5, columns.shape[1])):
        J = np.mean((columns @ w - Y) ** 2) / 2
        away = w - bowl.minimum
        assert away @ bowl.H @ away / 2 + bowl.lowest == pytest.approx(J)


def test_curvatures_of_one_input_and_a_bias():
    bowl = linear_bowl(np.array([-3.0, 3.0]), np.array([1.0, 7.0]), bias=True)
    assert bowl.minimum == pytest.approx([4, 1])
    assert (bowl.curvature_min, bowl.curvature_max) == pytest.approx((1, 9))
    assert bowl.lowest == pytest.approx(0)
