"""A drawn place over HTTP: asked for, checked before anything is queued, and its answer on the map."""

import pytest

from gis.runs import execute
from tests.api.conftest import SOUTH, WEST
from tests.support.rows import fill

PLACE = {"type": "Point", "coordinates": [WEST + 0.01, SOUTH + 0.01]}


@pytest.fixture
def streets(served, store, city):
    """The server of a city with a crossroads, a post and two schools."""
    middle = (WEST + 0.01, SOUTH + 0.01)
    street = {"road_class": "local", "oneway": False, "level": 0, "access": "open"}
    ways = ((0.01, 0), (-0.01, 0), (0, 0.01), (0, -0.01))
    lines = [f"LINESTRING({middle[0]} {middle[1]}, {middle[0] + x} {middle[1] + y})" for x, y in ways]
    fill(store, city, "segments", [{**street, "geom": line} for line in lines])
    near, far = f"POINT({middle[0] + 0.001} {middle[1]})", f"POINT({middle[0] + 0.008} {middle[1]})"
    fill(store, city, "posts", [{"kind": "police_post", "positions_count": 3, "geom": far}])
    fill(store, city, "key_units", [{"kind": "school", "geom": place} for place in (near, far)])
    return served


def test_the_description_says_that_a_place_is_needed_and_how(streets):
    inputs = streets.json("/processes/event_impact?lang=en")["inputs"]
    assert inputs["place"]["schema"]["format"] == "geojson-geometry"
    assert inputs["place"].get("minOccurs", 1) == 1
    assert "default" not in inputs["place"]["schema"]
    assert streets.get("/processes/event_impact?f=html&lang=en").status_code == 200


def test_a_place_goes_from_the_question_to_the_map(streets, store, city):
    answer = streets.post("/processes/event_impact/execution", json={"inputs": {"place": PLACE}})
    assert answer.status_code == 201, answer.text
    run = execute(store, city, "event_impact", {"place": PLACE})
    streets.forget()
    told = streets.json(f"/runs/{run}")
    assert told["summary"]["closures_count"] == 4
    assert [row["kind"] for row in told["summary"]["nearest_posts"]] == ["police_post"]
    items = streets.json(f"/collections/event_impact/items?run_id={run}&limit=100")["features"]
    assert sorted(item["properties"]["role"] for item in items) == ["closure"] * 4 + ["key_unit", "post"]


def test_every_fault_of_a_place_is_a_422_and_nothing_is_queued(streets):
    bow = [[300, 31.3], [120.7, 31.4], [120.7, 31.3], [300, 31.4], [300, 31.3]]
    wrong = {"place": {"type": "Polygon", "coordinates": [bow]}, "around_m": -5}
    answer = streets.post("/processes/event_impact/execution", json={"inputs": wrong})
    assert answer.status_code == 422
    found = [(p["code"], p["field"]) for p in answer.json()["problems"]]
    assert sorted(found) == [
        ("greater_than_equal", "around_m"),
        ("invalid_geometry", "place"),
        ("outside_world", "place"),
    ]
    assert streets.post("/processes/event_impact/execution", json={"inputs": {}}).status_code == 422
    assert streets.json("/jobs")["jobs"] == []


def test_the_command_takes_a_place_as_it_is_written(streets, wangge, tmp_path):
    assert streets
    place = f'{{"type": "Point", "coordinates": [{WEST + 0.01}, {SOUTH + 0.01}]}}'
    out = tmp_path / "event.gpkg"
    wangge("run", "event_impact", "--param", f"place={place}", "--param", "around_m=150", "--out", out)
    assert out.stat().st_size > 0
