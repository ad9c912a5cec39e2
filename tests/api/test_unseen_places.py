"""Places that a role sees in no layer, it sees in no result, by whatever door it asks, and cannot ask for them."""

import io
import threading
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pytest
import shapely

from api.catalogue import layers_seen, services_seen, unseen_by
from gis.contract.roles import ROLES
from gis.contract.service import services
from gis.runs import execute
from gis.store import jobs
from gis.store.jobs.worker import attempt
from tests.api.conftest import SOUTH, WEST
from tests.api.test_tiles import place
from tests.support.mvt import decode
from tests.support.rows import fill

MIDDLE = (WEST + 0.01, SOUTH + 0.01)
HOUSES = [(MIDDLE[0] + 0.0007 * i, MIDDLE[1] + 0.0003) for i in range(1, 5)]
HERE = {"place": {"type": "Point", "coordinates": list(MIDDLE)}, "around_m": 600}
SEES, SEES_NOT = ("analyst", "supervisor"), ("officer", "planner")
"""Who sees rentals, and who sees results, but no rentals."""


@pytest.fixture
def town(blocks, served, store, city):
    """The server of a city with a street, a post, a key unit and four rentals."""
    assert len(blocks) == 5
    street = {"road_class": "local", "oneway": False, "level": 0, "access": "open"}
    line = f"LINESTRING({WEST} {MIDDLE[1]}, {WEST + 0.02} {MIDDLE[1]})"
    fill(store, city, "segments", [{**street, "geom": line}])
    point = f"POINT({MIDDLE[0]} {MIDDLE[1]})"
    fill(store, city, "posts", [{"kind": "police_post", "positions_count": 3, "geom": point}])
    fill(store, city, "key_units", [{"kind": "school", "geom": f"POINT({MIDDLE[0] + 0.001} {MIDDLE[1]})"}])
    houses = [
        {
            "source_id": f"r{i}",
            "kind": "flat",
            "address": f"{i} Garden Lane",
            "beds_count": 2,
            "geom": f"POINT({x} {y})",
        }
        for i, (x, y) in enumerate(HOUSES)
    ]
    fill(store, city, "rentals", houses)
    served.forget()
    return served


def asked(town, store, role, service, **inputs):
    """Ask for a run in a role, let it be computed, and return job and run."""
    answer = town.post(
        f"/processes/{service}/execution", json={"inputs": inputs}, role=role, headers={"Prefer": "respond-async"}
    )
    assert answer.status_code == 201, answer.text
    number = int(answer.json()["jobID"])
    attempt(store, execute, number, threading.Event())
    town.forget()
    job = town.json(f"/jobs/{number}", role=role)
    assert job["status"] == "successful", job
    return SimpleNamespace(job=number, run=job["run_id"])


def features(town, role, layer, run=None):
    """Return the features that a role sees of a layer."""
    more = "" if run is None else f"&run_id={run}"
    return town.json(f"/collections/{layer}/items?limit=100{more}", role=role)["features"]


def tile_of(town, role, layer, run):
    """Return what a tile in the middle of the city tells a role of a layer."""
    z = 14
    y, x = place(*HOUSES[0], z)
    answer = town.get(f"/collections/{layer}/tiles/WebMercatorQuad/{z}/{y}/{x}?run_id={run}", role=role)
    return decode(answer.content).get(layer, []) if answer.status_code == 200 else []


