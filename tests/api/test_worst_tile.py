"""The most that a tile can cost: features, bytes and time have a cap, whatever lies in it and whatever is asked for."""

from __future__ import annotations

import datetime as dt
import gzip
import math

import shapely

from gis.store import tile_points, tiles
from tests.api.conftest import SOUTH, WEST
from tests.support import hostile, mvt
from tests.support.rows import fill

TILE = "/collections/{}/tiles/WebMercatorQuad/{}/{}/{}"
AT = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
WORLD = "0/0/0"


def tile(client, layer, address, **params):
    answer = client.get(TILE.format(layer, *address.split("/")), params=params)
    assert answer.status_code in (200, 204), answer.text
    return answer.content


def test_worst_tile(served, store, city):
    incident = {"occurred_at": AT, "category": "theft", "origin": "import", "location_withheld": False}
    crowd = [
        {**incident, "geom": f"POINT({WEST + 0.02 * (i % 100) / 100} {SOUTH + 0.02 * (i // 100) / 100})"}
        for i in range(tiles.FEATURE_CAP + 1)
    ]
    fill(store, city, "incidents", crowd)
    served.forget()
    everything = mvt.decode(tile(served, "incidents", WORLD))["incidents"]
    assert len(everything) <= tile_points.CELLS**2
    assert everything["n"].sum() == len(crowd) + 250, "nothing is dropped: each cell says how many it stands for"
    # The heaviest areas that a file can bring, 2,000 vertices each, are no finer than the tile shows.
    ring = hostile.noisy_circle(1_999)
    shape = shapely.Polygon(ring)
    heavy = [
        {
            "source_id": f"w{i}", "code": f"3205080020{i:05}", "kind": "comprehensive",
            "valid_from": dt.date(2020, 1, 1), "geom": shapely.affinity.translate(shape, 0.0001 * i, 1).wkt,
        }
        for i in range(200)
    ]  # fmt: skip
    fill(store, city, "grids", heavy)
    served.forget()
    for z in (0, 8, 11, 13, 14):
        x, y = column_row(z, WEST + 0.005, SOUTH + 1.005)
        content = tile(served, "grids", f"{z}/{y}/{x}")
        assert len(content) < 1_500_000
        assert len(gzip.compress(content)) < 800_000


def column_row(z, lon, lat):
    n = 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return int((lon + 180) / 360 * n), int(y * n)


def test_no_address_is_beyond_the_last_zoom(shared):
    for z in (23, 30, 99):
        assert shared.get(TILE.format("grids", z, 0, 0)).status_code == 404


def test_a_page_of_the_whole_world_is_no_longer_than_the_longest(shared):
    page = shared.json("/collections/incidents/items?bbox=-180,-90,180,90&limit=100000")
    assert page["numberReturned"] <= 10_000
