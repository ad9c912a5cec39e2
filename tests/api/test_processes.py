"""Processes and jobs: from the description to the features of a result, through a real worker."""

import threading
import time
from contextlib import contextmanager

import jsonschema
import pytest
from openapi_schema_validator import OAS30Validator

from api.routes.processes import inputs_of
from gis.contract.service import services
from gis.errors import InvalidInput
from gis.runs import work
from gis.store.engine import Store
from gis.store.tables import FRAME_TABLES
from tests.api.test_tiles import place
from tests.support.mvt import decode

PATIENCE_S = 90


@contextmanager
def worker(store):
    """Run a worker beside the test, on connections of its own."""
    stop = threading.Event()
    own = Store(store.url)
    thread = threading.Thread(target=work, args=(own,), kwargs={"stop": stop})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(PATIENCE_S)
        own.close()
    assert not thread.is_alive()


def finished(client, number):
    """Return the job once nothing more happens to it."""
    deadline = time.monotonic() + PATIENCE_S
    while (job := client.json(f"/jobs/{number}"))["status"] in ("accepted", "running"):
        assert time.monotonic() < deadline, job
        time.sleep(0.1)
    return job


def ask(client, service="hotspots", **inputs):
    answer = client.post(f"/processes/{service}/execution", json={"inputs": inputs})
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"/jobs/{answer.json()['jobID']}"
    return answer.json()


def test_a_run_goes_from_the_question_to_the_map(served, store):
    job = ask(served)
    assert job["status"] == "accepted"
    assert job["processID"] == "hotspots"
    early = served.get(f"/jobs/{job['jobID']}/results")
    assert early.status_code == 404
    assert early.json()["type"].endswith("/result-not-ready")
    with worker(store):
        done = finished(served, job["jobID"])
    assert done["status"] == "successful", done
    assert done["progress"] == 100
    assert done["created"] <= done["started"] <= done["finished"]
    results = served.json(f"/jobs/{job['jobID']}/results")
    assert set(results) == {"features", "summary", "provenance"}
    assert results["provenance"]["value"]["service"] == "hotspots"
    assert results["provenance"]["value"]["n"] > 0
    served.forget()
    assert served.json(results["features"]["href"])["numberMatched"] > 0
    items = served.json("/collections/hotspots/items?limit=1000")
    assert items["numberMatched"] > 0
    assert (
        served.json(f"/collections/hotspots/items?limit=1000&run_id={done['run_id']}")["features"] == items["features"]
    )
    assert served.json(f"/collections/hotspots/items?run_id={done['run_id'] + 1}")["features"] == []
    tile = served.get(f"/collections/hotspots/tiles/WebMercatorQuad/8/104/213?run_id={done['run_id']}")
    assert tile.status_code in (200, 204)
    z = 12
    row, column = place(120.605, 31.285, z)
    tile = served.get(f"/collections/hotspots/tiles/WebMercatorQuad/{z}/{row}/{column}")
    assert len(decode(tile.content)["hotspots"]) > 0
    assert served.get("/maps/hotspots.html").status_code == 200
    assert served.get(f"/maps/hotspots.html?run_id={done['run_id'] + 1}").status_code == 404
    runs = served.json("/runs?service=hotspots")["runs"]
    assert [run["id"] for run in runs] == [done["run_id"]]
    assert served.json(f"/runs/{done['run_id']}")["summary"] == results["summary"]["value"]
    assert "f=html" in served.get(f"/jobs/{job['jobID']}?f=html").text
    assert served.get(f"/jobs/{job['jobID']}/results?f=html&lang=en").status_code == 200


def test_the_same_question_is_the_same_job(served):
    first, again = ask(served), ask(served)
    bare = served.post("/processes/hotspots/execution", json={}).json()
    assert first["jobID"] == again["jobID"] == bare["jobID"]
    assert ask(served, alpha=0.01)["jobID"] != first["jobID"]
    assert len(served.json("/jobs")["jobs"]) == 2
    assert len(served.json("/jobs?limit=1")["jobs"]) == 1


