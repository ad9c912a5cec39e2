"""Every kind of answer is of the shape that its standard asks for, of an empty city and of a full one."""

import copy
import re

import pytest

from gis.contract.service import services
from gis.store import jobs
from gis.store.tables import FRAME_TABLES
from layers.engine.catalog import catalog
from tests.api.test_processes import finished, worker
from tests.support import ogc_shapes as shapes

FIXED = {
    "/": shapes.LANDING,
    "/conformance": shapes.CONFORMANCE,
    "/collections": shapes.COLLECTIONS,
    "/tileMatrixSets": shapes.TILE_MATRIX_SETS,
    "/tileMatrixSets/WebMercatorQuad": shapes.TILE_MATRIX_SET,
    "/styles": shapes.STYLES,
    "/styles/map/metadata": shapes.STYLE_METADATA,
    "/styles/grids/metadata": shapes.STYLE_METADATA,
    "/processes": shapes.PROCESSES,
    "/jobs": shapes.JOBS,
}
OF_A_COLLECTION = {
    "": shapes.COLLECTION,
    "/queryables": shapes.QUERYABLES,
    "/schema": shapes.QUERYABLES,
    "/items": shapes.FEATURES,
    "/items?limit=2&bbox=120.6,31.28,120.61,31.29": shapes.FEATURES,
    "/items?limit=2&crs=http://www.opengis.net/def/crs/EPSG/0/3857": shapes.FEATURES,
    "/tiles": shapes.TILESETS,
    "/tiles/WebMercatorQuad": shapes.TILESET,
}
REFUSED = ("/collections/none", "/collections/grids/items?limit=0", "/jobs/0", "/processes/none", "/tileMatrixSets/x")


@pytest.mark.parametrize("path", FIXED)
def test_an_answer_is_as_its_standard_has_it(shared, path):
    assert shapes.faults(shared.json(path), FIXED[path]) == []


@pytest.mark.parametrize("what", OF_A_COLLECTION)
def test_what_belongs_to_a_collection_is_as_its_standard_has_it(shared, what):
    for id_ in catalog():
        found = shared.json(f"/collections/{id_}{what}")
        assert shapes.faults(found, OF_A_COLLECTION[what]) == [], id_


@pytest.mark.parametrize("id_", services())
def test_a_process_is_described_as_its_standard_has_it(shared, id_):
    document = shared.json(f"/processes/{id_}")
    assert shapes.faults(document, shapes.PROCESS) == []
    schemas = [entry["schema"] for side in ("inputs", "outputs") for entry in document[side].values()]
    assert [fault for schema in schemas for fault in shapes.openapi_faults(schema)] == []


def test_features_say_what_they_can_be_filtered_by(shared):
    for id_ in catalog():
        said = shared.get(f"/collections/{id_}/items?limit=1").headers["link"]
        place, *told = said.split("; ")
        assert told == [f'rel="{shapes.REL}queryables"', 'type="application/schema+json"']
        assert shared.json(place.strip("<>"))["$id"] == place.strip("<>")


def test_one_feature_is_as_the_standard_has_it(shared):
    for id_ in ("grids", "incidents"):
        key = shared.json(f"/collections/{id_}/items?limit=1")["features"][0]["id"]
        assert shapes.faults(shared.json(f"/collections/{id_}/items/{key}"), shapes.FEATURE) == []


@pytest.mark.parametrize("path", REFUSED)
def test_a_refusal_is_as_the_standard_has_it(shared, path):
    answer = shared.get(path)
    assert answer.status_code in (400, 404)
    assert shapes.faults(answer.json(), shapes.PROBLEM) == []


def test_a_job_is_as_the_standard_has_it_in_every_state(served, store, city):
    waiting = served.post("/processes/hotspots/execution", json={}, headers={"prefer": "respond-async"}).json()
    assert shapes.faults(waiting, shapes.STATUS) == []
    gone = served("DELETE", f"/jobs/{waiting['jobID']}").json()
    assert gone["status"] == "dismissed"
    assert shapes.faults(gone, shapes.STATUS) == []
    with worker(store):
        done = finished(served, jobs.submit(store, city, "hotspots", {}).id)
    assert done["status"] == "successful"
    assert shapes.faults(done, shapes.STATUS) == []
    assert shapes.faults(served.json("/jobs"), shapes.JOBS) == []
    assert shapes.faults(served.json(f"/jobs/{done['jobID']}/results"), shapes.RESULTS) == []
    served.forget()
    assert shapes.faults(served.json("/collections/hotspots"), shapes.COLLECTION) == []
    assert served.json("/collections/hotspots/items")["numberReturned"] > 0
    assert shapes.faults(served.json("/collections/hotspots/items"), shapes.FEATURES) == []


