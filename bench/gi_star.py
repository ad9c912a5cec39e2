"""Gi* with a p for every cell: ours against esda's G_Local with 999 permutations, on square lattices of counts.

Ours is everything from counts and weights to z, p and q: `local_test`, whose p is exact. esda draws 999 permutations,
keeps none of them (its faster way), and gives z and a p that is never below 0.001; its q would come on top. Both get
their weights ready-made, each in its own form. The small lattices are timed over several periods of counts, the same
for both, because a fifth of a millisecond alone would measure a cold cache. First z must be equal, and p within what
999 draws can tell.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from esda.getisord import G_Local
from libpysal.graph import Graph
from scipy import sparse

from bench.harness import Contest, Disagreement, main
from gis.kernels.getis_ord import LocalTest, local_test
from gis.kernels.lattice import Lattice

PERMUTATIONS = 999
SIZES = ((32, 20, 100.0), (100, 5, 200.0), (316, 1, 1000.0))
"""Cells along a side, periods of counts, how many times as fast."""
MEAN_COUNT = 1.5
Z_LIMIT = 1e-9
MOST_SIGMAS = 6.0
"""The furthest of 1e5 honest draws lies at about 4.4 of its own standard deviations."""


def contests(*, quick: bool) -> Iterator[Contest]:
    """Yield one contest a size; the quick set leaves none out, it only repeats less."""
    for side, periods, target in SIZES:
        weights, graph = _neighbours(side)
        counts = np.random.default_rng(side).poisson(MEAN_COUNT, (periods, side * side))
        yield Contest(
            name="gi_star",
            n=side * side,
            ours=partial(_each, partial(_ours, weights), counts),
            anchor=partial(_each, partial(_esda, graph), counts.astype(float)),
            anchor_name=f"esda G_Local, {PERMUTATIONS} permutations",
            target=target,
            agree=_agree,
            floor=partial(_each, weights.__matmul__, counts.astype(float)),
            repeats=3 if quick else 5,
        )


def _neighbours(side: int) -> tuple[sparse.csr_array, Graph]:
    """Return the queen neighbours of a square lattice: with the diagonal for us, and in esda's form."""
    lattice = Lattice("square", 1.0)
    near = lattice.neighbours(lattice.cells_within((0, 0, side, side)))
    return (near + sparse.eye_array(side * side)).tocsr(), Graph.from_sparse(sparse.coo_array(near))


def _each(test: Callable[[np.ndarray], Any], periods: np.ndarray) -> list[Any]:
    return [test(counts) for counts in periods]


def _ours(weights: sparse.csr_array, counts: np.ndarray) -> LocalTest:
    return local_test(counts, weights, alternative="greater")


def _esda(graph: Graph, counts: np.ndarray) -> G_Local:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return G_Local(
            counts, graph, transform="B", star=True, permutations=PERMUTATIONS, keep_simulations=False, n_jobs=1, seed=1
        )


def _agree(ours: list[LocalTest], theirs: list[G_Local]) -> str:
    z, p = np.max([_apart(*pair) for pair in zip(ours, theirs, strict=True)], axis=0)
    if not z <= Z_LIMIT:
        raise Disagreement(f"z differs by {z:.3g}")
    if not p <= MOST_SIGMAS:
        raise Disagreement(f"p lies {p:.1f} standard deviations of {PERMUTATIONS} draws apart")
    return f"z to {z:.0e}; p within {p:.1f} sigma of {PERMUTATIONS} draws"


def _apart(ours: LocalTest, theirs: G_Local) -> tuple[float, float]:
    """Return how far z is apart, and p in standard deviations of what esda draws."""
    # esda gives the smaller tail and now and then loses a tie (sums in floating point): the truth it samples lies
    # between the chance of more and the chance of at least as much.
    high = np.minimum(ours.p_greater, ours.p_less)
    low = high - (ours.p_greater + ours.p_less - 1.0)
    spread = np.sqrt(np.maximum(high * (1.0 - high), 1.0 / PERMUTATIONS) / PERMUTATIONS) + 1.0 / PERMUTATIONS
    outside = np.maximum(theirs.p_sim - high, low - theirs.p_sim) / spread
    return float(np.abs(ours.z - theirs.Zs).max()), max(float(outside.max()), 0.0)


if __name__ == "__main__":
    sys.exit(main(contests, title="Gi* with p and q: cells, ours against esda"))
