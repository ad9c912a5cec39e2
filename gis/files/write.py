"""A frame to a file of any format in `gis.files.formats`; reading it back gives the same rows."""

from __future__ import annotations

import csv
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import openpyxl
import orjson
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely

from gis.contract.frame import FrameSpec
from gis.crs import LONLAT
from gis.errors import InvalidInput, TooLarge
from gis.files.formats import FormatId, to_write
from gis.files.formulas import guard
from gis.files.gpx import write_gpx
from gis.files.plan import short_names

SYNTHETIC = "synthetic"
NOTICE = "SYNTHETIC DATA, invented for demonstration: no real place, event or household"
BATCH_ROWS = 10_000
EXCEL_ROWS = 1_048_575
EXCEL_CELL_CHARACTERS = 32_767
SHAPEFILE_TEXT_BYTES = 254


@dataclass(frozen=True, slots=True)
class About:
    """What the file says about itself, where its format has room for it.

    Attributes
    ----------
    layer
        Name of the layer or sheet.
    synthetic
        The data are invented; a format without metadata gets it into the file's name.
    """

    layer: str
    title: str
    attribution: str = ""
    synthetic: bool = False

    def as_dict(self) -> dict[str, str]:
        """Return the non-empty facts as text."""
        facts = {"title": self.title, "attribution": self.attribution, "notice": NOTICE if self.synthetic else ""}
        return {name: text for name, text in facts.items() if text}