@pytest.mark.parametrize("layer", ["coverage_places", "coverage_gaps"])
def test_no_door_shows_a_run_of_places_that_are_not_seen(town, store, layer):
    public = asked(town, store, "planner", "coverage_gaps", demand="households")
    secret = asked(town, store, "analyst", "coverage_gaps", demand="rentals")
    base, run = f"/collections/{layer}", secret.run
    doors = (f"/runs/{run}", f"/jobs/{secret.job}", f"/jobs/{secret.job}/results", f"/maps/{layer}.html?run_id={run}")
    # Who sees them asks first, so that whatever is kept is kept.
    for role in SEES:
        assert len(features(town, role, layer, run)) == len(HOUSES)
        # Of rows that are points, the layer of areas draws none.
        assert len(tile_of(town, role, layer, run)) == (len(HOUSES) if layer == "coverage_places" else 0)
        for door in doors:
            assert town.get(door, role=role).status_code == 200, door
        assert len(features(town, role, layer)) == len(HOUSES), "it is the latest"
        assert run in [entry["id"] for entry in town.json("/runs", role=role)["runs"]]
        assert str(secret.job) in [entry["jobID"] for entry in town.json("/jobs", role=role)["jobs"]]
    one = features(town, "analyst", layer, run)[0]["id"]
    for role in SEES_NOT:
        assert features(town, role, layer, run) == []
        assert town.get(f"{base}/items/{one}?run_id={run}", role=role).status_code == 404
        assert len(tile_of(town, role, layer, run)) == 0
        for door in doors:
            assert town.get(door, role=role).status_code == 404, door
        for ending in ("geojson", "csv", "gpkg"):
            answer = town.get(f"{base}/export.{ending}?run_id={run}", role=role)
            assert answer.status_code in (403, 404), (role, ending, answer.status_code)
        assert run not in [entry["id"] for entry in town.json("/runs", role=role)["runs"]]
        assert str(secret.job) not in [entry["jobID"] for entry in town.json("/jobs", role=role)["jobs"]]
        assert town("DELETE", f"/jobs/{secret.job}", role=role).status_code in (403, 404)
    # What is the latest of all is not the latest for them; the one before it is.
    assert len(features(town, "planner", layer)) == 5
    assert town.get(f"/maps/{layer}.html", role="planner").status_code == 200
    box = town.json(base, role="planner")["extent"]["spatial"]["bbox"][0]
    assert box != town.json(base, role="analyst")["extent"]["spatial"]["bbox"][0]
    assert public.run in [entry["id"] for entry in town.json("/runs", role="planner")["runs"]]
    assert features(town, "officer", layer) != features(town, "analyst", layer)


@pytest.mark.parametrize(
    ("role", "service", "inputs", "field"),
    [
        ("officer", "coverage_gaps", {"demand": "rentals"}, "demand"),
        ("planner", "coverage_gaps", {"demand": "rentals"}, "demand"),
        ("planner", "coverage_gaps", {"demand": "incidents"}, "demand"),
        ("officer", "post_siting", {"demand": "rentals"}, "demand"),
        ("planner", "eighty_twenty", {"unit": "addresses"}, "unit"),
    ],
)
def test_who_does_not_see_places_cannot_ask_for_them(town, role, service, inputs, field):
    before = len(town.json("/jobs", role="analyst")["jobs"])
    answer = town.post(f"/processes/{service}/execution", json={"inputs": inputs}, role=role)
    assert answer.status_code == 422
    (problem,) = answer.json()["problems"]
    assert (problem["code"], problem["field"]) == ("place_not_seen", field)
    assert "看不到" in problem["zh"]
    assert "does not see" in problem["message"]
    assert set(answer.json()["message"]) == {"zh", "en"}
    assert len(town.json("/jobs", role="analyst")["jobs"]) == before
    seen = town.post(
        f"/processes/{service}/execution", json={"inputs": inputs}, role="analyst", headers={"Prefer": "respond-async"}
    )
    assert seen.status_code == 201


def test_an_event_is_computed_as_if_there_were_none_of_them(town, store):
    whole = asked(town, store, "analyst", "event_impact", **HERE)
    roles = [feature["properties"]["role"] for feature in features(town, "analyst", "event_impact", whole.run)]
    assert roles.count("rental") == len(HOUSES)
    for role in SEES_NOT:
        assert features(town, role, "event_impact", whole.run) == []
        assert town.get(f"/runs/{whole.run}", role=role).status_code == 404
        assert features(town, role, "event_impact") == []
        mine = asked(town, store, role, "event_impact", **HERE)
        assert mine.run != whole.run
        found = {feature["properties"]["role"] for feature in features(town, role, "event_impact")}
        assert found >= {"post", "key_unit"}
        assert "rental" not in found
        told = town.json(f"/runs/{mine.run}", role=role)
        assert not {"beds_count", "rentals_by_kind"} & set(told["summary"])
        assert "rentals" not in [record["frame"] for record in told["provenance"]["inputs"]]
    # Who sees all is not shown less as the latest.
    for role in SEES:
        assert len(features(town, role, "event_impact")) == len(roles)


