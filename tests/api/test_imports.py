"""Files over HTTP: what is taken, what is refused and why, and that a name is never trusted."""

import io
import json
import zipfile

import pytest

from api.routes.imports import plain_name
from tests.api.conftest import SOUTH, WEST, Client, count

GRIDS = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"source_id": f"n{i}", "code": f"32050800200{i:04d}", "kind": "comprehensive"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    [[w, s], [w + 0.01, s], [w + 0.01, s + 0.01], [w, s + 0.01], [w, s]],
                ],
            },
        }
        for i, (w, s) in enumerate(((WEST + 0.03, SOUTH), (WEST + 0.04, SOUTH)))
    ],
}
CSV = (
    "source_id,occurred_at,category,lon,lat\n"
    f"a1,2026-01-01T08:00:00+08:00,theft,{WEST + 0.001},{SOUTH + 0.001}\n"
    f"a2,2026-01-02 09:00:00,burglary,{WEST + 0.002},{SOUTH + 0.002}\n"
)


def upload(name, content, **fields):
    content = content if isinstance(content, bytes) else content.encode()
    return {"files": {"file": (name, content, "application/octet-stream")}, "data": fields}


def grids(**changes):
    return json.dumps({**GRIDS, **changes})


pytestmark = pytest.mark.usefixtures("own_folder")


def test_a_file_goes_in_and_is_on_the_map_at_once(served, store, filled, own_folder):
    answer = served.post("/imports/grids", **upload("new.geojson", grids()))
    assert answer.status_code == 201, answer.text
    report = answer.json()
    assert (report["state"], report["inserted"], report["source"]) == ("applied", 2, "new.geojson")
    assert count(store, filled, "grids") == 6
    assert served.json("/collections/grids/items")["numberMatched"] == 6
    assert served.json(answer.headers["location"])["report"]["inserted"] == 2
    assert list((own_folder / "uploads").iterdir()) == []


def test_the_same_file_again_changes_nothing(served, store, filled):
    first = served.post("/imports/grids", **upload("new.geojson", grids()))
    again = served.post("/imports/grids", **upload("new.geojson", grids()))
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["state"] == "already_applied"
    assert count(store, filled, "grids") == 6


def test_a_dry_run_changes_nothing(served, store, filled):
    answer = served.post("/imports/grids", **upload("new.geojson", grids(), dry_run="true"))
    assert answer.status_code == 201
    assert answer.json()["state"] == "staged"
    assert count(store, filled, "grids") == 4


def test_columns_are_mapped_and_local_times_read_in_the_citys_zone(served, store, filled):
    text = CSV.replace("category", "Primary Type")
    answer = served.post(
        "/imports/incidents",
        **upload("crimes.csv", text, crs="wgs84", map="category=Primary Type", set="origin=patrol", source="police"),
    )
    assert answer.status_code == 201, answer.text
    assert answer.json()["source"] == "police"
    assert count(store, filled, "incidents") == 252
    found = served.json("/collections/incidents/items?datetime=2026-01-02T01:00:00Z")["features"]
    assert [f["properties"]["category"] for f in found] == ["burglary"]


def test_a_bad_row_refuses_the_file_and_is_named(served, store, filled):
    text = CSV.replace("burglary", "witchcraft")
    answer = served.post("/imports/incidents", **upload("bad.csv", text, crs="wgs84"))
    assert answer.status_code == 422
    problem = answer.json()
    assert [(p["field"], p["rows"], p["count"]) for p in problem["problems"]] == [("category", [2], 1)]
    assert problem["report"]["state"] == "refused"
    assert count(store, filled, "incidents") == 250
    number = problem["report"]["batch_id"]
    assert served.json(f"/imports/{number}/errors")["errors"][0]["row"] == 2
    listed = served.json("/imports")["imports"]
    assert listed[0]["id"] == number
    assert listed[0]["state"] == "refused"
    assert served.json(f"/imports/{number}/errors?after_row=2")["errors"] == []


def test_the_good_rows_of_a_bad_file_come_in_when_that_is_asked_for(served, store, filled):
    text = CSV.replace("burglary", "witchcraft")
    answer = served.post("/imports/incidents", **upload("bad.csv", text, crs="wgs84", allow_partial="true"))
    assert answer.status_code == 201
    assert count(store, filled, "incidents") == 251


