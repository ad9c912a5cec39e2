"""Editing feature by feature (OGC API Features 4): what is taken and refused, who may, and that nothing is lost."""

import asyncio
import datetime as dt
import json
import math

import pytest
import sqlalchemy as sa

from api.catalogue import layers_seen
from gis.contract.roles import ROLES
from gis.store import frames
from gis.store.tables import FRAME_TABLES
from layers.engine.catalog import catalog
from tests.api.conftest import HOME, SOUTH, START, WEST, count
from tests.support.rows import fill

POSTS = "/collections/posts/items"
UNITS = "/collections/key_units/items"
INCIDENTS = "/collections/incidents/items"
MERGE = {"Content-Type": "application/merge-patch+json"}
GEOJSON = {"Content-Type": "application/geo+json"}
HERE = [WEST + 0.005, SOUTH + 0.005]
YESTERDAY = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).replace(microsecond=0) - dt.timedelta(days=1)
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def post(geometry=None, **properties):
    return {
        "type": "Feature",
        "geometry": geometry or {"type": "Point", "coordinates": HERE},
        "properties": {"kind": "police_post", "name_zh": "一号岗", "positions_count": 4, **properties},
    }


def add(client, feature=None, role="supervisor", path=POSTS, **headers):
    return client.post(path, json=feature or post(), role=role, headers={**GEOJSON, **headers})


def edit(client, method, path, body=None, *, role="supervisor", tag=None, **headers):
    kind = MERGE if method == "PATCH" else GEOJSON
    condition = {} if tag is None else {"If-Match": tag}
    more = {} if body is None else {"json": body}
    return client(method, path, role=role, headers={**kind, **condition, **headers}, **more)


def place_of(answer):
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].removeprefix(HOME)


def problems(answer, status=422):
    assert answer.status_code == status, answer.text
    return {(p["field"], p["code"]) for p in answer.json()["problems"]}


@pytest.fixture
def added(served):
    """The address of a post, and the tag of its state."""
    answer = add(served)
    return place_of(answer), answer.headers["etag"]


def test_a_feature_is_added_read_changed_replaced_and_removed(served, added):
    here, tag = added
    got = served.get(here, role="supervisor")
    assert got.headers["etag"] == tag
    feature = got.json()
    assert feature["geometry"]["coordinates"] == pytest.approx(HERE)
    assert feature["properties"] == {**post()["properties"], "name_en": None}
    assert served.json(POSTS, role="analyst")["numberMatched"] == 1

    changed = edit(served, "PATCH", here, {"properties": {"positions_count": 7, "name_zh": None}}, tag=tag)
    assert (changed.status_code, changed.content) == (204, b"")
    now = served.get(here, role="supervisor")
    assert now.headers["etag"] == changed.headers["etag"] != tag
    assert now.json()["properties"] == {**feature["properties"], "positions_count": 7, "name_zh": None}
    assert now.json()["geometry"] == feature["geometry"]

    # As a client sends back what it was given, with its identifier and links.
    again = {**now.json(), "properties": {"kind": "guard_post"}}
    replaced = edit(served, "PUT", here, again, tag=now.headers["etag"])
    assert replaced.status_code == 204
    assert served.json(here, role="supervisor")["properties"] == {
        "kind": "guard_post", "name_zh": None, "name_en": None, "positions_count": None
    }  # fmt: skip

    gone = edit(served, "DELETE", here, tag=replaced.headers["etag"])
    assert (gone.status_code, gone.content) == (204, b"")
    assert served.get(here, role="supervisor").status_code == 404
    assert edit(served, "DELETE", here).status_code == 404
    assert served.json(POSTS, role="analyst")["numberMatched"] == 0


def test_a_patch_may_be_flat_as_the_schema_is_and_moves_the_place(served, added):
    here, _ = added
    moved = [HERE[0] + 0.001, HERE[1]]
    body = {"positions_count": 9, "geometry": {"type": "Point", "coordinates": moved}}
    assert edit(served, "PATCH", here, body).status_code == 204
    found = served.json(here, role="supervisor")
    assert found["properties"]["positions_count"] == 9
    assert found["geometry"]["coordinates"] == pytest.approx(moved)
    assert problems(edit(served, "PATCH", here, {"positions_count": 1, "properties": {"positions_count": 2}})) == {
        ("positions_count", "given_twice")
    }
    assert problems(edit(served, "PATCH", here, {"id": 999, "properties": None})) == {
        ("id", "read_only"), ("properties", "not_an_object")
    }  # fmt: skip
    assert problems(edit(served, "PATCH", here, {"geometry": None, "kind": None})) == {
        ("geometry", "missing_geometry"), ("kind", "missing_value")
    }  # fmt: skip


