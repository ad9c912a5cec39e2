"""Filters and reference systems over HTTP: items, tiles and files take the same condition."""

import io
import json

import geopandas as gpd
import pytest
from pyproj import Transformer

from tests.api.conftest import SOUTH, WEST
from tests.api.test_tiles import place, url
from tests.support.mvt import decode

ITEMS = "/collections/incidents/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
HALF = f"S_INTERSECTS(geometry, BBOX({WEST},{SOUTH},{WEST + 0.01},{SOUTH + 0.02}))"


def found(client, path=ITEMS, **params):
    return client.json(path, params={"limit": 1000, **params})


def refused(client, path=ITEMS, **params):
    answer = client.get(path, params=params)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return [(problem["field"], problem["code"]) for problem in answer.json()["problems"]]


def test_items_tiles_and_files_take_the_same_filter(shared):
    condition = f"category IN ('theft','burglary') AND {HALF}"
    page = found(shared, filter=condition)
    numbers = {feature["id"] for feature in page["features"]}
    assert page["numberMatched"] == len(numbers)
    assert 0 < len(numbers) < 167
    tile = shared.get(url("incidents", 10, *place(WEST + 0.001, SOUTH + 0.001, 10)), params={"filter": condition})
    assert len(decode(tile.content)["incidents"]) == len(numbers)
    file = shared.get("/collections/incidents/export.geojson", params={"filter": condition})
    assert file.status_code == 200, file.text[:500]
    assert len(gpd.read_file(io.BytesIO(file.content))) == len(numbers)
    tree = {
        "op": "and",
        "args": [
            {"op": "in", "args": [{"property": "category"}, ["theft", "burglary"]]},
            {
                "op": "s_intersects",
                "args": [{"property": "geometry"}, {"bbox": [WEST, SOUTH, WEST + 0.01, SOUTH + 0.02]}],
            },
        ],
    }
    same = found(shared, **{"filter": json.dumps(tree), "filter-lang": "cql2-json"})
    assert {feature["id"] for feature in same["features"]} == numbers


def test_a_filter_holds_beside_the_other_parameters_and_over_pages(shared):
    condition = "category = 'theft'"
    whole = found(shared, filter=condition, datetime="2025-01-01/2025-01-20")
    first = found(shared, filter=condition, datetime="2025-01-01/2025-01-20", limit=7)
    following = next(link["href"] for link in first["links"] if link["rel"] == "next")
    seen = [*first["features"]]
    while following:
        page = shared.json(following)
        seen += page["features"]
        following = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)
    assert [feature["id"] for feature in seen] == [feature["id"] for feature in whole["features"]]
    # The token of a page belongs to its filter.
    token = next(link["href"] for link in first["links"] if link["rel"] == "next").split("after=")[1].split("&")[0]
    assert refused(shared, filter="category = 'assault'", datetime="2025-01-01/2025-01-20", after=token)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"filter": "nothing = 1"}, [("filter", "unknown_property")]),
        ({"filter": "version() = 'x'"}, [("filter", "unknown_function")]),
        ({"filter": "category = "}, [("filter", "bad_filter")]),
        ({"filter": ""}, [("filter", "bad_filter")]),
        ({"filter": "category = 'theft'", "filter-lang": "cql-text"}, [("filter-lang", "bad_parameter")]),
        ({"filter": "category = 'theft'", "filter-crs": EPSG + "2154"}, [("filter-crs", "bad_parameter")]),
        ({"filter-lang": "cql2-text"}, [("filter-lang", "bad_parameter")]),
        ({"crs": EPSG + "2154"}, [("crs", "bad_parameter")]),
        ({"crs": "EPSG:99999999"}, [("crs", "bad_parameter")]),
        ({"bbox": "1,2,3", "bbox-crs": EPSG + "3857"}, [("bbox", "bad_parameter")]),
        ({"bbox": "9,9,1,1", "bbox-crs": EPSG + "3857"}, [("bbox", "bad_geometry")]),
    ],
)
def test_what_cannot_be_used_is_a_400_that_names_the_parameter(shared, params, expected):
    answered = refused(shared, **params)
    assert [field for field, _ in answered] == [field for field, _ in expected]
    assert answered == expected or expected[0][1] == "bad_parameter"


@pytest.mark.parametrize("number", [4326, 3857, 4490, 4549])
def test_features_come_in_the_systems_the_collection_names(shared, number):
    assert shared.json("/collections/incidents")["crs"][0] == CRS84
    assert EPSG + str(number) in shared.json("/collections/incidents")["crs"]
    plain = found(shared)["features"]
    answer = shared.get(ITEMS, params={"crs": EPSG + str(number), "limit": 1000})
    assert answer.headers["content-crs"] == f"<{EPSG}{number}>"
    # The library's own order of axes is the one that the system prescribes.
    prescribed = Transformer.from_crs("OGC:CRS84", f"EPSG:{number}")
    for one, other in zip(plain, answer.json()["features"], strict=True):
        assert other["id"] == one["id"]
        expected = prescribed.transform(*one["geometry"]["coordinates"])
        assert other["geometry"]["coordinates"] == pytest.approx(expected, abs=2e-3 if number in (3857, 4549) else 1e-6)
    single = shared.get(f"{ITEMS}/{plain[0]['id']}", params={"crs": EPSG + str(number)})
    assert single.json()["geometry"] == answer.json()["features"][0]["geometry"]
    assert single.headers["content-crs"] == f"<{EPSG}{number}>"


@pytest.mark.parametrize("number", [4326, 3857, 4490, 4549])
def test_a_box_in_another_system_is_the_same_box(shared, number):
    west, south, east, north = WEST + 0.0011, SOUTH + 0.0011, WEST + 0.0099, SOUTH + 0.0099
    expected = {feature["id"] for feature in found(shared, bbox=f"{west},{south},{east},{north}")["features"]}
    assert expected
    prescribed = Transformer.from_crs("OGC:CRS84", f"EPSG:{number}")
    corners = [prescribed.transform(x, y) for x in (west, east) for y in (south, north)]
    low = [min(corner[axis] for corner in corners) for axis in (0, 1)]
    high = [max(corner[axis] for corner in corners) for axis in (0, 1)]
    box = ",".join(f"{value:.9f}" for value in (*low, *high))
    got = {feature["id"] for feature in found(shared, bbox=box, **{"bbox-crs": EPSG + str(number)})["features"]}
    assert got == expected


def test_a_page_for_people_is_filtered_too(shared):
    answer = shared.get(ITEMS, params={"filter": "category = 'theft'", "f": "html", "crs": EPSG + "3857"})
    assert answer.status_code == 200
    assert "text/html" in answer.headers["content-type"]


def test_an_export_of_rows_that_pass(wangge, filled, tmp_path):
    del filled
    wangge("export", "incidents", tmp_path / "theft.gpkg", "--where", "category = 'theft'")
    assert set(gpd.read_file(tmp_path / "theft.gpkg")["category"]) == {"theft"}
    assert "no property" in wangge("export", "incidents", tmp_path / "x.csv", "--where", "nothing = 1", code=2)
    assert not (tmp_path / "x.csv").exists()
