"""Small neighbourhoods for the tests of the kernels."""

import numpy as np
from scipy import sparse

from gis.kernels.lattice import Lattice


def queen(rows: int, columns: int) -> sparse.csr_array:
    """Cells that touch, row by row; with the diagonal."""
    lattice = Lattice("square", 1.0)
    near = lattice.neighbours(lattice.cells_within((0, 0, columns, rows)))
    return with_own(near)


def with_own(near: sparse.csr_array) -> sparse.csr_array:
    return (near + sparse.eye_array(near.shape[0])).tocsr()


def random_graph(rng: np.random.Generator, n: int, share: float) -> sparse.csr_array:
    """A symmetric graph with the diagonal; some places may have no neighbours."""
    upper = np.triu(rng.random((n, n)) < share, 1)
    return with_own(sparse.csr_array((upper | upper.T).astype(float)))