def test_a_change_that_changes_nothing_raises_no_version(served, added, store, filled):
    here, tag = added
    with store.transaction(filled.scope, read_only=True) as connection:
        before = frames.versions(connection, filled.id, ["posts"])
    assert edit(served, "PATCH", here, {"properties": {"positions_count": 4}}).headers["etag"] == tag
    with store.transaction(filled.scope, read_only=True) as connection:
        assert frames.versions(connection, filled.id, ["posts"]) == before == {"posts": 1}


def test_a_state_that_is_gone_is_not_changed(served, added):
    here, tag = added
    newer = edit(served, "PATCH", here, {"properties": {"positions_count": 5}}, tag=tag).headers["etag"]
    for method, body in (("PUT", post()), ("PATCH", {"properties": {"positions_count": 6}}), ("DELETE", None)):
        for stale in (tag, '"0"', '"xyz"', f"W/{newer}", "nonsense", ""):
            answer = edit(served, method, here, body, tag=stale)
            assert answer.status_code == 412, (method, stale, answer.text)
            assert answer.json()["message"]["zh"]
    assert served.json(here, role="supervisor")["properties"]["positions_count"] == 5
    assert edit(served, "PUT", here, post()).status_code == 428
    assert edit(served, "PUT", here, post(), tag=f'"other", {newer}').status_code == 204
    assert edit(served, "PUT", here, post(), tag="*").status_code == 204
    # GIS clients send no condition with these two; a patch touches only what it names.
    assert edit(served, "PATCH", here, {"properties": {"positions_count": 1}}).status_code == 204
    assert edit(served, "DELETE", here).status_code == 204
    for method, body in (("PUT", post()), ("PATCH", {}), ("DELETE", None)):
        for key in ("4711", "0", "-1", str(2**63), "x"):
            assert edit(served, method, f"{POSTS}/{key}", body, tag='"xyz"').status_code == 404, (method, key)


