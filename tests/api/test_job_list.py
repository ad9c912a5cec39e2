"""``/jobs`` lists those that were asked for: by process, state, time and length."""

import datetime as dt

import pytest

from gis.store import jobs
from gis.store.tables import JOBS


@pytest.fixture
def three(filled, store, city):
    """Numbers of a job that waits again, one that ran for 10 s long ago, and one that runs for 100 s by now."""
    assert filled == city
    begun = dt.datetime(2001, 2, 3, 4, 5, 6, 789_123, tzinfo=dt.UTC)
    now = dt.datetime.now(dt.UTC)
    told = (
        ("hotspots", {"started_at": now - dt.timedelta(seconds=70)}),
        (
            "near_repeat",
            {
                "created_at": begun,
                "started_at": begun,
                "finished_at": begun + dt.timedelta(seconds=10),
                "state": "failed",
            },
        ),
        ("incident_density", {"started_at": now - dt.timedelta(seconds=100), "state": "running"}),
    )
    ids = [jobs.submit(store, city, service, {}).id for service, _ in told]
    with store.transaction(city.scope) as connection:
        for id_, (_, values) in zip(ids, told, strict=True):
            connection.execute(JOBS.update().where(JOBS.c.id == id_).values(values))
    return ids


def test_jobs_are_listed_as_asked(served, three):
    waits, ran, runs = three
    wanted = {
        "": [runs, ran, waits],
        "processID=near_repeat": [ran],
        "processID=near_repeat&processID=hotspots": [ran, waits],
        "processID=near_repeat,hotspots&limit=1": [ran],
        "processID=none": [],
        "status=running": [runs],
        "status=failed,running": [runs, ran],
        "status=failed&status=accepted": [ran, waits],
        "status=dismissed": [],
        "type=process": [runs, ran, waits],
        "type=wps": [],
        "type=wps&type=process": [runs, ran, waits],
        "datetime=2001-02-03T04:05:06.789Z": [ran],
        "datetime=../2001-02-03T04:05:06.789Z": [ran],
        "datetime=2001-02-03T04:05:06.788Z/2001-02-03T12:05:06.789%2B08:00": [ran],
        "datetime=2001-02-03T04:05:06.790Z/..": [runs, waits],
        "minDuration=0": [runs, ran],
        "minDuration=5&maxDuration=15": [ran],
        "minDuration=50": [runs],
        "maxDuration=50": [ran],
        "minDuration=5&status=accepted": [],
        "minDuration=60&maxDuration=50": [],
    }
    found = {query: [int(job["jobID"]) for job in served.json(f"/jobs?{query}")["jobs"]] for query in wanted}
    assert found == wanted


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("status=late", "status"),
        ("status=", "status"),
        ("status=failed,late", "status"),
        ("minDuration=-1", "minDuration"),
        ("maxDuration=1.5", "maxDuration"),
        ("minDuration=1&minDuration=2", "minDuration"),
        ("datetime=yesterday", "datetime"),
        ("state=failed", "state"),
    ],
)
def test_what_cannot_be_asked_is_named(shared, query, name):
    answer = shared.get(f"/jobs?{query}")
    assert answer.status_code == 400
    assert [problem["field"] for problem in answer.json()["problems"]] == [name]