def test_the_results_of_a_job_that_failed_say_why_it_did(served, store, city):
    with store.transaction(city.scope) as connection:
        connection.execute(FRAME_TABLES["incidents"].delete())
    with worker(store):
        job = finished(served, jobs.submit(store, city, "hotspots", {}).id)
    assert job["status"] == "failed"
    assert shapes.faults(job, shapes.STATUS) == []
    answer = served.get(f"/jobs/{job['jobID']}/results")
    assert answer.status_code == 422
    assert shapes.faults(answer.json(), shapes.PROBLEM) == []
    assert answer.json()["detail"] == job["problem"]["detail"]
    page = served.get(f"/jobs/{job['jobID']}/results?f=html")
    assert page.status_code == 422
    assert job["problem"]["detail"] in page.text


def test_every_schema_of_the_interface_is_in_the_words_of_openapi_30(shared):
    document = shared.json("/api", headers={"Accept": "application/json"})
    schemas = [
        content["schema"]
        for methods in document["paths"].values()
        for operation in methods.values()
        for content in (
            *operation.get("requestBody", {}).get("content", {}).values(),
            *(c for answer in operation["responses"].values() for c in answer.get("content", {}).values()),
        )
        if "schema" in content
    ]
    assert len(schemas) > 200
    unique = {repr(schema): schema for schema in schemas}
    assert [fault for schema in unique.values() for fault in shapes.openapi_faults(schema)] == []


@pytest.mark.parametrize(
    ("path", "break_it"),
    [
        ("/collections/grids", lambda d: d.pop("links")),
        ("/collections/grids", lambda d: d["extent"]["spatial"].update(bbox=[[1, 2, 3]])),
        ("/collections/incidents/items", lambda d: d["features"][0].pop("geometry")),
        ("/collections/incidents/items", lambda d: d["features"][0]["geometry"].update(coordinates=[1])),
        ("/collections/incidents/items", lambda d: d.update(timeStamp="yesterday")),
        ("/collections/grids/tiles/WebMercatorQuad", lambda d: d.pop("dataType")),
        ("/collections/grids", lambda d: d["extent"]["spatial"].update(crs="http://www.opengis.net/def/crs/EPSG/0/1")),
        (
            "/collections/grids/items",
            lambda d: d["features"][0]["geometry"].update(coordinates=[[[1, 2], [3, 4], [1, 2]]]),
        ),
        ("/collections/grids/queryables", lambda d: d.update({"$id": d["$id"] + "?lang=en"})),
        ("/collections/grids/tiles/WebMercatorQuad", lambda d: d["links"].pop(0)),
        ("/tileMatrixSets", lambda d: d["tileMatrixSets"][0]["links"][0].update(rel="item")),
        ("/styles/grids/metadata", lambda d: d.pop("links")),
        ("/processes/hotspots", lambda d: d.update(jobControlOptions=["at-once"])),
        ("/processes/hotspots", lambda d: d["inputs"]["alpha"]["schema"].update(unit="m")),
        ("/processes/hotspots", lambda d: d["inputs"]["alpha"]["schema"].update(exclusiveMinimum=0)),
        ("/processes/hotspots", lambda d: d["inputs"]["alpha"]["schema"].update(anyOf=[{"type": "null"}])),
    ],
)
def test_the_shapes_see_what_is_wrong(shared, path, break_it):
    shape = (
        shapes.PROCESS
        if path == "/processes/hotspots"
        else FIXED[path]
        if path in FIXED
        else OF_A_COLLECTION[re.sub("^/collections/[a-z]+", "", path)]
    )
    document = copy.deepcopy(shared.json(path))
    assert shapes.faults(document, shape) == []
    break_it(document)
    assert shapes.faults(document, shape) != []
