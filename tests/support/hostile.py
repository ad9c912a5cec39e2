"""Input made to harm, by the number it has in the list of hostile inputs; each door is tried with all that fit it."""

from __future__ import annotations

import io
import json
import math
import socket
import stat
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np

WEST, SOUTH, SIDE = 120.60, 31.28, 0.01
"""Of one cell of the test city."""
Ring = Sequence[tuple[float, float]]


def scribble(points: int) -> list[tuple[float, float]]:
    """Return a ring through random points of a cell: its crossings grow with their square (inputs 1 to 4)."""
    xy = np.random.default_rng(1).random((points, 2)) * SIDE + (WEST, SOUTH)
    ring = [(round(float(x), 9), round(float(y), 9)) for x, y in xy]
    return [*ring, ring[0]]


def noisy_circle(vertices: int, radius: float = SIDE / 4) -> list[tuple[float, float]]:
    """Return a valid ring of many vertices (input 5)."""
    radii = radius * (1 + 0.05 * np.random.default_rng(1).random(vertices))
    angles = np.linspace(0, 2 * math.pi, vertices, endpoint=False)
    x, y = WEST + SIDE / 2 + radii * np.cos(angles), SOUTH + SIDE / 2 + radii * np.sin(angles)
    ring = [(round(float(a), 9), round(float(b), 9)) for a, b in zip(x, y, strict=True)]
    return [*ring, ring[0]]


def at(*corners: tuple[float, float]) -> list[tuple[float, float]]:
    """Return a closed ring of corners given in cells of the test city."""
    ring = [(WEST + SIDE * x, SOUTH + SIDE * y) for x, y in corners]
    return [*ring, ring[0]]


def polygon(*rings: Ring) -> str:
    """Return a GeoJSON polygon."""
    return json.dumps({"type": "Polygon", "coordinates": rings})


CELL = at((0, 0), (1, 0), (1, 1), (0, 1))

BROKEN_AREAS = {
    "1: scribble of 100": polygon(scribble(100)),
    "1: scribble of 400": polygon(scribble(400)),
    "2: scribble of 3,000": polygon(scribble(3_000)),
    "7: collections in collections": '{"type":"GeometryCollection","geometries":[' * 300
    + '{"type":"Point","coordinates":[0,0]}'
    + "]}" * 300,
    "8: brackets": '{"type":"Polygon","coordinates":' + "[" * 5_000 + "]" * 5_000 + "}",
    "9: endless": '{"type":"Polygon","coordinates":[[[1e999,31],[120.7,31],[120.7,31.3],[1e999,31]]]}',
    "9: no number": '{"type":"Polygon","coordinates":[[[NaN,31],[120.7,31],[120.7,31.3],[NaN,31]]]}',
    "9: Infinity": '{"type":"Polygon","coordinates":[[[Infinity,31],[120.7,31],[120.7,31.3],[Infinity,31]]]}',
    "14: bow-tie": polygon(at((0, 0), (1, 1), (1, 0), (0, 1))),
    "14: spike": polygon(at((0, 0), (1, 0), (1, 1), (1, 3), (1, 1), (0, 1))),
    "14: hole outside": polygon(CELL, at((2, 2), (2.5, 2), (2.5, 2.5), (2, 2.5))),
    "14: two holes that meet": polygon(
        CELL, at((0.1, 0.1), (0.6, 0.1), (0.6, 0.6), (0.1, 0.6)), at((0.4, 0.4), (0.9, 0.4), (0.9, 0.9), (0.4, 0.9))
    ),
    "14: over the antimeridian": polygon([(179, 31), (181, 31), (181, 32), (179, 32), (179, 31)]),
    "a ring of two points": '{"type":"Polygon","coordinates":[[[120.6,31.3],[120.61,31.3]]]}',
    "an open ring": '{"type":"Polygon","coordinates":[[[120.6,31.3],[120.61,31.3],[120.61,31.31],[120.6,31.31]]]}',
    "text for a number": '{"type":"Polygon","coordinates":[[["a","b"],["c","d"],["e","f"],["a","b"]]]}',
    "no such type": '{"type":"CurvePolygon","coordinates":[]}',
    "nothing in it": '{"type":"Polygon","coordinates":[]}',
}
"""GeoJSON, as it is written, of areas that no door takes."""

BROKEN_JSON = {
    "7: collections 20,000 deep": '{"type":"GeometryCollection","geometries":[' * 20_000,
    "8: 200,000 brackets": "[" * 200_000,
    "8: closed brackets": "[" * 100_000 + "]" * 100_000,
    "8: objects": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "half a document": '{"inputs": {"place": ',
    "not UTF-8": "\udcff\udcfe",
    "9: not JSON": '{"a": NaN}',
    "a long number": '{"revision": ' + "9" * 5_000 + "}",
}
"""Bodies that are no JSON, or that should not be read as such."""

WKT_BOMB = "GEOMETRYCOLLECTION(" * 50_000 + "POINT(0 0)" + ")" * 50_000
"""Input 6: it ended the process of Python when it was parsed."""

VRT = """<OGRVRTDataSource><OGRVRTLayer name="stolen"><SrcDataSource>{source}</SrcDataSource>
<SrcLayer>{layer}</SrcLayer></OGRVRTLayer></OGRVRTDataSource>"""
GML = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY secret SYSTEM "file://{canary}">]>
<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml"><gml:featureMember><a><b>&secret;</b></a>
</gml:featureMember></gml:FeatureCollection>"""
KML = (
    '<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{i + 1} "{f"&a{i};" * 10}">' for i in range(9))
    + ']><kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>&a9;</name></Placemark></kml>'
)
"""Input 13: ten entities, each ten times the one before."""


def zipped(*members: tuple[str, bytes], links: tuple[tuple[str, str], ...] = ()) -> bytes:
    """Return a zip of files, and of links to other places."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
        for name, target in links:
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, target)
    return memory.getvalue()


def bomb(megabytes: int = 720) -> bytes:
    """Return a small zip that unpacks to `megabytes` of coordinates (input 10)."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.shp", "w") as member:
        block = b",[0,0]" * (1024**2 // 6)
        for _ in range(megabytes):
            member.write(block)
    return memory.getvalue()


def feature(geometry: str, **properties: object) -> str:
    """Return a feature around a geometry that is text already."""
    return f'{{"type":"Feature","properties":{json.dumps(properties)},"geometry":{geometry}}}'


def collection(geometry: str, **properties: object) -> str:
    """Return a collection of one feature."""
    return f'{{"type":"FeatureCollection","features":[{feature(geometry, **properties)}]}}'


def wkt(geometry: str) -> str | None:
    """Return a GeoJSON polygon as WKT; None where it is none."""
    try:
        rings = json.loads(geometry)["coordinates"]
        inner = ",".join("(" + ",".join(f"{x} {y}" for x, y in ring) + ")" for ring in rings)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return f"POLYGON({inner})"


@contextmanager
def listening() -> Iterator[tuple[int, list[int]]]:
    """Listen on this machine, and count who calls."""
    calls: list[int] = []
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)

        def count_calls() -> None:
            while not done.is_set():
                try:
                    listener.accept()[0].close()
                    calls.append(1)
                except TimeoutError:
                    continue

        thread = threading.Thread(target=count_calls)
        thread.start()
        try:
            yield listener.getsockname()[1], calls
        finally:
            done.set()
            thread.join()
