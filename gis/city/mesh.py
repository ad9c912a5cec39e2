"""The square cells of a study area with a finer mesh of nodes in them, on which surfaces are computed."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from shapely.geometry.base import BaseGeometry

from gis.city.study_area import ring_edges
from gis.kernels.density import Nodes
from gis.kernels.density_estimate import Window
from gis.kernels.lattice import Lattice
from gis.kernels.scanline import nodes_inside


@dataclass(frozen=True, slots=True)
class Mesh:
    """Cells that reach into a study area, each with the same number of nodes; one more cell all around the area.

    Attributes
    ----------
    window
        The nodes, at the centres of equal parts of each cell, and which of them lie in the area.
    low : (2,)
        Column and row of the cell with the first nodes.
    parts
        Nodes along a cell's side.
    cells : (n, 2)
        Column and row of every cell with a node in the area.
    inside_share : (n,)
        The share of its nodes that do.
    """

    lattice: Lattice
    window: Window
    low: np.ndarray
    parts: int
    cells: np.ndarray
    inside_share: np.ndarray

    def means(self, surface: np.ndarray) -> np.ndarray:
        """Return the mean (n,) over each cell's nodes in the area, of a surface (rows, columns)."""
        sums = _block_sums(np.where(self.window.inside, surface, 0.0), self.parts)
        column, row = (self.cells - self.low).T
        return np.asarray(sums[row, column] / (self.inside_share * self.parts**2))


def mesh_of(area: BaseGeometry, water_areas: gpd.GeoDataFrame | None, lattice: Lattice, *, parts: int) -> Mesh:
    """Return the cells of an area, without water, each cut into ``parts * parts`` for the nodes."""
    west, south, east, north = area.bounds
    low, high = lattice.cells_of(np.array([(west, south), (east, north)])) + np.array([(-1, -1), (1, 1)])
    columns, rows = high - low + 1
    step = lattice.size_m / parts
    corner = np.asarray(lattice.origin) + low * lattice.size_m
    nodes = Nodes(corner[0] + step / 2, corner[1] + step / 2, step, int(rows) * parts, int(columns) * parts)
    inside = nodes_inside(ring_edges(np.array([area])), nodes)
    if water_areas is not None and len(water_areas):
        inside &= ~nodes_inside(ring_edges(water_areas.geometry.to_numpy()), nodes)
    counts = _block_sums(inside, parts)
    row, column = np.nonzero(counts)
    cells = np.column_stack([column + low[0], row + low[1]])
    return Mesh(lattice, Window(nodes, inside), low, parts, cells, counts[row, column] / parts**2)


def _block_sums(surface: np.ndarray, parts: int) -> np.ndarray:
    """Return the sums over blocks of ``parts * parts`` of a surface (rows, columns)."""
    rows, columns = surface.shape
    return np.asarray(surface.reshape(rows // parts, parts, columns // parts, parts).sum(axis=(1, 3)))
