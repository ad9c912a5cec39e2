"""Areas for a raster of points: a census often gives the middles of its cells and not the cells.

The area of a point is what lies nearer to it than to any other, no farther out than a cell of its spacing reaches. On a
raster of hexagons or squares these are the cells themselves, up to what a projection bends; on points without a raster
they would say something that nobody measured, so those are refused.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError
from scipy.spatial import KDTree

from gis.crs import to_lonlat
from gis.errors import InvalidInput, Problem, UnsupportedMedia
from gis.files.personal import is_personal_field
from gis.files.read import ReadOptions, open_file
from gis.files.whole import declared_crs

Floats = NDArray[np.float64]

WRITTEN = (".parquet", ".gpkg", ".geojson")
NEIGHBOUR = 1.25
"""Points within this many spacings are neighbours; on squares the diagonal one, 1.41 away, is none."""
EVEN = 0.1
"""Where the nearest neighbour of nine points in ten is no more than this share off the spacing, there is a raster."""
LEAST_POINTS = 7
HEXAGON, SQUARE = 1 / np.sqrt(3), 1 / np.sqrt(2)
"""How far a cell reaches from its middle, in spacings."""


def cells_around(xy: Floats) -> tuple[NDArray[np.object_], float]:
    """Return the cell of each point of a raster, and how far apart the points are.

    Parameters
    ----------
    xy : (n, 2)
        Middles of hexagons or squares, in metres, n >= 7, no two the same.

    Returns
    -------
    cells, spacing_m : (n,) polygons, float
        At the rim a cell ends where its fellows would begin, mirrored from the neighbours it has.

    Raises
    ------
    InvalidInput
        The points are too few, or no raster.

    Examples
    --------
    >>> xy = np.array([(i + j % 2 / 2, j * 0.75**0.5) for i in range(5) for j in range(5)]) * 300
    >>> cells, spacing_m = cells_around(xy)
    >>> round(spacing_m), round(cells[12].area) == round(300**2 * 0.75**0.5)
    (300, True)
    """
    if len(xy) < LEAST_POINTS:
        raise InvalidInput(f"{len(xy)} points are too few to show a raster; there must be {LEAST_POINTS}")
    tree = KDTree(xy)
    nearest = tree.query(xy, k=2)[0][:, 1]
    spacing_m = float(np.median(nearest))
    if spacing_m <= 0 or np.mean(np.abs(nearest - spacing_m) <= EVEN * spacing_m) < 1 - EVEN:
        raise InvalidInput(
            "the points are no raster: their nearest neighbours are not equally far away, so areas would be invented"
        )
    pairs = tree.query_pairs(NEIGHBOUR * spacing_m, output_type="ndarray")
    here, there = np.concatenate([pairs, pairs[:, ::-1]]).T
    mirrored = 2 * xy[here] - xy[there]
    missing = mirrored[tree.query(mirrored)[0] > spacing_m / 2]
    phantoms = missing[np.unique(np.round(missing / (spacing_m / 4)), axis=0, return_index=True)[1]]
    # On a raster of squares a point has four neighbours, on one of hexagons six: most points are not at the rim.
    reach = SQUARE if np.median(np.bincount(here, minlength=len(xy))) <= 4 else HEXAGON  # noqa: PLR2004
    every = shapely.points(np.vstack([xy, phantoms]))
    drawn = shapely.get_parts(
        shapely.voronoi_polygons(
            shapely.multipoints(every), extend_to=shapely.box(*_around(xy, spacing_m)), ordered=True
        )
    )[: len(xy)]
    # A regular cell lies just within; a third of a spacing more lets a bent raster keep its corners.
    limit = shapely.buffer(shapely.points(xy), spacing_m * reach * (1 + EVEN), quad_segs=4)
    return np.asarray(shapely.intersection(drawn, limit)), spacing_m


def _around(xy: Floats, margin: float) -> tuple[float, float, float, float]:
    low, high = xy.min(axis=0) - 2 * margin, xy.max(axis=0) + 2 * margin
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def write_cells(source: Path, out: Path, *, crs: str | None, metric_crs: str) -> tuple[int, float]:
    """Write a file of points with the cell of each in the place of the point, all other fields as they are.

    Parameters
    ----------
    crs
        What the points are in, as `gis.crs.parse_declared` takes it; the file's own when None.
    metric_crs
        Projected CRS in metres in which the cells are drawn.

    Returns
    -------
    int, float
        How many cells, and the spacing of their middles in metres.

    Raises
    ------
    InvalidInput, UnsupportedMedia, CrsMissing
        The file cannot be read, holds fields about persons or something else than points, or cannot be written so.
    """
    if out.suffix.lower() not in WRITTEN:
        raise UnsupportedMedia(f"cells are written as {', '.join(WRITTEN)}, not as '{out.suffix}'")
    with open_file(source, ReadOptions()) as reading:
        declared = declared_crs(reading, crs)
        chunks = list(reading.chunks)
    table = pa.Table.from_batches([chunk.fields for chunk in chunks]).to_pandas()
    points = np.concatenate([chunk.geometry for chunk in chunks])
    rows = np.concatenate([chunk.rows for chunk in chunks])
    problems = [
        Problem("personal_field", f"'{name}' describes a person and is never taken", str(name))
        for name in table.columns
        if is_personal_field(str(name), "blocks")
    ]
    odd = rows[(shapely.get_type_id(points) != shapely.GeometryType.POINT) | shapely.is_empty(points)]
    if odd.size:
        problems.append(
            Problem("no_point", "every row must have a point", "geometry", tuple(odd[:5].tolist()), odd.size)
        )
    if problems:
        raise InvalidInput(f"{source.name}: no cells can be made", problems)
    frame = gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(to_lonlat(points, declared), crs="EPSG:4326"))
    metres = frame.to_crs(_metric(metric_crs))
    cells, spacing_m = cells_around(shapely.get_coordinates(metres.geometry.to_numpy()))
    whole = metres.set_geometry(gpd.GeoSeries(cells, index=metres.index, crs=metres.crs)).to_crs("EPSG:4326")
    if out.suffix.lower() == ".parquet":
        whole.to_parquet(out, index=False)
    else:
        whole.to_file(out, index=False)
    return len(whole), spacing_m


def _metric(name: str) -> CRS:
    try:
        crs = CRS.from_user_input(name)
    except CRSError:
        crs = None
    if crs is None or not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        raise InvalidInput(f"'{name}' is no projected reference system in metres, such as EPSG:4549")
    return crs