HOSTILE_NAMES = [
    "../../../../etc/cron.d/x.geojson",
    "/etc/passwd.geojson",
    "..\\..\\x.geojson",
    "a\x00b.geojson",
    "x" * 3000 + ".geojson",
    "/vsicurl/http://127.0.0.1:1/x.geojson",
    "$(touch pwned).geojson",
    "<img src=x onerror=alert(1)>.geojson",
]


@pytest.mark.asvs("5.3.2")
@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_only_a_name(served, own_folder, name):
    before = {p for p in own_folder.rglob("*") if p.name != "uploads"}
    answer = served.post("/imports/grids", **upload(name, grids()))
    assert answer.status_code in (201, 400, 415, 422), answer.text
    if answer.status_code == 201:
        source = answer.json()["source"]
        assert "/" not in source
        assert "\\" not in source
        assert len(source) <= 120
    assert {p for p in own_folder.rglob("*") if p.name != "uploads"} == before
    page = served.get("/imports?f=html").text
    assert "<img" not in page.replace('<img src="/favicon.svg"', "")


@pytest.mark.asvs("5.2.2")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("layer.vrt", "<OGRVRTDataSource/>"),
        ("layer.gml", "<gml/>"),
        ("layer.kml", "<kml/>"),
        ("layer.shp", "x"),
        ("layer.exe", "MZ"),
        ("layer", "{}"),
        ("layer.geojson", "<OGRVRTDataSource><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTDataSource>"),
        ("layer.csv", "<OGRVRTDataSource/>"),
        ("layer.gpkg", "not sqlite"),
        ("layer.zip", "not a zip"),
        (".geojson", "{}"),
    ],
)
def test_a_file_of_another_kind_is_refused(served, name, content):
    answer = served.post("/imports/grids", **upload(name, content))
    assert answer.status_code in (415, 422), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_zip_bomb_is_refused(served):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in ("shp", "shx", "dbf"):
            archive.writestr(f"layer.{part}", b"\x00" * 30_000_000)
    answer = served.post("/imports/grids", **upload("layer.zip", memory.getvalue()))
    assert answer.status_code in (413, 415, 422)


@pytest.mark.asvs("5.2.1")
def test_a_file_beyond_the_limit_is_a_413(served, store):
    del served
    small = Client(store, max_upload_bytes=2000)
    assert small.post("/imports/grids", **upload("a.geojson", " " * 3000 + grids())).status_code == 413
    assert small.post("/imports/grids", **upload("a.geojson", " " * 300_000 + grids())).status_code == 413
    small.close()


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"colour": "red"}, {"colour"}),
        ({"dry_run": "maybe"}, {"dry_run"}),
        ({"map": "nonsense"}, {"map"}),
        ({"crs": "epsg:999999"}, None),
        ({"time_zone": "Mars/Olympus"}, None),
        ({"dissolve": "no_such_column"}, {"dissolve", "no_such_column"}),
    ],
)
def test_a_form_that_makes_no_sense_is_a_422(served, fields, names):
    answer = served.post("/imports/grids", **upload("new.geojson", grids(), **fields))
    assert answer.status_code == 422, answer.text
    if names is not None:
        assert {p["field"] for p in answer.json()["problems"]} & names


def test_a_request_without_a_file_is_refused(served):
    assert served.post("/imports/grids", data={"crs": "wgs84"}).status_code == 415
    assert served.post("/imports/grids", json={}).status_code == 415
    assert served.post("/imports/grids", files={"other": ("a.csv", b"x")}).status_code == 422
    assert served.post("/imports/none", **upload("new.geojson", grids())).status_code == 404
    broken = served.post(
        "/imports/grids", content=b"--x\r\nbroken", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert broken.status_code in (400, 422)


def test_personal_columns_are_refused(served, store, filled):
    text = CSV.replace("source_id,", "source_id,phone,").replace("a1,", "a1,13812345678,").replace("a2,", "a2,1,")
    answer = served.post("/imports/incidents", **upload("people.csv", text, crs="wgs84"))
    assert answer.status_code == 422
    assert "13812345678" not in answer.text
    assert count(store, filled, "incidents") == 250


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a/b/c.csv", "c.csv"),
        ("C:\\x\\d.csv", "d.csv"),
        ("", "upload"),
        ("a\nb\x00.csv", "ab.csv"),
        ("名字.csv", "名字.csv"),
    ],
)
def test_names_lose_their_folders(name, plain):
    assert plain_name(name) == plain