def write_file(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> Path:
    """Write the columns of a contract and the geometry in EPSG:4326; the format goes by the file's ending.

    The file appears whole or not at all.

    Returns
    -------
    Path
        Where it was written: beside `path` with ``-synthetic`` in its name, where invented data go into a format that
        cannot say so inside.

    Raises
    ------
    UnsupportedMedia
        No format of that ending.
    InvalidInput, TooLarge
        The format cannot hold these rows; says which can.
    """
    row = to_write(path)
    if about.synthetic and row.id in MUTE and SYNTHETIC not in path.stem:
        path = path.with_stem(f"{path.stem}-{SYNTHETIC}")
    columns = [name for name in spec.names if name in frame.columns]
    plain = gpd.GeoDataFrame(frame[columns], geometry=frame.geometry.to_numpy(), crs=LONLAT).reset_index(drop=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".wangge-write-") as folder:
        half_done = Path(folder) / f"data{path.suffix.lower()}"
        WRITERS[row.id](half_done, plain, spec, about)
        half_done.replace(path)
    return path


def _texts(frame: gpd.GeoDataFrame, spec: FrameSpec, *, guarded: bool = False) -> dict[str, pd.Series]:
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


def _rows(columns: Mapping[str, pd.Series]) -> Iterator[tuple[Any, ...]]:
    ready = []
    for values in columns.values():
        present = values.notna().to_numpy()
        ready.append([value if there else None for value, there in zip(values.tolist(), present, strict=True)])
    return zip(*ready, strict=True)


def _flat(frame: gpd.GeoDataFrame, spec: FrameSpec) -> dict[str, pd.Series]:
    """Return guarded columns and the place: lon and lat where all are points, else WKT."""
    columns = _texts(frame, spec, guarded=True)
    shapes = frame.geometry.to_numpy()
    kinds = shapely.get_type_id(shapes)
    if np.isin(kinds, (-1, shapely.GeometryType.POINT)).all():
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


def _write_csv(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> None:
    del about
    columns = _flat(frame, spec)
    # The byte order mark lets a spreadsheet see that the Chinese in it is UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",", lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(_rows(columns))


def _write_excel(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> None:
    if len(frame) > EXCEL_ROWS:
        raise TooLarge(f"an Excel sheet holds {EXCEL_ROWS:,} rows, not {len(frame):,}; take .csv or .gpkg")
    columns = _flat(frame, spec)
    if "wkt" in columns and columns["wkt"].str.len().max() > EXCEL_CELL_CHARACTERS:
        raise TooLarge("an area has more vertices than an Excel cell holds; take .gpkg or .geojson")
    book = openpyxl.Workbook(write_only=True)
    book.properties.title = about.title
    book.properties.description = "; ".join(about.as_dict().values())
    sheet = book.create_sheet(f"{about.layer} ({SYNTHETIC})" if about.synthetic else about.layer)
    sheet.append(list(columns))
    for row in _rows(columns):
        sheet.append([_cell(value) for value in row])
    book.save(path)


def _cell(value: Any) -> Any:
    """Return a number as text where a workbook, which keeps 16 digits, would change it."""
    exact = not isinstance(value, (int, float)) or float(f"{value:.16g}") == value
    return value if exact else repr(value)


def _features(frame: gpd.GeoDataFrame, spec: FrameSpec) -> Iterator[bytes]:
    columns = _texts(frame, spec)
    shapes = shapely.to_geojson(frame.geometry.to_numpy())
    for row, shape in zip(_rows(columns), shapes, strict=True):
        properties = orjson.dumps(dict(zip(columns, row, strict=True)))
        geometry = b"null" if shape is None else shape.encode()
        yield b'{"type":"Feature","properties":' + properties + b',"geometry":' + geometry + b"}"


def _write_geojson(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> None:
    head = orjson.dumps(
        {"type": "FeatureCollection", "name": about.layer, **about.as_dict(), SYNTHETIC: about.synthetic}
    )
    with path.open("wb") as file:
        file.write(head[:-1] + b',"features":[\n')
        for number, feature in enumerate(_features(frame, spec)):
            file.write((b",\n" if number else b"") + feature)
        file.write(b"\n]}\n")


def _write_lines(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> None:
    del about
    with path.open("wb") as file:
        file.writelines(feature + b"\n" for feature in _features(frame, spec))


def _write_geopackage(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> None:
    table = gpd.GeoDataFrame(_texts(frame, spec), geometry=frame.geometry, crs=LONLAT)
    pyogrio.write_dataframe(
        table,
        path,
        layer=about.layer,
        driver="GPKG",
        geometry_type="Unknown",
        promote_to_multi=False,
        layer_metadata=about.as_dict() or None,
        layer_options={"DESCRIPTION": "; ".join(about.as_dict().values())},
    )


def _write_shapefile(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> None:
    columns = _texts(frame, spec)
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


def _write_parquet(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> None:
    table = pa.Table.from_pandas(pd.DataFrame(frame.drop(columns="geometry")), preserve_index=False)
    shapes = frame.geometry.to_numpy()
    table = table.append_column("geometry", pa.array(shapely.to_wkb(shapes), pa.binary()))
    geo = {
        "version": "1.1.0",
        "primary_column": "geometry",
        # No member "crs" means longitude and latitude in WGS84.
        "columns": {"geometry": {"encoding": "WKB", "geometry_types": sorted(set(frame.geom_type.dropna()))}},
    }
    facts = {**about.as_dict(), SYNTHETIC: str(about.synthetic).lower(), "geo": json.dumps(geo)}
    pq.write_table(table.replace_schema_metadata(facts), path, compression="zstd")
    del spec


def _write_gpx(path: Path, frame: gpd.GeoDataFrame, spec: FrameSpec, about: About) -> None:
    del spec
    write_gpx(path, frame, about=about.as_dict())


WRITERS: Mapping[FormatId, Callable[[Path, gpd.GeoDataFrame, FrameSpec, About], None]] = MappingProxyType(
    {
        "csv": _write_csv,
        "excel": _write_excel,
        "geojson": _write_geojson,
        "geojsonseq": _write_lines,
        "geopackage": _write_geopackage,
        "shapefile": _write_shapefile,
        "parquet": _write_parquet,
        "gpx": _write_gpx,
    }
)
MUTE: frozenset[FormatId] = frozenset({"csv", "geojsonseq"})
"""Formats with no place for a remark about the data."""
