"""Every hostile input, through every door that takes it: refused by the right name, and the server lives on.

The numbers are those of the table of hostile inputs in the threat model. The doors are the import of a file over HTTP
and by command, the upload of a drawn plan, a feature sent alone, a place for a service, a cut of a block, a filter, and
the addresses of items and tiles. What a reading process does with a file: tests/gis/files/test_hostile_files.py.
"""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from gis.files import sandbox
from gis.store.engine import NO_CITY
from tests.api.conftest import CODES, SOUTH, WEST, count, draft
from tests.support import hostile

GRID = {"source_id": "x1", "code": "320508002000001", "kind": "comprehensive"}
JSON = {"content-type": "application/json"}
GEOJSON = {"content-type": "application/geo+json"}


pytestmark = pytest.mark.usefixtures("own_folder")


@pytest.fixture
def alive(store):
    """Ask the database, after the test, for what it can still do: it has neither gone nor come back."""
    started = sa.select(sa.func.pg_postmaster_start_time())
    with store.transaction(NO_CITY, read_only=True) as connection:
        before = connection.scalar(started)
    yield
    with store.transaction(NO_CITY, read_only=True) as connection:
        assert connection.scalar(sa.select(sa.literal(1))) == 1
        assert connection.scalar(started) == before


def refused(answer, *statuses):
    """Hold that an answer is a problem of ours with one of the statuses, and short: nothing is sent back."""
    assert answer.status_code in statuses, (answer.status_code, answer.text[:500])
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 20_000
    return answer.json()


def upload(client, path, name, content, **fields):
    content = content if isinstance(content, bytes) else content.encode(errors="surrogateescape")
    return client.post(path, files={"file": (name, content, "application/octet-stream")}, data=fields)


# Areas: inputs 1 to 5, 7, 9, 14


ONE_BY_ONE = ("2: scribble of 3,000", "7: collections in collections", "8: brackets")
"""Areas that are also sent alone in a file of one document: those that end or stop a parser."""


@pytest.mark.asvs("1.3.3", "2.2.1", "2.3.2")
@pytest.mark.usefixtures("alive")
def test_areas_of_a_file(served, store, filled):
    areas = hostile.BROKEN_AREAS
    lines = "".join(
        hostile.feature(area, **{**GRID, "source_id": f"x{i}"}) + "\n" for i, area in enumerate(areas.values())
    )
    told = refused(upload(served, "/imports/grids", "a.ndjson", lines), 422)
    named = served.json(f"/imports/{told['report']['batch_id']}/errors")["errors"]
    assert {error["row"] for error in named} == set(range(1, len(areas) + 1))
    written = {name: text for name, area in areas.items() if (text := hostile.wkt(area)) is not None}
    rows = "".join(f'x{i},320508002000001,comprehensive,"{text}"\n' for i, text in enumerate(written.values()))
    told = refused(upload(served, "/imports/grids", "a.csv", f"source_id,code,kind,wkt\n{rows}", crs="wgs84"), 422)
    named = served.json(f"/imports/{told['report']['batch_id']}/errors")["errors"]
    assert {error["row"] for error in named} == set(range(1, len(written) + 1))
    for name in ONE_BY_ONE:
        refused(upload(served, "/imports/grids", "a.geojson", hostile.collection(areas[name], **GRID)), 422)
    assert count(store, filled, "grids") == 4


@pytest.mark.usefixtures("alive")
def test_areas_of_a_file_by_command(wangge, filled, store, tmp_path):
    for name in ONE_BY_ONE:
        path = tmp_path / "a.geojson"
        path.write_text(hostile.collection(hostile.BROKEN_AREAS[name], **GRID))
        wangge("import", "grids", path, code=2)
    assert count(store, filled, "grids") == 4


@pytest.mark.usefixtures("alive")
def test_areas_of_a_drawn_plan(planned):
    for name in (*ONE_BY_ONE, "14: bow-tie", "14: spike"):
        drawn = hostile.collection(hostile.BROKEN_AREAS[name], code="g")
        refused(upload(planned, "/plans/imports", "a.geojson", drawn, title="x"), 422)
    assert planned.json("/plans")["plans"] == []


@pytest.mark.usefixtures("alive")
def test_areas_of_a_feature_sent_alone(served, store, filled):
    for area in hostile.BROKEN_AREAS.values():
        sent = hostile.feature(area, kind="school", name_zh="一小").encode()
        refused(served.post("/collections/key_units/items", content=sent, headers=GEOJSON, role="supervisor"), 422)
    deep = '{"type":"Feature","geometry":null,"properties":{"kind":' + "[" * 300 + "]" * 300 + "}}"
    sent = deep.encode()
    refused(served.post("/collections/key_units/items", content=sent, headers=GEOJSON, role="supervisor"), 422)
    assert count(store, filled, "key_units") == 0


