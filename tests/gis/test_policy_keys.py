"""A policy that was edited: another question, another answer, and the answer says by which policy."""

import re
import threading

import pytest

from gis.city import policy_rows, travel_policy
from gis.contract.service import services
from gis.runs import execute
from gis.store import jobs, results
from gis.store.jobs.worker import attempt
from tests.support.rows import fill

POST, HOUSE = (120.6, 31.3), (120.64, 31.3)


@pytest.fixture
def town(store, city):
    """A street of 3.8 km with a post at one end and a house at the other."""
    jobs.ensure_queue(store)
    street = {"road_class": "local", "oneway": False, "level": 0, "access": "open"}
    fill(store, city, "segments", [{**street, "geom": f"LINESTRING({POST[0]} 31.3, {HOUSE[0]} 31.3)"}])
    fill(store, city, "posts", [{"kind": "police_post", "positions_count": 1, "geom": f"POINT({POST[0]} 31.3)"}])
    fill(store, city, "key_units", [{"kind": "school", "geom": f"POINT({HOUSE[0]} 31.3)"}])
    return city


@pytest.fixture
def policy(tmp_path, monkeypatch):
    """Tables of this test's own; returns what doubles the speed of driving on local streets."""
    for table in policy_rows.FOLDER.glob("*.toml"):
        (tmp_path / table.name).write_bytes(table.read_bytes())
    file = tmp_path / "travel.toml"
    monkeypatch.setattr(policy_rows.policy_digests, "__defaults__", (tmp_path,))
    monkeypatch.setattr(travel_policy.travel_policy, "__defaults__", (None, file))

    def double():
        text = file.read_text(encoding="utf-8")
        speed = re.search(r"\blocal = (\d+)", text)
        assert speed is not None
        start, end = speed.span(1)
        file.write_text(f"{text[:start]}{2 * int(speed[1])}{text[end:]}", encoding="utf-8")

    return double


def asked(store, city, service, **params):
    job = jobs.submit(store, city, service, params)
    attempt(store, execute, job.id, threading.Event())
    done = jobs.get(store, city, job.id)
    assert done.state == "successful", done.problem
    return job.id, results.read(store, city, done.run_id)


def test_the_same_question_under_an_edited_policy_is_another_one(store, town, policy):
    number, before = asked(store, town, "coverage_gaps", demand="key_units")
    same, _ = asked(store, town, "coverage_gaps", demand="key_units")
    assert same == number
    policy()
    other, after = asked(store, town, "coverage_gaps", demand="key_units")
    assert other != number
    (slow,), (fast,) = before.features["minutes"], after.features["minutes"]
    assert fast == pytest.approx(slow / 2, rel=0.01)
    told = [result.provenance.choices["travel_policy"] for result in (before, after)]
    assert told[0] != told[1]
    assert told[1] == policy_rows.policy_digests(["travel"])["travel"]


def test_what_does_not_travel_is_the_same_question_still(store, town, policy):
    first = jobs.submit(store, town, "temporal_profile", {})
    policy()
    assert jobs.submit(store, town, "temporal_profile", {}).id == first.id


def test_every_service_with_travel_times_says_so():
    travels = {id_ for id_, one in services().items() if "travel_mode" in one.params.model_fields}
    assert travels == {id_ for id_, one in services().items() if "travel" in one.policies}
    assert len(travels) > 4
