"""Beams bend as the textbooks say, and the gradient of the compliance is one."""

import numpy as np
import pytest

from course_utils.beams import E_MIN, POISSON, cantilever, element_stiffness, half_mbb
from course_utils.checks import numeric_gradient


def test_an_element_resists_stretching_and_not_rigid_motion():
    corners = np.array([(0, 0), (0, 1), (1, 1), (1, 0)], float)  # right, down; as in the module
    turn = np.stack([corners[:, 1], -corners[:, 0]], axis=1)
    for rigid in (np.tile([1, 0], (4, 1)), np.tile([0, 1], (4, 1)), turn):
        np.testing.assert_allclose(element_stiffness() @ rigid.ravel(), 0, atol=1e-12)
    stretch = (corners * [1, -POISSON]).ravel()  # free to contract: the energy is that of E = 1
    assert stretch @ element_stiffness() @ stretch == pytest.approx(1)
    shear = (corners[:, ::-1] * [1, 0]).ravel()
    assert shear @ element_stiffness() @ shear == pytest.approx(1 / (2 * (1 + POISSON)))


@pytest.mark.parametrize(("length", "height"), [(60, 6), (80, 10)])
def test_a_full_cantilever_bends_as_beam_theory_says(length, height):
    compliance, _ = cantilever(length, height).compliance(np.ones((height, length)))
    bending = length**3 / (3 * height**3 / 12)
    shear = 6 / 5 * length * 2 * (1 + POISSON) / height
    assert compliance == pytest.approx(bending + shear, rel=0.03)


def test_the_half_beam_bends_as_the_whole_one():
    """Mirrored, with twice the load; the whole one is a cantilever's mesh with other supports."""
    half = half_mbb(6, 4)
    density = np.random.default_rng(0).uniform(0.2, 1, (4, 6))
    corners = [2 * (5 * column + 4) + 1 for column in (0, 12)]
    middle = 2 * (5 * 6)
    whole = type(half)(12, 4, (*corners, middle), load=middle + 1)
    both, _ = whole.compliance(np.hstack([density[:, ::-1], density]))
    assert half.compliance(density)[0] == pytest.approx(2 * both)  # a load of 1 on each half


@pytest.mark.parametrize("make", [half_mbb, cantilever])
def test_the_gradient_is_that_of_finite_differences(make):
    beam = make(5, 4)
    density = np.random.default_rng(1).uniform(0.1, 0.9, (4, 5))
    _, gradient = beam.compliance(density)
    numeric = numeric_gradient(lambda x: beam.compliance(x)[0], density)
    np.testing.assert_allclose(gradient, numeric, atol=1e-6 * np.linalg.norm(numeric))


def test_smoothing_is_a_mean_of_near_elements():
    beam = half_mbb(5, 4)
    np.testing.assert_allclose(beam.smoothing @ np.ones(20), 1)
    spike = np.zeros((4, 5))
    spike[1, 2] = 1
    near = (beam.smoothing @ spike.ravel()).reshape(4, 5) > 0
    assert near.tolist() == [
        [False, True, True, True, False],
        [False, True, True, True, False],
        [False, True, True, True, False],
        [False, False, False, False, False],
    ]


@pytest.mark.parametrize(
    ("density", "message"),
    [
        (np.ones((5, 4)), r"expected shape \(4, 5\), found \(5, 4\)"),
        (np.full((4, 5), 1.5), "expected values from 0 to 1, found 1.5 to 1.5"),
        (np.full((4, 5), np.nan), "found nan to nan"),
    ],
)
def test_a_density_that_is_none_is_refused(density, message):
    with pytest.raises(ValueError, match=message):
        half_mbb(5, 4).compliance(density)


def test_holes_everywhere_can_still_be_solved():
    compliance, _ = half_mbb(5, 4).compliance(np.zeros((4, 5)))
    full, _ = half_mbb(5, 4).compliance(np.ones((4, 5)))
    assert compliance == pytest.approx(full / E_MIN)