@pytest.mark.usefixtures("alive")
def test_areas_as_a_place_for_a_service(served):
    for area in hostile.BROKEN_AREAS.values():
        sent = f'{{"inputs": {{"place": {area}}}}}'.encode()
        refused(served.post("/processes/event_impact/execution", content=sent, headers=JSON), 422)
    assert served.json("/jobs")["jobs"] == []


@pytest.mark.asvs("1.3.2", "1.3.3")
@pytest.mark.usefixtures("alive")
def test_areas_in_a_filter(served):
    areas = {**hostile.BROKEN_AREAS, "2: scribble of 3,000": hostile.polygon(hostile.scribble(1_200))}
    for area in areas.values():  # an address holds no more than 64 kB
        asked = {"filter": f'{{"op": "s_intersects", "args": [{{"property": "geometry"}}, {area}]}}'}
        for path in ("/collections/incidents/items", "/collections/incidents/tiles/WebMercatorQuad/0/0/0"):
            refused(served.get(path, params={**asked, "filter-lang": "cql2-json"}), 400)
            if (text := hostile.wkt(area)) is not None:
                refused(served.get(path, params={"filter": f"S_INTERSECTS(geometry, {text})"}), 400)


@pytest.mark.usefixtures("alive")
def test_a_scribble_that_cuts_a_block(planned):
    plan = draft(planned)
    for ring in (hostile.scribble(400), hostile.scribble(999)):
        for action, arguments in (
            ("split_block", {"block": "b0", "line": ring}),
            ("split_grid", {"grid": CODES[0], "line": ring}),
            ("lock", {"area": ring}),
        ):
            body = {"revision": 1, "action": action, "arguments": arguments}
            refused(planned.post(f"/plans/{plan['id']}/edits", json=body), 422)
    assert planned.json(f"/plans/{plan['id']}")["revision"] == 1


LINES = (
    "[[1e999,31],[120.7,31]]", "[[NaN,31],[120.7,31]]", '[["a",31],[120.7,31]]', "[[120.6,31]]", "[" * 3_000,
    "[[120.6,31,5,6],[120.7,31]]", "[[181,31],[120.7,31]]", f"[{','.join(['[120.6,31.3]'] * 1_001)}]",
)  # fmt: skip


@pytest.mark.usefixtures("alive")
def test_lines_that_are_none(planned):
    plan = draft(planned)
    for line in LINES:
        body = f'{{"revision":1,"action":"split_block","arguments":{{"block":"b0","line":{line}}}}}'
        refused(planned.post(f"/plans/{plan['id']}/edits", content=body.encode(), headers=JSON), 422)
    assert planned.json(f"/plans/{plan['id']}")["revision"] == 1


@pytest.mark.usefixtures("alive")
def test_a_valid_area_of_many_vertices_is_taken_where_it_may_be_large(served, store, filled):
    area = hostile.polygon(hostile.noisy_circle(19_990))
    grid = upload(served, "/imports/grids", "a.ndjson", hostile.feature(area, **GRID))
    assert [p["code"] for p in refused(grid, 422)["problems"]] == ["too_many_vertices"]
    unit = {"source_id": "k1", "kind": "school"}
    large = upload(served, "/imports/key_units", "a.ndjson", hostile.feature(area, **unit))
    assert large.status_code == 201, large.text
    beyond = hostile.polygon(hostile.noisy_circle(20_001))
    answer = upload(served, "/imports/key_units", "b.ndjson", hostile.feature(beyond, **{**unit, "source_id": "k2"}))
    assert [p["code"] for p in refused(answer, 422)["problems"]] == ["too_many_vertices"]
    assert (count(store, filled, "grids"), count(store, filled, "key_units")) == (4, 1)


def test_a_doubled_vertex_is_valid(served, store, filled):
    area = hostile.polygon(hostile.at((2, 0), (3, 0), (3, 0), (3, 1), (2, 1)))
    assert upload(served, "/imports/grids", "a.geojson", hostile.collection(area, **GRID)).status_code == 201
    assert count(store, filled, "grids") == 5


# Text that is parsed: inputs 6 to 9


@pytest.mark.asvs("1.4.1", "1.5.2")
@pytest.mark.usefixtures("alive")
def test_wkt_in_wkt_is_never_parsed(served, store, filled):
    table = f'source_id,code,kind,wkt\nx1,320508002000001,comprehensive,"{hostile.WKT_BOMB}"\n'
    refused(upload(served, "/imports/grids", "a.csv", table, crs="wgs84"), 422)
    refused(
        served.get("/collections/grids/items", params={"filter": f"S_WITHIN(geometry,{hostile.WKT_BOMB[:40_000]})"}),
        400,
    )
    assert count(store, filled, "grids") == 4


