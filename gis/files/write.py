"""Rows to a file of any format in `gis.files.formats`; reading it back gives the same rows."""

from __future__ import annotations

import csv
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import openpyxl
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from gis.contract.frame import FrameSpec
from gis.crs import LONLAT
from gis.errors import TooLarge
from gis.files.about import MASKED, NOTICE, SYNTHETIC, About
from gis.files.formats import FormatId, to_write
from gis.files.gpx import write_gpx
from gis.files.plain_values import flat, texts, tuples
from gis.files.rows import Rows, rows_of
from gis.files.write_gdal import write_flatgeobuf, write_geopackage, write_shapefile

__all__ = ["NOTICE", "SYNTHETIC", "About", "write_file", "write_rows"]

EXCEL_ROWS = 1_048_575
EXCEL_CELL_CHARACTERS = 32_767


def write_file(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> Path:
    """Write the columns of a contract and the geometry of a frame (n,); as `write_rows`."""
    return write_rows(path, rows_of(frame), spec, about)


def write_rows(path: Path, rows: Rows, spec: FrameSpec, about: About) -> Path:
    """Write the columns of a contract and the geometry in EPSG:4326; the format goes by the file's ending.

    The file appears whole or not at all. Its rows are taken part by part, save by Shapefile and GPX.

    Returns
    -------
    Path
        Where it was written: beside `path` with ``-masked`` in its name, where places were moved, and with
        ``-synthetic``, where invented data go into a format that cannot say so inside.

    Raises
    ------
    UnsupportedMedia
        No format of that ending.
    InvalidInput, TooLarge
        The format cannot hold these rows; says which can.
    """
    row = to_write(path)
    if about.masking and MASKED not in path.stem:
        path = path.with_stem(f"{path.stem}-{MASKED}")
    if about.synthetic and row.id in MUTE and SYNTHETIC not in path.stem:
        path = path.with_stem(f"{path.stem}-{SYNTHETIC}")
    plain = replace(rows, chunks=(_plain(chunk, spec) for chunk in rows.chunks))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".wangge-write-") as folder:
        half_done = Path(folder) / f"data{path.suffix.lower()}"
        WRITERS[row.id](half_done, plain, spec, about)
        half_done.replace(path)
    return path


def _plain(chunk: gpd.GeoDataFrame, spec: FrameSpec) -> gpd.GeoDataFrame:
    columns = [name for name in spec.names if name in chunk.columns]
    return gpd.GeoDataFrame(chunk[columns], geometry=chunk.geometry.to_numpy(), crs=LONLAT).reset_index(drop=True)


def _write_csv(path: Path, rows: Rows, spec: FrameSpec, about: About) -> None:
    del about
    # The byte order mark lets a spreadsheet see that the Chinese in it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",", lineterminator="\n")
        for number, chunk in enumerate(rows.chunks):
            columns = flat(chunk, spec, points=rows.are_points)
            if number == 0:
                writer.writerow(columns)
            writer.writerows(tuples(columns))


def _write_excel(path: Path, rows: Rows, spec: FrameSpec, about: About) -> None:
    if rows.count > EXCEL_ROWS:
        raise TooLarge(f"an Excel sheet holds {EXCEL_ROWS:,} rows, not {rows.count:,}; take .csv or .gpkg")
    book = openpyxl.Workbook(write_only=True)
    book.properties.title = about.title
    book.properties.description = "; ".join(about.as_dict().values())
    sheet = book.create_sheet(f"{about.layer} ({SYNTHETIC})" if about.synthetic else about.layer)
    try:
        _fill_sheet(sheet, rows, spec)
    except BaseException:
        # The library keeps the sheet in a file of its own until the book is saved.
        sheet.close()
        sheet._writer.cleanup()  # noqa: SLF001
        raise
    book.save(path)


def _fill_sheet(sheet: Any, rows: Rows, spec: FrameSpec) -> None:
    for number, chunk in enumerate(rows.chunks):
        columns = flat(chunk, spec, points=rows.are_points)
        if "wkt" in columns and columns["wkt"].str.len().max() > EXCEL_CELL_CHARACTERS:
            raise TooLarge("an area has more vertices than an Excel cell holds; take .gpkg or .geojson")
        if number == 0:
            sheet.append(list(columns))
        for row in tuples(columns):
            sheet.append([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    """Return a number as text where a workbook, which keeps 16 digits, would change it."""
    exact = not isinstance(value, (int, float)) or float(f"{value:.16g}") == value
    return value if exact else repr(value)


def _features(rows: Rows, spec: FrameSpec) -> Iterator[bytes]:
    for chunk in rows.chunks:
        columns = texts(chunk, spec)
        shapes = shapely.to_geojson(chunk.geometry.to_numpy())
        for row, shape in zip(tuples(columns), shapes, strict=True):
            properties = orjson.dumps(dict(zip(columns, row, strict=True)))
            geometry = b"null" if shape is None else shape.encode()
            yield b'{"type":"Feature","properties":' + properties + b',"geometry":' + geometry + b"}"


def _write_geojson(path: Path, rows: Rows, spec: FrameSpec, about: About) -> None:
    head = orjson.dumps(
        {"type": "FeatureCollection", "name": about.layer, **about.as_dict(), SYNTHETIC: about.synthetic}
    )
    with path.open("wb") as file:
        file.write(head[:-1] + b',"features":[\n')
        for number, feature in enumerate(_features(rows, spec)):
            file.write((b",\n" if number else b"") + feature)
        file.write(b"\n]}\n")


def _write_lines(path: Path, rows: Rows, spec: FrameSpec, about: About) -> None:
    del about
    with path.open("wb") as file:
        file.writelines(feature + b"\n" for feature in _features(rows, spec))


def _write_parquet(path: Path, rows: Rows, spec: FrameSpec, about: About) -> None:
    del spec
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        # No member "crs" means longitude and latitude in WGS84.
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": sorted(rows.kinds)}},
    }
    facts = {**about.as_dict(), SYNTHETIC: str(about.synthetic).lower(), "geo": json.dumps(geo)}
    writer: pq.ParquetWriter | None = None
    try:
        for chunk in rows.chunks:
            table = pa.Table.from_pandas(pd.DataFrame(chunk.drop(columns="geometry")), preserve_index=False)
            shapes = pa.array(shapely.to_wkb(chunk.geometry.to_numpy()), pa.binary())
            table = table.append_column("geometry", shapes).replace_schema_metadata(facts)
            if writer is None:
                writer = pq.ParquetWriter(path, table.schema, compression="zstd")
            writer.write_table(table.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()


def _write_gpx(path: Path, rows: Rows, spec: FrameSpec, about: About) -> None:
    del spec
    write_gpx(path, rows.whole(), about=about.as_dict())


WRITERS: Mapping[FormatId, Callable[[Path, Rows, FrameSpec, About], None]] = MappingProxyType(
    {
        "csv": _write_csv,
        "excel": _write_excel,
        "geojson": _write_geojson,
        "geojsonseq": _write_lines,
        "geopackage": write_geopackage,
        "flatgeobuf": write_flatgeobuf,
        "shapefile": write_shapefile,
        "parquet": _write_parquet,
        "gpx": _write_gpx,
    }
)
MUTE: frozenset[FormatId] = frozenset({"csv", "geojsonseq"})
"""Formats with no place for a remark about the data."""
