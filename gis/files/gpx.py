"""Patrol routes as GPX 1.1, for satellite navigation: of each unit its stops as a route and its streets as a track.

https://www.topografix.com/GPX/1/1/: elements stand in the order of the schema, times are UTC, coordinates WGS84.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import shapely

from gis.errors import InvalidInput

NAMESPACE: Final = "http://www.topografix.com/GPX/1/1"
NEEDED: Final = ("unit_label", "sequence", "stop_kind", "lon", "lat")
"""Columns by which rows are known as the halts of units."""


def write_gpx(path: Path, halts: gpd.GeoDataFrame, *, about: Mapping[str, str]) -> None:
    """Write the halts of units, in the order of each unit's route.

    Parameters
    ----------
    halts : (n,) rows
        ``unit_label``, ``sequence``, ``stop_kind``, ``lon`` and ``lat``; where they are there also ``stop_code``,
        ``name_zh``, ``name_en``, ``arrive_clock``, ``leave_clock``, ``dwell_min`` and ``arrive_at``. The line of a row
        is the way to it, in EPSG:4326.
    about
        Facts about the file: ``title``, ``attribution``, ``notice``.

    Raises
    ------
    InvalidInput
        The rows are no halts of units.
    """
    if missing := [name for name in NEEDED if name not in halts.columns]:
        why = f"GPX holds the routes of patrols; these rows have no {', '.join(missing)}; take .gpkg or .geojson"
        raise InvalidInput(why, zh="GPX 只能存放巡逻路线；请改用 .gpkg 或 .geojson")
    root = ET.Element("gpx", {"version": "1.1", "creator": "wangge", "xmlns": NAMESPACE})
    metadata = _child(root, "metadata")
    _child(metadata, "name", about.get("title", ""))
    if remarks := "; ".join(about[key] for key in ("notice", "attribution") if about.get(key)):
        _child(metadata, "desc", remarks)
    units = [(str(label), rows.sort_values("sequence")) for label, rows in halts.groupby("unit_label", sort=False)]
    for label, rows in units:
        for row in _records(rows):
            if row["stop_kind"] not in ("start", "end"):
                _point(root, "wpt", row, f"{label} {row['sequence']}")
    for number, (label, rows) in enumerate(units, 1):
        route = _child(root, "rte")
        _child(route, "name", label)
        _child(route, "number", str(number))
        for row in _records(rows):
            _point(route, "rtept", row, str(row["sequence"]))
    for number, (label, rows) in enumerate(units, 1):
        track = _child(root, "trk")
        _child(track, "name", label)
        _child(track, "number", str(number))
        segment = _child(track, "trkseg")
        for lon, lat in _corners(rows):
            _child(segment, "trkpt", lat=lat, lon=lon)
    ET.indent(root)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _records(rows: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = pd.DataFrame(rows.drop(columns=rows.geometry.name)).to_dict("records")
    return plain


def _child(
    parent: ET.Element, tag: str, text: str = "", *, lat: float | None = None, lon: float | None = None
) -> ET.Element:
    place = {} if lat is None or lon is None else {"lat": f"{lat:.7f}", "lon": f"{lon:.7f}"}
    element = ET.SubElement(parent, tag, place)
    if text:
        # What XML cannot hold at all, no escape helps.
        element.text = "".join(c for c in text if c.isprintable())
    return element


def _point(parent: ET.Element, tag: str, row: Mapping[str, Any], number: str) -> None:
    """Write one halt: time, name, description and type, in this order."""
    point = _child(parent, tag, lat=float(row["lat"]), lon=float(row["lon"]))
    at = row.get("arrive_at")
    if isinstance(at, pd.Timestamp):
        _child(point, "time", at.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"))
    said = [row[key] for key in ("name_zh", "name_en", "stop_code") if isinstance(row.get(key), str)]
    _child(point, "name", f"{number} {said[0] if said else row['stop_kind']}")
    if words := list(_words(row)):
        _child(point, "desc", " ".join(words))
    _child(point, "type", str(row["stop_kind"]))


def _words(row: Mapping[str, Any]) -> Iterator[str]:
    clocks = [row.get(key) for key in ("arrive_clock", "leave_clock")]
    known = [clock for clock in clocks if isinstance(clock, str)]
    if known:
        yield "-".join(known)
    dwell = row.get("dwell_min")
    if dwell is not None and dwell > 0:
        yield f"{dwell:g} min"


def _corners(rows: gpd.GeoDataFrame) -> Iterator[tuple[float, float]]:
    """Yield the corners of all ways of a unit, one after another, each once where one way ends and the next begins."""
    last: tuple[float, float] | None = None
    for shape in rows.geometry:
        for lon, lat in shapely.get_coordinates(shape).tolist():
            if (lon, lat) != last:
                last = (lon, lat)
                yield last
