"""Designers keep to their material and their number of solutions, and find stiffer beams."""

import numpy as np
import pytest

from course_utils.beams import cantilever, half_mbb
from course_utils.checks import numeric_gradient
from course_utils.designers import (
    black_and_white,
    design_beam,
    network,
    optimality_criteria,
    pixels,
    to_density,
)


def test_logits_become_densities_of_the_right_mean_and_the_gradient_flows_back():
    beam = half_mbb(6, 4)
    rng = np.random.default_rng(0)
    logits, by_density = rng.normal(size=(2, 4, 6))
    density, pull_back = to_density(beam, logits, 0.3)
    assert density.mean() == pytest.approx(0.3)
    assert (density.min() > 0) & (density.max() < 1)
    numeric = numeric_gradient(lambda z: np.sum(to_density(beam, z, 0.3)[0] * by_density), logits)
    np.testing.assert_allclose(pull_back(by_density), numeric, atol=1e-8)


@pytest.mark.parametrize("designer", [optimality_criteria, pixels, network])
def test_a_designer_keeps_its_promises(designer):
    beam = cantilever(12, 8)
    design = designer(beam, material=0.4, solves=15)
    assert len(design.densities) == len(design.compliances) == 15
    for density, compliance in zip(design.densities, design.compliances, strict=True):
        assert density.mean() == pytest.approx(0.4, abs=1e-5)
        assert beam.compliance(density)[0] == pytest.approx(compliance)
    even, _ = beam.compliance(np.full((8, 12), 0.4))
    density, compliance = design.best()
    assert compliance == min(design.compliances) < 0.6 * even
    assert design.best(1)[1] == design.compliances[0]


def test_the_first_step_of_optimality_criteria_moves_material_to_energy():
    beam = half_mbb(12, 4)
    first, second = optimality_criteria(beam, solves=2).densities
    energy = -beam.compliance(first)[1]
    assert energy[second > first].mean() > 3 * energy[second < first].mean()


def test_a_seed_is_a_design():
    beam = half_mbb(8, 4)
    one, again, other = (network(beam, solves=3, seed=seed).compliances for seed in (0, 0, 1))
    np.testing.assert_allclose(one, again, rtol=1e-9)
    assert one[0] != other[0]
    noise = np.random.default_rng(0).normal(size=(4, 8))
    assert pixels(beam, solves=1, noise=noise).compliances != pixels(beam, solves=1).compliances


def test_the_network_refuses_a_size_that_it_cannot_write():
    with pytest.raises(ValueError, match="expected multiples of 4, found 6 and 8"):
        network(half_mbb(8, 6), solves=1)


def test_black_and_white_keeps_the_densest_elements():
    solid = black_and_white(np.array([[0.2, 0.9], [0.8, 0.1]]))
    assert solid.tolist() == [[0, 1], [1, 0]]
    assert black_and_white(np.full((3, 4), 0.5), material=0.25).sum() == 3


def test_the_service_designs_a_beam():
    density, compliance = design_beam("cantilever", columns=12, rows=4, material=0.4, solves=5)
    assert density.shape == (4, 12)
    assert cantilever(12, 4).compliance(density)[0] == pytest.approx(compliance)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kind": "bridge"}, "kind: expected one of half MBB, cantilever, found 'bridge'"),
        ({"columns": 201}, "columns: expected 4 to 200, found 201"),
        ({"solves": 0}, "solves: expected 1 to 1000, found 0"),
        ({"material": 1.0}, "material: expected 0.1 to 0.9, found 1.0"),
    ],
)
def test_the_service_refuses_what_it_cannot_design(wrong, message):
    with pytest.raises(ValueError, match=message):
        design_beam(**wrong)