def test_the_tag_is_of_the_state_in_whatever_system_it_was_read(served, added):
    here, tag = added
    other = served.get(f"{here}?crs={EPSG}3857", role="supervisor").headers["etag"]
    assert other != tag
    assert served.get(here, role="supervisor", headers={"If-None-Match": tag}).status_code == 304
    assert served.get(here, role="supervisor", headers={"If-None-Match": other}).status_code == 200
    assert edit(served, "PATCH", here, {"positions_count": 8}, tag=other).status_code == 204
    assert served.get(here, role="supervisor", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.asvs("2.3.4")
def test_of_twenty_edits_of_one_state_one_wins(served, added, store, filled):
    here, tag = added
    headers = {**served._desks.headers("supervisor"), **MERGE, "If-Match": tag}

    async def all_at_once():
        asked = (
            served._http.patch(here, json={"properties": {"positions_count": i}}, headers=headers) for i in range(20)
        )
        return await asyncio.gather(*asked)

    answers = served._runner.run(all_at_once())
    assert sorted(answer.status_code for answer in answers) == [204] + [412] * 19
    winner = next(i for i, answer in enumerate(answers) if answer.status_code == 204)
    assert served.json(here, role="supervisor")["properties"]["positions_count"] == winner
    with store.transaction(filled.scope, read_only=True) as connection:
        assert frames.versions(connection, filled.id, ["posts"]) == {"posts": 2}


def test_everything_that_is_wrong_is_named_at_once_and_nothing_is_kept(served, store, filled):
    wrong = post(
        geometry={"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
        kind="castle",
        name_zh="张三 13812345678",
        positions_count=-3,
        tenant_name="王小明",
        positionscount=4,
    )
    assert problems(add(served, {**wrong, "crs": {"type": "name"}})) == {
        ("crs", "unknown_member"), ("tenant_name", "personal_field"), ("positionscount", "unknown_property")
    }  # fmt: skip
    del wrong["properties"]["tenant_name"], wrong["properties"]["positionscount"]
    answer = add(served, wrong)
    assert problems(answer) == {
        ("geometry", "wrong_geometry_type"),
        ("kind", "unknown_code"),
        ("name_zh", "mobile_number"),
        ("positions_count", "too_small"),
    }
    assert "13812345678" not in answer.text
    assert "要素被拒绝" in answer.json()["message"]["zh"]
    assert all(problem["zh"] for problem in answer.json()["problems"])
    assert count(store, filled, "posts") == 0


@pytest.mark.parametrize(
    ("geometry", "code"),
    [
        (None, "missing_geometry"),
        ("POINT(1 2)", "unreadable_geometry"),
        ({"type": "Point"}, "unreadable_geometry"),
        ({"type": "Point", "coordinates": []}, "empty_geometry"),
        ({"type": "Point", "coordinates": ["a", 2]}, "unreadable_geometry"),
        ({"type": "Point", "coordinates": [2.0, 48.0]}, "outside_area"),
        ({"type": "Point", "coordinates": [0, 0]}, "outside_area"),
        ({"type": "Point", "coordinates": HERE[::-1]}, "outside_area"),
        ({"type": "GeometryCollection", "geometries": []}, "wrong_geometry_type"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}, "invalid_geometry"),
    ],
)
def test_a_broken_place_is_refused_and_never_repaired(served, geometry, code):
    unit = {"type": "Feature", "geometry": geometry, "properties": {"kind": "school"}}
    assert ("geometry", code) in problems(add(served, unit, path=UNITS))
    assert served.get("/livez").status_code == 200


def test_a_shape_may_have_20_000_vertices_and_no_more(served):
    def ring(n):
        turn = [2 * math.pi * i / (n - 1) for i in range(n - 1)]
        points = [[round(HERE[0] + 0.001 * math.cos(t), 7), round(HERE[1] + 0.001 * math.sin(t), 7)] for t in turn]
        shape = {"type": "Polygon", "coordinates": [[*points, points[0]]]}
        return {"type": "Feature", "geometry": shape, "properties": {"kind": "park"}}

    assert add(served, ring(20_000), path=UNITS).status_code == 201
    assert problems(add(served, ring(20_001), path=UNITS)) == {("geometry", "too_many_vertices")}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 200_000, 422),
        (b'{"type":"Feature","geometry":' + b'{"type":"GeometryCollection","geometries":[' * 20_000, 422),
        (b'{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[1e999,1]}}', 422),
        (b'{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[NaN,1]}}', 422),
        (b"[]", 422),
        (b"", 422),
        (b"\xff", 422),
        (b'{"type":"Feature","properties":[],"geometry":null}', 422),
        (b'{"type":"FeatureCollection","features":[]}', 422),
        (b'{"a":"' + b"x" * 1_000_001 + b'"}', 413),
    ],
)
def test_a_hostile_body_is_refused_before_it_costs(served, added, body, status):
    here, tag = added
    assert served.post(POSTS, content=body, role="supervisor", headers=GEOJSON).status_code == status
    for method, kind in (("PUT", GEOJSON), ("PATCH", MERGE)):
        if method == "PATCH" and body.startswith(b'{"type":"FeatureC'):
            continue
        answer = served(method, here, content=body, role="supervisor", headers={**kind, "If-Match": tag})
        assert answer.status_code == status, (method, answer.text)


@pytest.mark.parametrize("value", ["a\x00b", {"a": 1}, [1], "x" * 10_001, "110101199003070038"])
def test_a_text_is_short_plain_and_about_no_person(served, value):
    assert {field for field, _ in problems(add(served, post(name_en=value)))} == {"name_en"}


@pytest.mark.parametrize("value", [1.5, "many", 2**70, -1, True, {}])
def test_a_count_is_a_whole_number(served, value):
    assert {field for field, _ in problems(add(served, post(positions_count=value)))} == {"positions_count"}


def test_what_a_body_is_must_be_said(served, added):
    here, tag = added
    for method, path in (("POST", POSTS), ("PUT", here), ("PATCH", here)):
        said = {"If-Match": tag}
        bare = served(method, path, content=json.dumps(post()), role="supervisor", headers=said)
        assert problems(bare, 400) == {("Content-Type", "bad_header")}
        other = {**said, "Content-Type": "application/gml+xml"}
        assert served(method, path, content="<x/>", role="supervisor", headers=other).status_code == 415
    assert add(served, post(), **{"Content-Type": "application/json"}).status_code == 201
    assert served.post(f"{POSTS}?x=1", json=post(), role="supervisor", headers=GEOJSON).status_code == 400