@pytest.mark.asvs("1.5.2", "2.3.2")
@pytest.mark.usefixtures("alive")
def test_bodies_that_are_no_json(planned):
    plan = draft(planned)
    for body in hostile.BROKEN_JSON.values():
        sent = body.encode(errors="surrogateescape")
        assert len(sent) < 1_000_000
        for method, path in (
            ("POST", "/processes/event_impact/execution"),
            ("POST", "/plans"),
            ("POST", f"/plans/{plan['id']}/edits"),
            ("PATCH", f"/plans/{plan['id']}/assignment"),
            ("POST", "/collections/posts/items"),
            ("POST", "/auth/sign-in"),
        ):
            headers = GEOJSON if path.startswith("/collections") else JSON
            refused(planned(method, path, content=sent, headers=headers), 422)
        refused(upload(planned, "/imports/grids", "a.geojson", sent), 415, 422)
        refused(upload(planned, "/plans/imports", "a.geojson", sent, title="x"), 415, 422)
        asked = {"filter": body[:20_000].encode(errors="replace").decode(), "filter-lang": "cql2-json"}
        refused(planned.get("/collections/grids/items", params=asked), 400)


# Files: inputs 10 to 13, 16, 17


@pytest.fixture
def unread(monkeypatch):
    """No reading process may be started."""
    monkeypatch.setattr(sandbox, "reading", lambda request: pytest.fail(f"opened {request}"))


@pytest.mark.asvs("5.2.1", "5.2.3")
@pytest.mark.usefixtures("unread")
def test_a_bomb_is_refused_by_its_directory(planned):
    packed = hostile.bomb()
    assert len(packed) < 2_000_000
    refused(upload(planned, "/imports/grids", "a.zip", packed), 413)
    refused(upload(planned, "/plans/imports", "a.zip", packed, title="x"), 413)


MARKUP = {
    "11: virtual layer": (".vrt", hostile.VRT),
    "12: GML": (".gml", hostile.GML),
    "13: KML": (".kml", hostile.KML),
}


@pytest.mark.asvs("1.5.1", "5.2.2")
@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize(("ending", "text"), MARKUP.values(), ids=MARKUP.keys())
def test_markup_reads_no_other_file(planned, tmp_path, ending, text):
    canary = tmp_path / "canary.csv"
    canary.write_text("secret,lon,lat\nswordfish,120.6,31.3\n")
    said = text.replace("{source}", f"CSV:{canary}").replace("{layer}", "canary").replace("{canary}", str(canary))
    read_before = canary.stat().st_atime_ns
    for name in (f"a{ending}", "a.geojson", "a.csv", "a.gpkg", "a.zip", "a.parquet", "a.xlsx"):
        for answer in (
            upload(planned, "/imports/grids", name, said),
            upload(planned, "/plans/imports", name, said, title="x"),
        ):
            refused(answer, 415)
            assert "swordfish" not in answer.text
    assert canary.stat().st_atime_ns == read_before


WAYS = ("/vsicurl/http://127.0.0.1:{}/x.csv", "http://127.0.0.1:{}/x.geojson", "PG:host=127.0.0.1 port={}")


@pytest.mark.asvs("1.3.6", "13.2.4")
@pytest.mark.parametrize("way", WAYS)
def test_no_input_makes_the_server_call_out(planned, way):
    with hostile.listening() as (port, calls):
        place = way.format(port)
        refused(upload(planned, "/imports/grids", "a.vrt", hostile.VRT.format(source=place, layer="x")), 415)
        refused(upload(planned, "/imports/grids", "a.geojson", hostile.VRT.format(source=place, layer="x")), 415)
        refused(upload(planned, "/imports/grids", place, "id,lon,lat\n1,120,31\n"), 415, 422)
        linked = json.dumps({"type": "FeatureCollection", "features": [], "$ref": place, "crs": {"href": place}})
        refused(upload(planned, "/imports/grids", "a.geojson", linked), 415, 422)
        refused(upload(planned, "/imports/grids", "a.csv", "lon,lat\n1,1\n", crs=place, layer=place), 422)
        refused(upload(planned, "/plans/imports", "a.geojson", linked, title="x", crs=place), 415, 422)
        refused(planned.get("/collections/grids/items", params={"crs": place}), 400)
        refused(planned.get("/collections/grids/items", params={"filter": "a=1", "filter-crs": place}), 400)
        refused(planned.post("/processes/event_impact/execution", json={"place": {"$ref": place}}), 422)
        callback = {"inputs": {"lattice_m": 500}, "subscriber": {"successUri": place}}
        refused(planned.post("/processes/hotspots/execution", json=callback), 422)
        signed_in = planned.get("/signin", params={"next": place, "lang": "en"})
        assert signed_in.status_code in (200, 303)
        assert place not in signed_in.headers.get("location", "")
    assert calls == []


