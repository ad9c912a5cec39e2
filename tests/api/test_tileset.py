"""The description of tiles, for OGC API Tiles and as TileJSON, and links to files: each leads to what it says."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import tilesets
from tests.support.mvt import decode


def test_the_limits_are_the_tiles_that_hold_something(shared):
    document = shared.json("/collections/grids/tiles/WebMercatorQuad")
    assert document["boundingBox"]["lowerLeft"] == [120.6, 31.28]
    assert [one["tileMatrix"] for one in document["tileMatrixSetLimits"]] == [str(z) for z in range(23)]
    template = next(link["href"] for link in document["links"] if link["rel"] == "item")
    limits = document["tileMatrixSetLimits"][13]
    columns = range(limits["minTileCol"] - 1, limits["maxTileCol"] + 2)
    rows = range(limits["minTileRow"] - 1, limits["maxTileRow"] + 2)
    for row in rows:
        for column in columns:
            path = template.format(tileMatrix=13, tileRow=row, tileCol=column)
            within = row not in (rows[0], rows[-1]) and column not in (columns[0], columns[-1])
            if not within:
                # A neighbour may show the rim of a grid within its buffer, but nothing of its own.
                continue
            assert shared.get(path).status_code == 200


@given(st.floats(-180, 180), st.floats(-85, 85), st.integers(0, 22))
def test_a_place_lies_in_the_tile_that_the_limits_name(lon, lat, z):
    (found,) = tilesets.limits((lon, lat, lon, lat), [z])
    west, east = (found["minTileCol"] + i for i in (0, 1))
    north, south = (found["minTileRow"] + i for i in (0, 1))
    assert west / 2**z * 360 - 180 - 1e-9 <= lon <= east / 2**z * 360 - 180 + 1e-9

    def latitude(row):
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / 2**z))))

    assert latitude(south) - 1e-9 <= lat <= latitude(north) + 1e-9


def test_tilejson_leads_to_tiles_whose_layers_it_names(shared):
    answer = shared.get("/collections/grids/tiles/WebMercatorQuad?f=tilejson&lang=en")
    document = answer.json()
    assert document["tilejson"] == "3.0.0"
    assert document["bounds"] == [120.6, 31.28, 120.62, 31.3]
    assert document["minzoom"] <= 13 <= document["maxzoom"]
    (there,) = tilesets.limits(document["bounds"], [12])
    tile = shared.get(document["tiles"][0].format(z=12, y=there["minTileRow"], x=there["minTileCol"]))
    named = {layer["id"]: set(layer["fields"]) for layer in document["vector_layers"]}
    held = decode(tile.content)
    assert "grids" in held
    assert set(held) <= set(named)
    for name, features in held.items():
        assert set(features.columns) - {"geometry", "mvt_id"} <= named[name]
    assert shared.get("/collections/grids/tiles?f=tilejson").status_code == 400


@pytest.mark.parametrize(("role", "endings"), [("analyst", 7), ("officer", 0), ("supervisor", 0)])
def test_a_collection_links_to_its_files_for_whoever_may_have_them(shared, role, endings):
    links = [one for one in shared.json("/collections/incidents", role=role)["links"] if one["rel"] == "enclosure"]
    assert len(links) == endings
    for link in links:
        answer = shared.get(f"{link['href']}?purpose=a+test", role=role)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == link["type"]
    page = shared.get("/collections/incidents?f=html&lang=en", role=role).text
    assert ('name="purpose"' in page) == bool(endings)