def test_a_job_can_be_dismissed_and_asked_again(served):
    job = ask(served)
    dismissed = served("DELETE", f"/jobs/{job['jobID']}")
    assert dismissed.status_code == 200
    assert dismissed.json()["status"] == "dismissed"
    assert served.json(f"/jobs/{job['jobID']}")["status"] == "dismissed"
    assert served.get(f"/jobs/{job['jobID']}/results").status_code == 404
    assert ask(served)["jobID"] != job["jobID"]


def test_a_job_is_answered_where_it_is_preferred_and_where_nobody_could_run_it(served):
    answer = served.post("/processes/hotspots/execution", json={}, headers={"prefer": "respond-async"})
    assert answer.headers["preference-applied"] == "respond-async"
    process = served.json("/processes/hotspots")
    assert process["jobControlOptions"] == ["sync-execute", "async-execute", "dismiss"]
    assert process["outputTransmission"] == ["value", "reference"]
    # No worker is there: nobody waits.
    assert served.post("/processes/hotspots/execution", json={}).json()["status"] == "accepted"


def answered(client, body):
    """Return the answer to a request that waits, however often it takes."""
    deadline = time.monotonic() + PATIENCE_S
    while (answer := client.post("/processes/hotspots/execution", json=body)).status_code == 201:
        assert time.monotonic() < deadline
    return answer


def test_a_request_that_waits_gets_what_came_out_as_it_wants_it(served, store):
    with worker(store):
        whole = answered(served, {"inputs": {}})
        run = served.json(whole.headers["location"])["run_id"]
        assert whole.status_code == 200
        assert whole.json() == served.json(f"{whole.headers['location']}/results")
        some = answered(served, {"inputs": {}, "outputs": {"summary": {}}})
        assert some.json() == {"summary": whole.json()["summary"]}
        raw = answered(served, {"inputs": {}, "outputs": {"summary": {}}, "response": "raw"})
        assert raw.json() == whole.json()["summary"]["value"]
        items = served.json(f"/collections/hotspots/items?limit=1000&run_id={run}")
        value = {"features": {"transmissionMode": "value"}}
        held = answered(served, {"inputs": {}, "outputs": value}).json()["features"]
        assert held["mediaType"] == "application/geo+json"
        assert held["value"]["features"] == items["features"]
        bare = answered(served, {"inputs": {}, "outputs": value, "response": "raw"})
        assert bare.headers["content-type"] == "application/geo+json"
        assert bare.json()["features"] == items["features"]
        pointed = answered(served, {"inputs": {}, "outputs": {"features": {}}, "response": "raw"})
        assert pointed.status_code == 204
        assert f"items?run_id={run}>" in pointed.headers["link"]


def test_a_run_that_fails_while_the_request_waits_is_an_error_that_says_why(served, store, city):
    with store.transaction(city.scope) as connection:
        connection.execute(FRAME_TABLES["incidents"].delete())
    with worker(store):
        answer = answered(served, {"inputs": {}})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    job = served.json(answer.headers["location"])
    assert job["status"] == "failed"
    assert answer.json()["detail"] == job["problem"]["detail"]


def test_a_request_may_wait_for_the_end_of_its_job(served, store):
    with worker(store):
        deadline, state = time.monotonic() + PATIENCE_S, "accepted"
        while state != "successful" and time.monotonic() < deadline:
            answer = served.post("/processes/hotspots/execution", json={}, headers={"prefer": "respond-async, wait=99"})
            assert answer.status_code == 201
            state = answer.json()["status"]
    assert answer.headers["preference-applied"] == "respond-async, wait=10"
    assert answer.json()["run_id"] > 0


