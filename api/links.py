"""Links of the documents: absolute, from the address the request came by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlencode

from starlette.requests import Request

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
HTML: Final = "text/html"
MVT: Final = "application/vnd.mapbox-vector-tile"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA: Final = "application/schema+json"
REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"

FILE_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "fgb": "application/vnd.flatgeobuf",
    "geojson": GEOJSON,
    "gpkg": "application/geopackage+sqlite3",
    "gpx": "application/gpx+xml",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
"""Ending of a file that is written here -> what it is; a Shapefile comes zipped."""

Link = dict[str, object]


def address(request: Request, path: str, query: Mapping[str, object] | None = None) -> str:
    """Return the absolute address of a path of this server."""
    base = str(request.base_url).rstrip("/")
    asked = f"?{urlencode(query)}" if query else ""
    return f"{base}{quote(path, safe='/{}.')}{asked}"


def same_with(request: Request, **other: str) -> str:
    """Return the address that was asked for, with other values of some parameters."""
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in other]
    return f"{str(request.url).partition('?')[0]}?{urlencode([*kept, *other.items()])}"


def link(
    request: Request,
    rel: str,
    path: str,
    type_: str,
    title: str = "",
    *,
    query: Mapping[str, object] | None = None,
) -> Link:
    """Return one link."""
    found: Link = {"rel": rel, "type": type_, "href": address(request, path, query)}
    if title:
        found["title"] = title
    return found


def self_links(request: Request, media_type: str = JSON) -> list[Link]:
    """Return the document itself, and its other face."""
    return [
        {"rel": "self", "type": media_type, "href": str(request.url)},
        {"rel": "alternate", "type": HTML, "href": same_with(request, f="html")},
    ]