@pytest.mark.parametrize(
    ("system", "place"),
    [
        ("<http://www.opengis.net/def/crs/OGC/1.3/CRS84>", HERE),
        (f"{EPSG}4326", HERE[::-1]),
        (f"<{EPSG}4490>", HERE[::-1]),
        (f"<{EPSG}3857>", None),
        (f"<{EPSG}4549>", None),
    ],
)
def test_coordinates_come_in_the_system_that_the_header_names(served, system, place):
    if place is None:
        # What the server itself writes in that system.
        here = place_of(add(served))
        asked = f"{here}?crs={system.strip('<>')}"
        place = served.json(asked, role="supervisor")["geometry"]["coordinates"]
    answer = add(served, post({"type": "Point", "coordinates": place}), **{"Content-Crs": system})
    assert served.json(place_of(answer), role="analyst")["geometry"]["coordinates"] == pytest.approx(HERE, abs=1e-7)
    patch = {"geometry": {"type": "Point", "coordinates": place}}
    assert edit(served, "PATCH", place_of(answer), patch, **{"Content-Crs": system}).status_code == 204


@pytest.mark.parametrize("system", ["EPSG:2154", f"<{EPSG}27700>", "nonsense", ""])
def test_a_system_that_is_not_spoken_is_no_guess(served, system):
    assert problems(add(served, post(), **{"Content-Crs": system}), 400) == {("Content-Crs", "bad_header")}


def test_each_role_may_do_with_each_layer_what_the_page_says(shared):
    for role in ROLES:
        for id_, layer in catalog().items():
            items = f"/collections/{id_}/items"
            listed, one = (shared("OPTIONS", path, role=role) for path in (items, f"{items}/9"))
            if id_ not in layers_seen(role):
                assert (listed.status_code, one.status_code) == (404, 404)
                continue
            assert (listed.status_code, one.status_code) == (200, 200)
            adds, changes = role in layer.added_by, role in layer.changed_by
            assert ("POST" in listed.headers["allow"]) == adds == ("accept-post" in listed.headers)
            assert {"PUT", "PATCH", "DELETE"} <= set(one.headers["allow"].split(", ")) or not changes
            assert ("PATCH" in one.headers["allow"]) == changes == ("accept-patch" in one.headers)
            # Nothing of this is a feature, so that whoever may is told so, and nothing is changed.
            for method, may in (("POST", adds), ("PUT", changes), ("PATCH", changes), ("DELETE", changes)):
                answer = edit(shared, method, items if method == "POST" else f"{items}/9", {}, role=role, tag='"0"')
                if may:
                    assert answer.status_code in (404, 412, 422), (role, id_, method, answer.text)
                elif layer.is_edited or answer.status_code != 405:
                    assert answer.status_code == (401 if role == "public" else 403), (role, id_, method)
                else:
                    assert "POST" not in answer.headers["allow"]


def test_grids_change_through_plans_and_results_by_their_service(shared):
    for layer, hint in (("grids", "POST /plans"), ("hotspots", "process 'hotspots'"), ("segments", "import")):
        answer = shared.post(f"/collections/{layer}/items", json=post(), role="planner", headers=GEOJSON)
        assert answer.status_code == 405
        assert hint in answer.json()["detail"]


def incident(**properties):
    return {**post(), "properties": {"occurred_at": YESTERDAY.isoformat(), "category": "noise", **properties}}


def test_an_officer_adds_an_incident_and_changes_none(served, store, filled):
    assert problems(add(served, incident(), "officer", INCIDENTS)) == {("origin", "missing_value")}
    here = place_of(add(served, incident(origin="patrol"), "officer", INCIDENTS))
    told = served.json(here, role="officer")["properties"]["occurred_at"]
    assert dt.datetime.fromisoformat(told) == YESTERDAY
    for method in ("PUT", "PATCH", "DELETE"):
        assert edit(served, method, here, {}, role="officer", tag="*").status_code == 403
    # Where they could not see it afterwards they put nothing: they see 90 days.
    long_ago = (YESTERDAY - dt.timedelta(days=100)).isoformat()
    old = add(served, incident(origin="patrol", occurred_at=long_ago), "officer", INCIDENTS)
    assert (old.status_code, count(store, filled, "incidents")) == (403, 251)
    assert problems(add(served, incident(origin="patrol", category="上访"), "officer", INCIDENTS)) == {
        ("category", "unknown_code")
    }