def test_the_same_question_is_the_same_job_where_no_place_is_told(town, store):
    first, second = (asked(town, store, role, "coverage_gaps", demand="households") for role in ("analyst", "planner"))
    assert first.job == second.job


def test_nobody_is_told_the_address_of_a_rental_as_its_name(town, store):
    runs = {
        "coverage_places": asked(town, store, "analyst", "coverage_gaps", demand="rentals"),
        "event_impact": asked(town, store, "analyst", "event_impact", **HERE),
    }
    for layer, made in runs.items():
        assert "Garden Lane" not in str(features(town, "analyst", layer, made.run))
        assert "Garden Lane" not in town.get(f"/runs/{made.run}", role="analyst").text
        assert "Garden Lane" not in town.get(f"/maps/{layer}.html?run_id={made.run}", role="analyst").text


def test_of_an_event_the_rentals_alone_leave_moved(town, store):
    made = asked(town, store, "analyst", "event_impact", **HERE)
    path = f"/collections/event_impact/export.geojson?run_id={made.run}"
    answer = town.get(path, role="analyst")
    assert "-masked.geojson" in answer.headers["content-disposition"]
    assert f"moved={len(HOUSES)};" in answer.headers["wangge-mask"]
    file = gpd.read_file(io.BytesIO(answer.content))
    true = gpd.GeoDataFrame.from_features(features(town, "analyst", "event_impact", made.run), crs="EPSG:4326")
    for role, moved in (("rental", True), ("post", False), ("key_unit", False), ("block", False)):
        here, there = (shapely.get_coordinates(of.geometry[of.role == role]) for of in (file, true))
        away = np.abs(here[:, None] - there[None]).max(axis=2).min(axis=1)
        assert len(here) == len(there) > 0, role
        assert away.min() > 1e-4 if moved else away.max() < 2e-6, role
    assert town.get(f"{path}&mask=none", role="analyst").status_code == 403
    # A box is compared with where they are moved to.
    west, south, east, north = file.geometry[file.role == "rental"].iloc[0].buffer(1e-6).bounds
    box = gpd.read_file(io.BytesIO(town.get(f"{path}&bbox={west},{south},{east},{north}", role="analyst").content))
    assert box.role.tolist() == ["rental"]


def test_a_run_asked_for_in_no_role_tells_what_it_tells_of(town, store, city):
    assert town
    run = execute(store, city, "coverage_gaps", {"demand": "rentals"})
    job = jobs.submit(store, city, "coverage_gaps", {"demand": "rentals"})
    assert town.get(f"/runs/{run}", role="planner").status_code == 404
    assert town.get(f"/jobs/{job.id}", role="planner").status_code == 404
    assert town.get(f"/jobs/{job.id}", role="admin").status_code == 200
    assert town.get(f"/runs/{run}", role="admin").status_code in (403, 404)
    assert town.get(f"/runs/{run}", role="supervisor").status_code == 200


def test_who_sees_which_places():
    assert {role: unseen_by(role) for role in ("officer", *SEES)} == {
        "officer": ("rentals",),
        "analyst": (),
        "supervisor": (),
    }
    assert unseen_by("planner") == ("incidents", "rentals")
    # They see no result that tells of any; an administrator sees how every job goes.
    assert unseen_by("public") == unseen_by("admin") == ()
    for role in ROLES:
        told = {tells.frame for service in services_seen(role).values() for tells in service.tells}
        drawn = {of.source.frame for of in layers_seen(role).values() if of.service is None}
        assert set(unseen_by(role)) == told - drawn
    # What a service says it tells of is a frame that it reads, by parameters that it has.
    for service in services().values():
        names = {wanted.frame.id for wanted in service.inputs}
        for tells in service.tells:
            assert tells.frame in names
            assert tells.when is None or tells.when[0] in service.params.model_fields
            assert tells.rows is None or tells.rows[0] in service.output.names
