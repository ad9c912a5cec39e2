"""GeoPackage, FlatGeobuf and Shapefile by the one GDAL driver each; GeoParquet and Parquet by Arrow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyogrio

from gis.errors import InvalidInput, TooLarge, UnsupportedMedia
from gis.files.child.request import PLACE, ROW, Request, Source

OPEN_OPTIONS = {"GPKG": {"LIST_ALL_TABLES": "NO"}}


def open_with_gdal(request: Request) -> Source:
    """Open one layer with one driver; refuses to start when GDAL knows any other.

    Raises
    ------
    InvalidInput
        The file is broken, or holds several layers and none is named.
    """
    others = set(pyogrio.list_drivers()) - {request.driver}
    if others:
        raise RuntimeError(f"GDAL must know no driver but {request.driver}, not {sorted(others)}")
    path = Path(request.path)
    try:
        layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
        layer = _one_of(layers, request.layer)
        info = pyogrio.read_info(path, layer=layer, force_feature_count=True)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError) as error:
        raise InvalidInput(f"the file cannot be read: {_plain(error, path)}") from error
    _check_width(info["fields"], request)
    notes = {"layers": layers, "layer": layer}
    return Source(
        tuple(map(str, info["fields"])), _gdal_batches(path, layer, request), info["crs"], int(info["features"]), notes
    )


def _one_of(layers: list[str], wanted: str | None) -> str:
    if wanted is None and len(layers) == 1:
        return layers[0]
    if wanted in layers:
        return str(wanted)
    listed = ", ".join(f"'{name}'" for name in layers)
    raise InvalidInput(f"{'there is no such layer' if wanted else 'name the layer to read'}; the file has {listed}")


def _gdal_batches(path: Path, layer: str, request: Request) -> Iterator[pa.RecordBatch]:
    first = 1
    options = OPEN_OPTIONS.get(request.driver or "", {})
    try:
        with pyogrio.open_arrow(
            path, layer=layer, batch_size=request.chunk_rows, use_pyarrow=True, datetime_as_string=True, **options
        ) as (meta, reader):
            place = meta["geometry_name"] or "wkb_geometry"
            for batch in reader:
                if batch.num_rows:
                    yield _plain_batch(batch, place, first)
                    first += batch.num_rows
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pa.ArrowException) as error:
        raise InvalidInput(f"the file breaks off after row {first - 1}: {_plain(error, path)}") from error


def open_parquet(request: Request) -> Source:
    """Open a Parquet file; one with the metadata of GeoParquet brings its geometry and CRS along.

    Raises
    ------
    UnsupportedMedia
        The geometry is not written as WKB.
    """
    try:
        file = pq.ParquetFile(request.path)
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput("the file is no readable Parquet") from error
    unpacked = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
    if unpacked > request.limits.unpacked_bytes * 4:
        raise TooLarge(f"the file unpacks to {unpacked:,} bytes, more than is taken here")
    place, crs = _geo_column(file.schema_arrow.metadata or {})
    names = [name for name in file.schema_arrow.names if name != place]
    _check_width(names, request)
    return Source(tuple(names), _parquet_batches(file, place, request), crs, file.metadata.num_rows)


def _geo_column(metadata: dict[bytes, bytes]) -> tuple[str | None, str | None]:
    if b"geo" not in metadata:
        return None, None
    geo: dict[str, Any] = json.loads(metadata[b"geo"])
    name = geo["primary_column"]
    column = geo["columns"][name]
    if column.get("encoding") != "WKB":
        raise UnsupportedMedia(f"GeoParquet with the encoding {column.get('encoding')} is not read; write it as WKB")
    # The standard: no member "crs" means lon/lat, null means unknown.
    crs = column.get("crs", "OGC:CRS84")
    return name, json.dumps(crs) if isinstance(crs, dict) else crs


def _parquet_batches(file: pq.ParquetFile, place: str | None, request: Request) -> Iterator[pa.RecordBatch]:
    first = 1
    try:
        for batch in file.iter_batches(batch_size=request.chunk_rows):
            yield _plain_batch(batch, place, first)
            first += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise InvalidInput(f"the file breaks off after row {first - 1}") from error


def _plain_batch(batch: pa.RecordBatch, place: str | None, first: int) -> pa.RecordBatch:
    """Return the batch with plain columns, row numbers from `first`, and its geometry called `PLACE`."""
    columns: dict[str, pa.Array] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name == place:
            columns[PLACE] = column.cast(pa.binary())
        else:
            columns[name] = _plain_column(column)
    columns[ROW] = pa.array(np.arange(first, first + batch.num_rows, dtype=np.int64))
    return pa.RecordBatch.from_pydict(columns)


def _plain_column(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pa.types.is_nested(kind):
        return pa.array([None if v is None else json.dumps(v, default=str) for v in column.to_pylist()], pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return pa.array([None if v is None else v.hex() for v in column.to_pylist()], pa.string())
    if pa.types.is_null(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.string())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return column.cast(pa.string())
    if pa.types.is_timestamp(kind):
        return pc.cast(column, pa.timestamp("us", tz=kind.tz), safe=False)
    return column


def _check_width(fields: Any, request: Request) -> None:
    if len(fields) > request.limits.columns:
        raise TooLarge(f"{len(fields)} columns are more than the {request.limits.columns} taken here")


def _plain(error: Exception, path: Path) -> str:
    """Return GDAL's sentence without the folder of the upload."""
    return str(error).replace(str(path), "the file").replace(str(path.parent), "")
