"""GeoPackage, FlatGeobuf and Shapefile, which GDAL writes; the first two from a stream, part by part."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from gis.contract.frame import FrameSpec
from gis.crs import LONLAT
from gis.errors import InvalidInput
from gis.files.about import About
from gis.files.plain_values import texts
from gis.files.plan import short_names
from gis.files.rows import Rows

GEOMETRY: Final = "geom"
SHAPEFILE_TEXT_BYTES: Final = 254


def write_geopackage(path: Path, rows: Rows, spec: FrameSpec, about: About) -> None:
    """Write one layer with its spatial index."""
    options = {"DESCRIPTION": "; ".join(about.as_dict().values())}
    _write_stream(path, rows, spec, about, driver="GPKG", geometry_type="Unknown", layer_options=options)


def write_flatgeobuf(path: Path, rows: Rows, spec: FrameSpec, about: About) -> None:
    """Write a FlatGeobuf, with its spatial index where every row has a place: the index knows no other."""
    facts = about.as_dict()
    options = {
        "SPATIAL_INDEX": "NO" if rows.placeless else "YES",
        "TITLE": facts.pop("title", ""),
        "DESCRIPTION": "; ".join(facts.values()),
        "TEMPORARY_DIR": str(path.parent),
    }
    kind = next(iter(rows.kinds)) if len(rows.kinds) == 1 else "Unknown"
    _write_stream(path, rows, spec, about, driver="FlatGeobuf", geometry_type=kind, layer_options=options)


def _write_stream(
    path: Path,
    rows: Rows,
    spec: FrameSpec,
    about: About,
    *,
    driver: str,
    geometry_type: str,
    layer_options: Mapping[str, str],
) -> None:
    stream = _Stream(rows, spec)
    try:
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(stream.schema, stream.batches()),
            path,
            layer=about.layer,
            driver=driver,
            geometry_name=GEOMETRY,
            geometry_type=geometry_type,
            crs=LONLAT,
            layer_metadata=about.as_dict() if driver == "GPKG" else None,
            layer_options={name: text for name, text in layer_options.items() if text},
        )
    except Exception:
        if stream.broken is not None:
            raise stream.broken from None
        raise


class _Stream:
    """Rows as batches of Arrow, read while GDAL writes; what broke the reading is kept, for GDAL forgets it."""

    def __init__(self, rows: Rows, spec: FrameSpec) -> None:
        self._rows = rows
        self._spec = spec
        self._first = next(rows.chunks)
        self.broken: Exception | None = None
        kinds = [(c.name, _ARROW.get(c.kind, pa.string())) for c in spec.columns if c.name in self._first]
        self.schema = pa.schema([*kinds, (GEOMETRY, pa.binary())])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the batches; each is made when GDAL asks for it."""
        try:
            yield self._batch(self._first)
            for chunk in self._rows.chunks:
                yield self._batch(chunk)
        except Exception as error:
            self.broken = error
            raise

    def _batch(self, chunk: gpd.GeoDataFrame) -> pa.RecordBatch:
        columns = texts(chunk, self._spec)
        arrays = [_array(columns[name], self.schema.field(name).type) for name in self.schema.names[:-1]]
        places = pa.array(shapely.to_wkb(chunk.geometry.to_numpy()), pa.binary())
        return pa.RecordBatch.from_arrays([*arrays, places], schema=self.schema)


_ARROW: Final[Mapping[str, pa.DataType]] = {"integer": pa.int64(), "real": pa.float64()}
"""Of a kind of column; all others go as text, which means the same in any format."""


def _array(values: pd.Series, kind: pa.DataType) -> pa.Array:
    found = pa.Array.from_pandas(values)
    whole = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    return whole.cast(kind)


def write_shapefile(path: Path, rows: Rows, spec: FrameSpec, about: About) -> None:
    """Write a zip of a Shapefile's parts, in one piece: what it cannot hold is known at the end only.

    Raises
    ------
    InvalidInput
        A Shapefile cannot hold these rows; says what can.
    """
    frame = rows.whole()
    columns = texts(frame, spec)
    long = [name for name, values in columns.items() if _text_bytes(values) > SHAPEFILE_TEXT_BYTES]
    if long:
        raise InvalidInput(f"a Shapefile cuts texts at {SHAPEFILE_TEXT_BYTES} bytes ({', '.join(long)}); take .gpkg")
    dimensions = set(shapely.get_dimensions(frame.geometry.to_numpy()).tolist()) - {-1}
    if len(dimensions) > 1:
        raise InvalidInput("a Shapefile holds points, lines or areas, not several of them; take .gpkg or .geojson")
    if not dimensions:
        raise InvalidInput("a Shapefile needs at least one place; take .csv or .geojson")
    table = gpd.GeoDataFrame(columns, geometry=frame.geometry, crs=LONLAT).rename(columns=short_names(spec.names))
    folder = path.parent / "parts"
    folder.mkdir()
    pyogrio.write_dataframe(table, folder / f"{about.layer}.shp", driver="ESRI Shapefile", encoding="UTF-8")
    if facts := about.as_dict():
        (folder / "README.txt").write_text("\n".join(facts.values()) + "\n", encoding="utf-8")
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, part.name)


def _text_bytes(values: pd.Series) -> int:
    return max((len(value.encode()) for value in values.dropna() if isinstance(value, str)), default=0)