ZIPS = {
    "link": hostile.zipped(links=(("a.shp", "/etc/passwd"),)),
    "folder above": hostile.zipped(("../a.shp", b"x")),
    "absolute": hostile.zipped(("/etc/cron.d/a.shp", b"x")),
    "drive": hostile.zipped(("C:\\a.shp", b"x")),
    "many": hostile.zipped(*((f"{i}.txt", b"x") for i in range(300))),
    "no zip inside": hostile.zipped(("a.exe", b"MZ")),
    "zip in zip": hostile.zipped(("a.zip", hostile.zipped(("a.shp", b"x")))),
    "parts missing": hostile.zipped(("a.shp", b"x")),
}


@pytest.mark.asvs("5.2.2", "5.2.5", "5.3.3")
def test_zips_that_are_none_of_ours(planned, own_folder):
    before = sorted(path for path in own_folder.rglob("*") if path.is_file())
    for kind, content in ZIPS.items():
        for name in ("a.zip", "a.xlsx"):
            statuses = (413,) if kind == "many" else (415, 422)
            refused(upload(planned, "/imports/grids", name, content), *statuses)
            refused(upload(planned, "/plans/imports", name, content, title="x"), *statuses)
    assert sorted(path for path in own_folder.rglob("*") if path.is_file()) == before


# Addresses: input 15

KEYS = ("0", "-1", "9223372036854775808", "1e3", "null", "1%20OR%201=1", "٣", "9" * 400, "..%2f..", "%00")


KEYED = (
    "/collections/grids/items/{}", "/jobs/{}", "/runs/{}", "/imports/{}", "/plans/{}", "/collections/{}",
    "/processes/{}", "/jobs/{}/results", "/plans/{}/board", "/collections/{}/items", "/styles/{}",
)  # fmt: skip


@pytest.mark.asvs("1.4.2", "1.1.1")
def test_keys_that_are_none(planned):
    for key in KEYS:
        keys_of(planned, key)


def keys_of(planned, key):
    for path in KEYED:
        answer = planned.get(path.format(key))
        assert answer.status_code in (404, 422), (path, answer.status_code)
        if answer.status_code == 422:
            assert path.startswith("/plans"), path


@pytest.mark.asvs("1.2.4", "2.2.1")
@pytest.mark.parametrize(
    "query",
    ["bbox=121,32,120,31", "bbox=120,32,121,31", "bbox=-Infinity,0,1,1", "bbox=NaN,0,1,1", "bbox=1e999,0,1,1",
     "bbox=0,-91,1,1", "bbox=0,0,1", "limit=-1", "limit=0", "limit=99999999999999999999", "limit=1e9", "offset=5",
     "after=-1", "datetime=2026-02-30", "crs=http://example.org/x", "bbox-crs=x", "f=exe", "sortby=-(SELECT 1)",
     "filter=1;DROP TABLE city.grids", "bbox=120,31,121,32&bbox=0,0,1,1", "kind=%00"],
)  # fmt: skip
def test_a_query_that_makes_no_sense_is_a_400(shared, query):
    refused(shared.get(f"/collections/grids/items?{query}"), 400)


@pytest.mark.parametrize(
    "at", ["31/0/0", "0/1/0", "0/0/1", "-1/0/0", "3/0/8", "22/4194304/0", "1e1/0/0", "9999999999/0/0"]
)
def test_a_tile_that_is_none_is_a_404(shared, at):
    refused(shared.get(f"/collections/incidents/tiles/WebMercatorQuad/{at}"), 404)


def test_the_place_of_the_city_stands_in_every_area(served):
    """The tests above refuse what is broken, not what is new: an area of the same place goes in."""
    area = hostile.polygon(hostile.at((2, 0), (3, 0), (3, 1), (2, 1)))
    assert upload(served, "/imports/grids", "a.geojson", hostile.collection(area, **GRID)).status_code == 201
    sent = hostile.feature(json.dumps({"type": "Point", "coordinates": [WEST, SOUTH]}), kind="school", name_zh="一小")
    answer = served.post(
        "/collections/key_units/items",
        content=sent.encode(),
        headers=GEOJSON,
        role="supervisor",
    )
    assert answer.status_code == 201, answer.text
