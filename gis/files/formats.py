"""The formats that go in and out, one row each; reading, writing and every refusal are driven by this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from gis.errors import InvalidInput, TooLarge, UnsupportedMedia
from gis.files.limits import MEGABYTE, Limits

HEAD_BYTES = 4096
FormatId = Literal[
    "csv", "excel", "geojson", "geojsonseq", "geopackage", "flatgeobuf", "shapefile", "parquet", "osm", "gpx"
]


@dataclass(frozen=True, slots=True)
class Format:
    """One kind of file.

    Attributes
    ----------
    extensions
        Lower-case endings, the first one is written.
    looks_like
        Whether the first bytes can belong to such a file.
    driver
        The one GDAL driver that may open it; None where GDAL takes no part.
    zipped
        The file is a zip: its directory is checked before anything is unpacked.
    json
        The nesting is measured before the file is parsed.
    names_crs
        The format itself carries a reference system, so that none need be declared. It may still be wrong.
    guarded
        Texts that begin like a formula carry an apostrophe, as `gis.files.formulas` writes them.
    frame
        The one frame that such a file is read as; None where it can be any.
    written
        Files of this kind are written too.
    read
        Files of this kind are read too.
    """

    id: FormatId
    title: str
    extensions: tuple[str, ...]
    looks_like: Callable[[bytes], bool]
    driver: str | None = None
    zipped: bool = False
    json: bool = False
    names_crs: bool = False
    guarded: bool = False
    frame: str | None = None
    written: bool = True
    read: bool = True


def _is_text(head: bytes) -> bool:
    # A leading "<" is markup whatever the ending says: a virtual raster, GML, KML, a saved web page.
    return b"\0" not in head and not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _is_json(head: bytes) -> bool:
    return b"\0" not in head and head.lstrip(b"\xef\xbb\xbf\x1e \t\r\n").startswith(b"{")


def _is_osm(head: bytes) -> bool:
    # The length of the first header, and that header's own field: the type of the block.
    return head[4:15] == b"\x0a\x09OSMHeader"


def _is_zip(head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", b"PK\x05\x06"))


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        row.id: row
        for row in (
            Format("csv", "CSV", (".csv", ".tsv", ".txt"), _is_text, guarded=True),
            Format("excel", "Excel", (".xlsx",), _is_zip, zipped=True, guarded=True),
            Format(
                "geojson", "GeoJSON", (".geojson", ".json"), _is_json,
                json=True, names_crs=True,
            ),
            Format(
                "geojsonseq", "GeoJSON lines", (".geojsonl", ".geojsons", ".ndjson", ".jsonl"), _is_json,
                names_crs=True,
            ),
            Format(
                "geopackage", "GeoPackage", (".gpkg",), lambda head: head.startswith(b"SQLite format 3\0"),
                driver="GPKG", names_crs=True,
            ),
            Format(
                "flatgeobuf", "FlatGeobuf", (".fgb",), lambda head: head.startswith(b"fgb\x03fgb"),
                driver="FlatGeobuf", names_crs=True,
            ),
            Format(
                "shapefile", "zipped Shapefile", (".zip",), _is_zip,
                driver="ESRI Shapefile", zipped=True, names_crs=True,
            ),
            Format("parquet", "GeoParquet or Parquet", (".parquet", ".geoparquet"), lambda head: head[:4] == b"PAR1",
                   names_crs=True),
            Format("osm", "OpenStreetMap PBF", (".pbf",), _is_osm, names_crs=True, frame="segments", written=False),
            Format("gpx", "GPX", (".gpx",), lambda head: b"<gpx" in head, names_crs=True, read=False),
        )
    }
)  # fmt: skip
"""Format id -> its row."""


def by_extension(path: Path) -> Format:
    """Return the format that the ending of a file name asks for.

    Raises
    ------
    UnsupportedMedia
        No such ending is read or written here; the message lists those that are.
    """
    for row in FORMATS.values():
        if path.suffix.lower() in row.extensions:
            return row
    hint = "; zip the .shp with its .shx, .dbf and .prj" if path.suffix.lower() == ".shp" else ""
    raise UnsupportedMedia(f"files ending in '{path.suffix}' are not taken here{hint}; these are: {_listed()}")


def to_write(path: Path) -> Format:
    """Return the format in which a file of this name is written.

    Raises
    ------
    UnsupportedMedia
        No such file is written here; the message lists those that are.
    """
    row = by_extension(path)
    if not row.written:
        raise UnsupportedMedia(f"{row.title} is read here, not written; these are written: {_listed(written=True)}")
    return row


def _listed(*, written: bool = False) -> str:
    rows = [row for row in FORMATS.values() if row.written or not written]
    return ", ".join(f"{row.title} ({' '.join(row.extensions)})" for row in rows)


def recognise(path: Path, *, limits: Limits) -> Format:
    """Return the format of a file, by its ending and by its first bytes.

    Raises
    ------
    UnsupportedMedia
        The ending is unknown, or the content is of another kind than the ending says.
    TooLarge
        The file is larger than the limit.
    """
    row = by_extension(path)
    if not row.read:
        raise UnsupportedMedia(f"{row.title} is written here, not read")
    if not path.is_file():
        raise InvalidInput(f"there is no file {path.name}")
    size = path.stat().st_size
    if size > limits.file_bytes:
        cap = limits.file_bytes / MEGABYTE
        raise TooLarge(f"{path.name} has {size / MEGABYTE:,.0f} MB, more than the {cap:,.0f} MB taken here")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if not head.strip():
        raise InvalidInput(f"{path.name} is empty")
    if not row.looks_like(head):
        raise UnsupportedMedia(f"{path.name} does not hold {row.title}, whatever its name says")
    return row