@pytest.mark.asvs("15.3.3")
def test_what_a_role_does_not_see_of_a_feature_stays_as_it_is(served, store, filled):
    reported = START + dt.timedelta(hours=1)
    (key,) = fill(
        store, filled, "incidents",
        [{"occurred_at": START, "reported_at": reported, "category": "theft", "origin": "public_report",
          "address": "某路", "location_withheld": True, "geom": None}],
    )  # fmt: skip
    here = f"{INCIDENTS}/{key}"
    assert problems(add(served, incident(origin="patrol", reported_at="2025-03-01T00:00:00Z"), path=INCIDENTS)) == {
        ("reported_at", "unknown_property")
    }
    # A row whose source keeps its place to itself has none, and may stay without.
    whole = {**incident(origin="patrol"), "geometry": None}
    assert edit(served, "PUT", here, whole, tag="*").status_code == 204
    table = FRAME_TABLES["incidents"]
    row = sa.select(table.c.reported_at, table.c.address, table.c.location_withheld, table.c.geom.is_(None))
    with store.transaction(filled.scope, read_only=True) as connection:
        assert connection.execute(row.where(table.c.id == key)).one() == (reported, None, True, True)
    assert edit(served, "PATCH", here, {"geometry": post()["geometry"]}).status_code == 204
    with store.transaction(filled.scope, read_only=True) as connection:
        assert connection.execute(row.where(table.c.id == key)).one() == (reported, None, False, False)


def test_a_request_sent_again_adds_nothing_twice(served, store, filled):
    first, again = (add(served, **{"Idempotency-Key": "one"}) for _ in range(2))
    assert place_of(first) == place_of(again)
    assert first.headers["etag"] == again.headers["etag"]
    assert add(served, post(positions_count=5), **{"Idempotency-Key": "one"}).status_code == 409
    # Another account's key is another key.
    assert place_of(add(served, role="planner", **{"Idempotency-Key": "one"})) != place_of(first)
    assert problems(add(served, **{"Idempotency-Key": "x" * 256}), 400) == {("Idempotency-Key", "bad_header")}
    headers = {**served._desks.headers("supervisor"), **GEOJSON, "Idempotency-Key": "two"}

    async def all_at_once():
        return await asyncio.gather(*(served._http.post(POSTS, json=post(), headers=headers) for _ in range(10)))

    assert len({place_of(answer) for answer in served._runner.run(all_at_once())}) == 1
    assert count(store, filled, "posts") == 3


def test_a_refused_request_leaves_its_idempotency_key_free(served):
    assert add(served, post(kind="castle"), **{"Idempotency-Key": "k"}).status_code == 422
    assert add(served, **{"Idempotency-Key": "k"}).status_code == 201


def test_the_tile_of_a_place_shows_a_change_at_once(served):
    def seen():
        tile = served.get("/collections/posts/tiles/WebMercatorQuad/0/0/0", role="analyst")
        return tile.headers.get("etag"), tile.status_code

    empty = seen()
    here = place_of(add(served))
    one = seen()
    assert edit(served, "PATCH", here, {"kind": "guard_post"}).status_code == 204
    changed = seen()
    assert edit(served, "DELETE", here).status_code == 204
    assert len({empty, one, changed, seen()}) == 4


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_a_page_has_a_form_for_those_who_may_edit(served, added, lang):
    here, tag = added
    for role in ("supervisor", "planner", "analyst"):
        one, several = (served.get(f"{path}?f=html&lang={lang}", role=role).text for path in (here, POSTS))
        may = role != "analyst"
        assert ('class="edit"' in one) == ('class="edit"' in several) == may
        assert (tag.replace('"', "&#34;") in one) == may
    one = served.get(f"{here}?f=html&lang={lang}", role="supervisor").text
    for name in catalog()["posts"].columns:
        assert f'name="{name}"' in one
    assert 'value="police_post" selected' in one
    # An officer adds an incident on the page of all, and changes none on its own.
    incidents = served.get(f"{INCIDENTS}?f=html&lang={lang}", role="officer").text
    assert 'name="origin"' in incidents


def test_a_time_is_shown_and_read_as_the_clock_of_the_city(served):
    here = place_of(add(served, incident(origin="patrol"), path=INCIDENTS))
    clock = YESTERDAY.strftime("%Y-%m-%d %H:%M:%S")
    assert f'value="{clock}"' in served.get(f"{here}?f=html", role="supervisor").text
    assert edit(served, "PATCH", here, {"occurred_at": clock, "category": "theft"}).status_code == 204
    told = served.json(here, role="supervisor")["properties"]["occurred_at"]
    assert dt.datetime.fromisoformat(told) == YESTERDAY
