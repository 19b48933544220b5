"""Elastic beams by finite elements: how far a design bends under its load, and the gradient.

A beam is a rectangle of rows × columns square elements of side 1, plane stress, Young's modulus 1
and Poisson's ratio 0.3. Each element has a density between 0 (hole) and 1 (full). Its stiffness is
that of a full element times E_MIN + density ** penalty · (1 − E_MIN): the rule SIMP (Bendsøe 1989).
Nodes are the corners of the elements, counted down each column of nodes, from left to right; node
number n has the displacements 2n (to the right) and 2n + 1 (downwards).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import splu

POISSON = 0.3
E_MIN = 1e-9  # a hole keeps so little that the equations stay solvable
PENALTY = 3.0
RADIUS = 2.0  # of `smoothing`, in elements: bars get thicker than one element


def element_stiffness() -> np.ndarray:
    """Return the stiffness of a full square element, shape (8, 8).

    The corners come in the order upper left, lower left, lower right, upper right, each with its
    displacement to the right and downwards. Bilinear shape functions, integrated with 2 × 2 Gauss
    points, which is exact here.
    """
    corners = np.array([(-1, -1), (-1, 1), (1, 1), (1, -1)])  # right, down
    material = np.array([[1, POISSON, 0], [POISSON, 1, 0], [0, 0, (1 - POISSON) / 2]])
    material = material / (1 - POISSON**2)
    stiffness = np.zeros((8, 8))
    for right in (-1, 1):
        for down in (-1, 1):
            place = np.array([right, down]) / np.sqrt(3)
            # derivatives of the four shape functions; an element of side 1 doubles them
            slopes = corners * (1 + corners[:, ::-1] * place[::-1]) / 2
            strain = np.zeros((3, 8))
            strain[0, 0::2] = strain[2, 1::2] = slopes[:, 0]
            strain[1, 1::2] = strain[2, 0::2] = slopes[:, 1]
            stiffness += strain.T @ material @ strain / 4
    return stiffness


@dataclass(frozen=True)
class Beam:
    """A rectangle of elements with supports and a load of size 1; see `half_mbb`, `cantilever`.

    columns, rows: number of elements; fixed: displacements that are held at zero; load: the
    displacement on which the force acts, downwards.
    """

    columns: int
    rows: int
    fixed: tuple[int, ...]
    load: int

    @property
    def size(self) -> int:
        """Number of displacements, two for each node."""
        return 2 * (self.columns + 1) * (self.rows + 1)

    @cached_property
    def places(self) -> np.ndarray:
        """The eight displacements of each element, (rows * columns, 8); elements as in a picture.

        The corners come in the order of `element_stiffness`.
        """
        row, column = np.divmod(np.arange(self.rows * self.columns), self.columns)
        upper_left = column * (self.rows + 1) + row
        step = self.rows + 1  # to the next column of nodes
        nodes = upper_left[:, None] + np.array([0, 1, step + 1, step])
        return np.stack([2 * nodes, 2 * nodes + 1], axis=2).reshape(-1, 8)

    @cached_property
    def smoothing(self) -> scipy.sparse.csr_array:
        """Matrix that replaces each element's value by a weighted mean over its neighbours.

        The weight falls from the element itself to zero at a distance of RADIUS (Bourdin 2001).
        """
        shape, reach = (self.rows, self.columns), int(np.ceil(RADIUS)) - 1
        row, column = np.indices(shape).reshape(2, -1)
        rows, columns, weights = [], [], []
        for down in range(-reach, reach + 1):
            for right in range(-reach, reach + 1):
                weight = RADIUS - np.hypot(down, right)
                inside = (row + down >= 0) & (row + down < self.rows)
                inside &= (column + right >= 0) & (column + right < self.columns)
                if weight > 0:
                    rows.append(np.flatnonzero(inside))
                    columns.append(rows[-1] + down * self.columns + right)
                    weights.append(np.full(len(rows[-1]), weight))
        index = np.concatenate(rows), np.concatenate(columns)
        matrix = scipy.sparse.csr_array((np.concatenate(weights), index))
        return scipy.sparse.csr_array(scipy.sparse.diags_array(1 / matrix.sum(axis=1)) @ matrix)

    @cached_property
    def _assembly(self):
        """Free displacements, and how the entries of all elements add up to a matrix of these."""
        free = np.setdiff1d(np.arange(self.size), self.fixed)
        number = np.full(self.size, -1)
        number[free] = np.arange(len(free))
        i, j = (number[np.repeat(self.places, 8, axis=1)], number[np.tile(self.places, 8)])
        return free, i.ravel(), j.ravel(), (i >= 0).ravel() & (j >= 0).ravel()

    def displacement(self, stiffness: np.ndarray) -> np.ndarray:
        """Return all displacements, shape (size,), for elements with the given stiffness.

        stiffness: factor of each element, shape (rows, columns), above zero.
        """
        free, i, j, kept = self._assembly
        entries = np.multiply.outer(stiffness.ravel(), element_stiffness()).ravel()[kept]
        matrix = scipy.sparse.csc_array((entries, (i[kept], j[kept])))
        load, found = np.zeros(self.size), np.zeros(self.size)
        load[self.load] = 1.0
        symmetric = {"SymmetricMode": True}
        found[free] = splu(matrix, permc_spec="MMD_AT_PLUS_A", options=symmetric).solve(load[free])
        return found

    def compliance(self, density: np.ndarray, penalty: float = PENALTY) -> tuple[float, np.ndarray]:
        """Return the work of the load, and its gradient by the densities, shape (rows, columns).

        The gradient needs no second solution: where the load does not depend on the design, the
        adjoint displacement is the displacement itself.

        Raises:
            ValueError: the density has another shape, or a value outside 0 to 1.
        """
        density = np.asarray(density, float)
        if density.shape != (self.rows, self.columns):
            expected = (self.rows, self.columns)
            raise ValueError(f"density: expected shape {expected}, found {density.shape}")
        if not (density.min() >= -1e-9 and density.max() <= 1 + 1e-9):
            found = f"{density.min():.3g} to {density.max():.3g}"
            raise ValueError(f"density: expected values from 0 to 1, found {found}")
        density = density.clip(0, 1)
        displacement = self.displacement(E_MIN + density**penalty * (1 - E_MIN))
        moved = displacement[self.places]
        energy = np.einsum("ei,ij,ej->e", moved, element_stiffness(), moved).reshape(density.shape)
        gradient = -penalty * density ** (penalty - 1) * (1 - E_MIN) * energy
        return float(displacement[self.load]), gradient


def half_mbb(columns: int = 60, rows: int = 20) -> Beam:
    """Return the right half of a beam on two supports with a load in the middle of its top.

    The left edge is the middle of the whole beam and can only move downwards; the lower right
    corner rests on a roller. (Named after Messerschmitt-Bölkow-Blohm, who made floor beams so.)
    """
    left = tuple(range(0, 2 * (rows + 1), 2))
    corner = 2 * ((columns + 1) * (rows + 1) - 1) + 1
    return Beam(columns, rows, (*left, corner), load=1)


def cantilever(columns: int = 60, rows: int = 20) -> Beam:
    """Return a beam that is held at its left edge, with a load in the middle of the right edge."""
    left = tuple(range(2 * (rows + 1)))
    return Beam(columns, rows, left, load=2 * (columns * (rows + 1) + rows // 2) + 1)


BEAMS = {"half MBB": half_mbb, "cantilever": cantilever}