def test_nobody_waits_longer_than_asked(served):
    answer = served.post("/processes/hotspots/execution", json={}, headers={"prefer": "wait=0"})
    assert answer.json()["status"] == "accepted"
    answer = served.post("/processes/hotspots/execution", json={}, headers={"prefer": "wait=soon, return=minimal"})
    assert "preference-applied" not in answer.headers


@pytest.mark.asvs("2.2.1", "2.2.2")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"inputs": {"alpha": "high"}}, "alpha"),
        ({"inputs": {"alpha": 7}}, "alpha"),
        ({"inputs": {"no_such": 1}}, "no_such"),
        ({"no_such": 1}, "no_such"),
        ({"inputs": {}, "subscriber": {"successUri": "http://127.0.0.1/"}}, "subscriber"),
        ({"inputs": []}, "inputs"),
        ({"inputs": {}, "outputs": {"no_such": {}}}, "outputs.no_such"),
        ({"inputs": {}, "outputs": {"summary": {"transmissionMode": "reference"}}}, "outputs.summary"),
        ({"inputs": {}, "outputs": {"features": {"transmissionMode": "pigeon"}}}, "outputs.features"),
        ({"inputs": {}, "outputs": 3}, "outputs"),
        ({"inputs": {}, "response": "song"}, "response"),
        ({"inputs": {}, "response": "raw"}, "response"),
    ],
)
def test_wrong_inputs_are_a_422_that_names_them(served, body, field):
    answer = served.post("/processes/hotspots/execution", json=body)
    assert answer.status_code == 422
    assert field in {p["field"] for p in answer.json()["problems"]}
    assert served.json("/jobs")["jobs"] == []


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b"{", b"null", b"[1]", b'{"alpha": NaN}', b'{"alpha": 1e999}', b"\xff"]
)
def test_a_body_that_is_no_json_object_is_a_422(served, body):
    assert served.post("/processes/hotspots/execution", content=body).status_code == 422


def test_what_is_not_there_has_the_type_of_the_standard(served):
    answer = served.get("/processes/fortune")
    assert answer.status_code == 404
    assert answer.json()["type"].endswith("/no-such-process")
    assert served.post("/processes/fortune/execution", json={}).json()["type"].endswith("/no-such-process")
    for number in ("999", "0", "-1", "a", "9223372036854775808"):
        answer = served.get(f"/jobs/{number}")
        assert answer.status_code == 404
        assert answer.json()["type"].endswith("/no-such-job")
        assert served("DELETE", f"/jobs/{number}").status_code == 404
    assert served.get("/runs?service=fortune").status_code == 400
    assert served.get("/runs/999").status_code == 404


def test_processes_are_the_services_and_their_inputs_the_parameters(served):
    listed = served.json("/processes?lang=en")["processes"]
    assert [p["id"] for p in listed] == list(services())
    for service in services().values():
        described = served.json(f"/processes/{service.id}?lang=en")
        assert described["title"] == service.title.en
        assert set(described["inputs"]) == set(service.params.model_fields)
        for name, entry in described["inputs"].items():
            OAS30Validator.check_schema(entry["schema"])
            assert entry["description"], name
        if not any(field.is_required() for field in service.params.model_fields.values()):
            defaults = service.params().model_dump(mode="json")
            jsonschema.validate(defaults, described["wangge:schema"])


@pytest.mark.parametrize(
    ("body", "inputs"),
    [
        (b"", {}),
        (b"{}", {}),
        (b'{"alpha": 0.1}', {"alpha": 0.1}),
        (b'{"inputs": {"alpha": 0.1}, "response": "document", "outputs": {}, "mode": "async"}', {"alpha": 0.1}),
    ],
)
def test_inputs_come_bare_or_wrapped(body, inputs):
    assert inputs_of(body) == inputs


def test_a_member_that_would_be_ignored_is_refused():
    with pytest.raises(InvalidInput):
        inputs_of(b'{"inputs": {}, "alpha": 0.1}')
