"""Editing feature by feature (OGC API Features 4): what is taken, what is refused, who may, and that nothing is lost."""

import datetime as dt

import pytest
import sqlalchemy as sa

from api.catalogue import layers_seen
from gis.store.tables import FRAME_TABLES
from gis.contract.roles import ROLES
from layers.engine.catalog import catalog
from tests.api.conftest import SOUTH, WEST

POSTS = "/collections/posts/items"
MERGE = {"Content-Type": "application/merge-patch+json"}
GEOJSON = {"Content-Type": "application/geo+json"}
HERE = [WEST + 0.005, SOUTH + 0.005]


def post(**properties):
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": HERE},
        "properties": {"kind": "police_post", "name_zh": "一号岗", "positions_count": 4, **properties},
    }


def add(client, feature=None, role="supervisor", path=POSTS, **headers):
    return client.post(path, json=feature or post(), role=role, headers={**GEOJSON, **headers})


@pytest.fixture
def added(served):
    """The address of a post, and the tag of its state."""
    answer = add(served)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].removeprefix("http://127.0.0.1:8000"), answer.headers["etag"]


def problems(answer, status=422):
    assert answer.status_code == status, answer.text
    return {(p["field"], p["code"]) for p in answer.json()["problems"]}


def test_a_feature_is_added_read_changed_replaced_and_removed(served, added):
    here, tag = added
    got = served.get(here, role="supervisor")
    assert got.headers["etag"] == tag
    feature = got.json()
    assert feature["geometry"]["coordinates"] == pytest.approx(HERE)
    assert feature["properties"] == {
        "name_zh": "一号岗", "name_en": None, "kind": "police_post", "positions_count": 4
    }  # fmt: skip
    changed = served("PATCH", here, json={"properties": {"positions_count": 7}}, role="supervisor", headers=MERGE)
    assert (changed.status_code, changed.content) == (204, b"")
    now = served.get(here, role="supervisor")
    assert now.headers["etag"] == changed.headers["etag"] != tag
    assert now.json()["properties"] == {**feature["properties"], "positions_count": 7}
