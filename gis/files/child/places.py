"""The place of every row: from WKB, two coordinate columns or WKT to clean two-dimensional WKB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from gis.errors import InvalidInput
from gis.files.child.request import PLACE, ROW, TROUBLE, Request
from gis.files.limits import Limits

LON = ("lon", "lng", "long", "longitude", "x", "经度", "东经")
LAT = ("lat", "latitude", "y", "纬度", "北纬")
WKT = ("wkt", "geometry", "geom", "the_geom", "wkt_geom")
NUMBER = r"^\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*$"
NOT_FINITE = r"^\s*[-+]?(?i:nan|inf|infinity)\s*$"
FLAT_WKT = r"^\s*(?i:SRID=\d+;)?\s*(?i:MULTI)?(?i:POINT|LINESTRING|POLYGON)\b"
LAST_FLAT_TYPE = 6
"""GEOS numbers simple and multiple points, lines and polygons 0 to 6 (2 is a ring), collections 7."""
POINT_BYTES = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])


def place_fields(fields: Iterable[str], request: Request, *, has_geometry: bool) -> Mapping[str, str]:
    """Return which fields hold the place, as asked or by the usual names; empty when none does.

    Raises
    ------
    InvalidInput
        A field was asked for that the file does not have.
    """
    names = {name.casefold(): name for name in fields}
    if request.places:
        absent = [field for field in request.places.values() if field not in names.values()]
        if absent:
            raise InvalidInput(f"the file has no field {', '.join(absent)} to take coordinates from")
        return request.places
    if has_geometry:
        return {}
    wkt = next((names[name] for name in WKT if name in names), None)
    if wkt is not None:
        return {"wkt": wkt}
    pair = [next((names[name] for name in usual if name in names), None) for usual in (LON, LAT)]
    return {"lon": pair[0], "lat": pair[1]} if pair[0] is not None and pair[1] is not None else {}


def with_places(batch: pa.RecordBatch, places: Mapping[str, str], limits: Limits) -> pa.RecordBatch:
    """Return the batch with `PLACE` and `TROUBLE`, its place fields taken out."""
    names = batch.schema.names
    trouble = batch[TROUBLE].to_numpy(zero_copy_only=False) if TROUBLE in names else np.full(batch.num_rows, None)
    trouble = trouble.astype(object)
    if "wkt" in places:
        wkb = _clean(_from_wkt(batch[places["wkt"]], trouble), trouble, limits)
    elif places:
        wkb = _points(batch[places["lon"]], batch[places["lat"]], trouble)
    elif PLACE in names:
        wkb = _clean(_from_wkb(batch[PLACE], trouble), trouble, limits)
    else:
        wkb = pa.nulls(batch.num_rows, pa.binary())
    keep = [name for name in names if name not in {*places.values(), PLACE, TROUBLE, ROW}]
    return pa.RecordBatch.from_arrays(
        [*(batch[name] for name in keep), batch[ROW], wkb, pa.array(trouble, pa.string())],
        names=[*keep, ROW, PLACE, TROUBLE],
    )


def _mark(trouble: np.ndarray, rows: np.ndarray, code: str) -> None:
    trouble[rows & np.array([known is None for known in trouble])] = code


def _from_wkb(column: pa.Array, trouble: np.ndarray) -> np.ndarray:
    raw = column.to_numpy(zero_copy_only=False)
    shapes = shapely.from_wkb(raw, on_invalid="ignore")
    _mark(trouble, shapely.is_missing(shapes) & ~_nulls(column), "unreadable_geometry")
    return np.asarray(shapes)


def _from_wkt(column: pa.Array, trouble: np.ndarray) -> np.ndarray:
    # Only flat types reach the parser: deeply nested collections bring it down.
    column = column.cast(pa.string())
    present = ~_nulls(column)
    flat = pc.fill_null(pc.match_substring_regex(column, FLAT_WKT), fill_value=False).to_numpy(zero_copy_only=False)
    text = column.to_numpy(zero_copy_only=False)
    text = np.array([_without_srid(v) if good else None for v, good in zip(text, flat, strict=True)], dtype=object)
    shapes = shapely.from_wkt(text, on_invalid="ignore")
    _mark(trouble, shapely.is_missing(shapes) & present, "unreadable_geometry")
    return np.asarray(shapes)


def _without_srid(text: str | None) -> str | None:
    return text if text is None else text.rpartition(";")[2]


def _clean(shapes: np.ndarray, trouble: np.ndarray, limits: Limits) -> pa.Array:
    """Return flat, finite, two-dimensional WKB; marks and drops everything else."""
    wrong = shapely.get_type_id(shapes) > LAST_FLAT_TYPE
    large = shapely.get_num_coordinates(shapes) > limits.vertices
    empty = shapely.is_empty(shapes)
    for rows, code in ((wrong, "wrong_geometry_type"), (large, "too_many_vertices"), (empty, "empty_geometry")):
        _mark(trouble, rows, code)
        shapes[rows] = None
    shapes = shapely.force_2d(shapes)
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    endless = np.zeros(shapes.size, dtype=bool)
    endless[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    _mark(trouble, endless, "not_finite")
    shapes[endless] = None
    return pa.array(shapely.to_wkb(shapes), pa.binary())


def _points(lon: pa.Array, lat: pa.Array, trouble: np.ndarray) -> pa.Array:
    values, given = [], []
    for column in (lon, lat):
        numbers, present, wrong, endless = _numbers(column)
        _mark(trouble, wrong, "not_a_number")
        _mark(trouble, endless, "not_finite")
        values.append(numbers)
        given.append(present)
    _mark(trouble, given[0] ^ given[1], "half_a_place")
    good = np.isfinite(values[0]) & np.isfinite(values[1])
    points = np.empty(int(good.sum()), dtype=POINT_BYTES)
    points["order"], points["kind"] = 1, 1
    points["x"], points["y"] = values[0][good], values[1][good]
    ends = np.concatenate([[0], np.cumsum(good)]).astype(np.int32) * POINT_BYTES.itemsize
    mask = pa.array(good).buffers()[1]
    return pa.BinaryArray.from_buffers(
        pa.binary(), good.size, [mask, pa.py_buffer(ends), pa.py_buffer(points.tobytes())]
    )


def _numbers(column: pa.Array) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return values (n,), NaN where none; which are given, which are no numbers, which are not finite."""
    wrong = np.zeros(len(column), dtype=bool)
    endless = np.zeros(len(column), dtype=bool)
    if pa.types.is_string(column.type):
        good = pc.fill_null(pc.match_substring_regex(column, NUMBER), fill_value=False)
        endless = pc.fill_null(pc.match_substring_regex(column, NOT_FINITE), fill_value=False).to_numpy(
            zero_copy_only=False
        )
        present = ~_nulls(column)
        wrong = present & ~good.to_numpy(zero_copy_only=False) & ~endless
        column = pc.cast(pc.utf8_trim_whitespace(pc.if_else(good, column, None)), pa.float64())
    else:
        present = ~_nulls(column)
        column = pc.cast(column, pa.float64(), safe=False)
        # A missing number of a float column is often NaN; only infinity is a mistake.
        present &= ~pc.fill_null(pc.is_nan(column), fill_value=True).to_numpy(zero_copy_only=False)
    numbers = column.to_numpy(zero_copy_only=False).astype(float)
    endless = endless | np.isinf(numbers)
    return np.where(endless, np.nan, numbers), present, wrong, endless


def _nulls(column: pa.Array) -> np.ndarray:
    return np.asarray(column.is_null().to_numpy(zero_copy_only=False))
