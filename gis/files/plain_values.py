"""Rows as plain values that mean the same in any format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd
import shapely

from gis.contract.frame import FrameSpec
from gis.files.formulas import guard


def texts(frame: gpd.GeoDataFrame, spec: FrameSpec, *, guarded: bool = False) -> dict[str, pd.Series]:
    """Return every column (n,) as text or plain values that mean the same in any format."""
    columns: dict[str, pd.Series] = {}
    for column in spec.columns:
        if column.name not in frame:
            continue
        values = frame[column.name]
        if column.kind == "instant":
            values = values.dt.tz_convert("UTC").dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ").str.replace(".000000Z", "Z")
        elif column.kind == "date":
            values = pd.to_datetime(values).dt.strftime("%Y-%m-%d")
        elif column.kind == "boolean":
            values = values.astype("object").map({True: "true", False: "false"})
        elif column.kind in ("text", "code"):
            values = guard(values.astype("str")) if guarded else values.astype("str")
        columns[column.name] = values
    return columns


def tuples(columns: Mapping[str, pd.Series]) -> Iterator[tuple[Any, ...]]:
    """Return an iterator over columns (n,) row by row, with None where a value is missing."""
    ready = []
    for values in columns.values():
        present = values.notna().to_numpy()
        ready.append([value if there else None for value, there in zip(values.tolist(), present, strict=True)])
    return zip(*ready, strict=True)


def flat(frame: gpd.GeoDataFrame, spec: FrameSpec, *, points: bool) -> dict[str, pd.Series]:
    """Return guarded columns (n,) and the place: lon and lat of points, else WKT."""
    columns = texts(frame, spec, guarded=True)
    shapes = frame.geometry.to_numpy()
    if points:
        columns["lon"] = pd.Series(shapely.get_x(shapes))
        columns["lat"] = pd.Series(shapely.get_y(shapes))
    else:
        columns["wkt"] = pd.Series([_wkt(shape) for shape in shapes], dtype="str")
    return columns


def _wkt(shape: Any) -> str | None:
    """Return WKT with every digit that a coordinate needs; the library's own rounds the last one."""
    if shape is None:
        return None
    geometry = orjson.loads(shapely.to_geojson(shape))
    return f"{geometry['type'].upper()} {_brackets(geometry['coordinates'], top=True)}"


def _brackets(part: list[Any], *, top: bool = False) -> str:
    if not isinstance(part[0], list):
        pair = " ".join(map(repr, part))
        return f"({pair})" if top else pair
    return f"({', '.join(_brackets(inner) for inner in part)})"
