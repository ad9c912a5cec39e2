"""Kernel density of points on a square mesh: ours against KDEpy's FFTKDE, both from points to surface, one thread.

Both bin linearly and transform a Gaussian. KDEpy measures in kilometres, where it is accurate: how far its kernel
reaches follows from an absolute tolerance, so in metres it is about 3 % of the peak off (the agreement says how much).
Ours is held to the exact direct sum at some nodes within 1e-3 of the peak, in metres and in kilometres. The floor is
to read the points once and to transform one mesh. Several kinds of incidents are timed together, the same for both,
because two milliseconds alone would measure a cold cache.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import scipy.fft
from KDEpy import FFTKDE

from bench.harness import Contest, Disagreement, main
from gis.kernels.density import Nodes, kernel_density

SIDE_M, BANDWIDTH_M = 20_000.0, 300.0
KILOMETRE = 1_000.0
SIZES = ((100_000, 500, 5), (100_000, 1_000, 3), (1_000_000, 500, 2), (1_000_000, 1_000, 2))
"""Points, nodes along a side, kinds of incidents."""
TARGET = 10.0
CHECKED = 150
LIMIT = 1e-3
"""Of the peak, against the exact sum."""


def contests(*, quick: bool) -> Iterator[Contest]:
    """Yield one contest a size; the quick set leaves none out, it only repeats less."""
    for n, side, kinds in SIZES:
        points = [_points(n, seed) for seed in range(kinds)]
        in_km = [each / KILOMETRE for each in points]
        nodes = Nodes(-1.0, -1.0, (SIDE_M + 2.0) / (side - 1), side, side)
        mesh_km = _mesh(_scaled(nodes, KILOMETRE))
        yield Contest(
            name=f"density_{side}x{side}",
            n=n,
            ours=partial(_each, partial(kernel_density, nodes=nodes, bandwidth=BANDWIDTH_M), points),
            anchor=partial(_each, partial(_kdepy, mesh=mesh_km, bandwidth=BANDWIDTH_M / KILOMETRE), in_km),
            anchor_name="KDEpy FFTKDE",
            target=TARGET,
            agree=partial(_agree, points[-1], nodes),
            floor=partial(_each, partial(_floor, grid=np.zeros(nodes.shape, np.float32)), points),
            repeats=3 if quick else 7,
        )


def _each(surface: Callable[[np.ndarray], Any], kinds: list[np.ndarray]) -> list[Any]:
    return [surface(points) for points in kinds]


def _points(n: int, seed: int) -> np.ndarray:
    """Return half of the points anywhere, and half in crowds."""
    rng = np.random.default_rng(seed)
    crowds = rng.uniform(2_000, SIDE_M - 2_000, (50, 2))[rng.integers(0, 50, n // 2)]
    crowded = crowds + rng.normal(0, 400, crowds.shape)
    return np.concatenate([rng.uniform(0, SIDE_M, (n - len(crowds), 2)), np.clip(crowded, 0, SIDE_M)])


def _scaled(nodes: Nodes, unit: float) -> Nodes:
    return nodes._replace(west=nodes.west / unit, south=nodes.south / unit, step=nodes.step / unit)


def _mesh(nodes: Nodes) -> np.ndarray:
    """Return the nodes (rows * columns, 2) as KDEpy wants them: the second coordinate runs first."""
    across = nodes.west + np.arange(nodes.columns) * nodes.step
    up = nodes.south + np.arange(nodes.rows) * nodes.step
    return np.stack(np.meshgrid(across, up, indexing="ij"), axis=-1).reshape(-1, 2)


def _kdepy(points: np.ndarray, mesh: np.ndarray, bandwidth: float) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(FFTKDE(kernel="gaussian", bw=bandwidth).fit(points).evaluate(mesh))


def _floor(points: np.ndarray, grid: np.ndarray) -> object:
    return points.sum(), scipy.fft.rfft2(grid)


def _agree(points: np.ndarray, nodes: Nodes, all_ours: list[np.ndarray], all_theirs: list[np.ndarray]) -> str:
    """Hold both to the exact sum at some nodes, the densest among them; errors are shares of the peak."""
    n, side = len(points), nodes.rows
    ours, theirs = all_ours[-1], all_theirs[-1]
    rng = np.random.default_rng(side)
    rows, columns = np.divmod(np.append(rng.choice(ours.size, CHECKED, replace=False), ours.argmax()), side)
    places = np.column_stack([nodes.west + columns * nodes.step, nodes.south + rows * nodes.step])
    exact = np.array([_exact(points, place) for place in places])
    peak = exact[-1]

    def off(surface: np.ndarray) -> float:
        return float(np.abs(surface[rows, columns] - exact).max() / peak)

    in_km = kernel_density(points / KILOMETRE, _scaled(nodes, KILOMETRE), BANDWIDTH_M / KILOMETRE)
    errors = off(ours), off(in_km / KILOMETRE**2)
    if not max(errors) <= LIMIT:
        raise Disagreement(f"ours is {errors[0]:.2g} of the peak off in metres, {errors[1]:.2g} in kilometres")
    kdepy = theirs.reshape(side, side).T * n / KILOMETRE**2
    kdepy_m = _kdepy(points, _mesh(nodes), BANDWIDTH_M).reshape(side, side).T * n
    return f"exact to {max(errors):.0e} in m and km; KDEpy to {off(kdepy):.0e} in km, {off(kdepy_m):.0e} in m"


def _exact(points: np.ndarray, place: np.ndarray) -> float:
    squared = ((points - place) ** 2).sum(axis=1)
    near = squared[squared < (10 * BANDWIDTH_M) ** 2]
    return float(np.exp(-0.5 * near / BANDWIDTH_M**2).sum() / (2 * np.pi * BANDWIDTH_M**2))


if __name__ == "__main__":
    sys.exit(main(contests, title="Kernel density: points, ours against KDEpy"))
