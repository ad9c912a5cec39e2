"""What a request leaves in the log: one row before its answer, or a count by the minute; and nothing without it."""

import asyncio
import json

import pytest
import sqlalchemy as sa

from api.ledger import OVERDUE_S, Ledger
from api.matrix import LINES
from api.recording import ACTIONS, READING, TALLIED, UNRECORDED, action_of
from api.visitors import CSRF_COOKIE
from gis.errors import StoreUnavailable
from gis.store import accounts, audit, jobs
from gis.store.audit import Asker, Entry, Trail, asking
from gis.store.engine import NO_CITY, Store
from tests.api.conftest import draft, say
from tests.api.test_auth import PASSWORD, Browser

GRIDS = "/collections/grids"


@pytest.fixture
def rows(store):
    """What has been written since the test last looked, in order; setting the scene is none of it."""
    seen = 0

    def look(*actions):
        nonlocal seen
        found = [row for row in reversed(audit.read(store, limit=1000)) if row.seq > seen]
        seen = max([seen, *(row.seq for row in found)])
        return [row for row in found if not actions or row.action in actions]

    look()
    return look


@pytest.fixture
def warm(served):
    """The server, with the accounts that its tests ask from."""
    for role in ("analyst", "planner", "supervisor", "officer", "admin"):
        served._desks.token(role)
    return served


def test_every_line_of_the_matrix_has_its_place_in_the_log():
    reading = {name for name in LINES if name.split(" ", 1)[0] in READING}
    assert reading == {name for name in (*ACTIONS, *TALLIED, *UNRECORDED) if name.split(" ", 1)[0] in READING}
    assert not UNRECORDED & (ACTIONS.keys() | TALLIED)
    for name in LINES:
        assert (action_of(name) is None) == (name in UNRECORDED), name


@pytest.mark.parametrize(
    ("path", "action", "role", "count", "told"),
    [
        ("/collections/grids/items?limit=3", "view", "planner", 3, {}),
        ("/collections/grids/items?limit=3&f=html", "view", "planner", 3, {}),
        (
            "/collections/incidents/items?bbox=120.6012,31.2811,120.604,31.283&category=theft",
            "view", "analyst", 1, {"bbox": "120.60,31.28,120.61,31.29", "filter": "category ="},
        ),
        (
            "/collections/incidents/items?datetime=2025-01-02/..&filter=category='theft' AND origin<>'sensor'&limit=1",
            "view", "analyst", 1, {"filter": "datetime; category, origin (<> = and)"},
        ),
        ("/maps/grids.html", "view", "officer", None, {}),
        ("/collections/grids/export.csv?purpose=yearly%20report", "export", "analyst", 4, {"purpose": "yearly report"}),
        (
            "/collections/incidents/export.geojson?purpose=%E6%A1%88%E6%83%85%E7%A0%94%E5%88%A4&category=theft",
            "export", "analyst", 84, {"purpose": "案情研判", "filter": "category ="},
        ),
    ],
)  # fmt: skip
def test_what_is_read_leaves_one_row(warm, rows, path, action, role, count, told):  # noqa: PLR0917 - the table's columns
    rows()
    answer = warm.get(path, role=role)
    assert answer.status_code == 200
    (row,) = rows()
    assert (row.action, row.role, row.account) == (action, role, f"desk-{role}")
    assert row.object == path.split("?")[0].strip("/")
    assert row.rows_count == count
    assert row.city_id is not None
    assert row.request_id == answer.headers["x-request-id"]
    assert {name: getattr(row, name) for name in told} == told
    assert "theft" not in str(row)


def test_one_feature_and_what_is_not_there(warm, rows):
    key = warm.json(f"{GRIDS}/items?limit=1", role="planner")["features"][0]["id"]
    rows()
    assert warm.get(f"{GRIDS}/items/{key}", role="planner").status_code == 200
    (row,) = rows()
    assert (row.object, row.rows_count) == (f"collections/grids/items/{key}", 1)
    for path, status in ((f"{GRIDS}/items/999999", 404), (f"{GRIDS}/items?limit=x", 400), ("/nowhere", 404)):
        assert warm.get(path, role="planner").status_code == status
    for path in ("/collections", GRIDS, "/processes", "/jobs", "/plans", "/styles/map", "/auth/me", "/api"):
        assert warm.get(path).status_code == 200
    assert rows() == []


def test_results_leave_a_row(warm, rows, store, filled):
    run = warm.post("/processes/incident_density/execution", json={}, role="analyst").json()
    (row,) = rows("run")
    assert (row.object, row.role) == ("processes/incident_density", "analyst")
    assert json.loads(row.detail)["job"] == int(run["jobID"])
    again = warm.post("/processes/incident_density/execution", json={}, role="analyst")
    assert again.status_code == 201
    assert [row.object for row in rows()] == ["processes/incident_density/execution"], "asked again, and no new job"
    assert warm.get(f"/jobs/{run['jobID']}/results").status_code == 404
    assert rows() == []
    assert warm("DELETE", f"/jobs/{run['jobID']}", role="analyst").status_code == 200
    (row,) = rows()
    assert (row.action, row.object, json.loads(row.detail)) == ("change", f"jobs/{run['jobID']}", {"what": "dismissed"})
    assert jobs.get(store, filled, int(run["jobID"])).state == "dismissed"


def test_every_change_of_a_plan_leaves_one_row(warm, blocks, rows):
    assert len(blocks) == 5
    rows()
    plan = draft(warm)
    plan = say(warm, plan, "assignment", method="PATCH", moves={"b1": warm_grid(warm, plan)}, action="paint")
    plan = say(warm, plan, "undo")
    plan = say(warm, plan, "redo")
    done = [(row.action, row.object, json.loads(row.detail)["what"], row.role) for row in rows()]
    here = f"plans/{plan['id']}"
    assert done == [("change", here, what, "planner") for what in ("created", "paint", "undo", "redo")]
    assert warm.get(f"/plans/{plan['id']}/export.csv", role="planner").status_code == 200
    assert warm.get(f"/plans/{plan['id']}/notice.csv", role="planner").status_code == 200
    assert warm.get(f"/plans/{plan['id']}/notice.html", role="planner").status_code == 200
    assert [(row.action, row.object, row.purpose) for row in rows()] == [
        ("export", f"{here}/export.csv", "tests"),
        ("export", f"{here}/notice.csv", "tests"),
        ("export", f"{here}/notice.html", None),
    ]
    stale = {"revision": 1, "moves": {"b0": None}, "action": "paint"}
    assert warm("PATCH", f"/{here}/assignment", json=stale, role="planner").status_code == 409
    assert rows() == [], "nothing was changed"
    assert warm("DELETE", f"/{here}", role="planner").status_code == 204
    assert [json.loads(row.detail)["what"] for row in rows()] == ["deleted"]


def warm_grid(client, plan):
    """Return a grid of a plan."""
    return client.json(f"/plans/{plan['id']}/grids", role="planner")["grids"][-1]["code"]


@pytest.mark.asvs("16.3.2")
def test_a_denial_leaves_one_row(warm, rows):
    rows()
    assert warm.get("/plans", role="officer").status_code == 403
    assert warm.post("/plans", role="analyst", json={"title": "x"}).status_code == 403
    assert warm.get("/collections/incidents/items", role="planner").status_code == 404
    assert warm.get("/collections/rentals/export.csv?mask=none", role="analyst").status_code == 403
    assert warm.get("/collections/nonsense/items", role="planner").status_code == 404
    found = [(row.action, row.role, row.object, json.loads(row.detail)["route"]) for row in rows()]
    assert found == [
        ("denied", "officer", "plans", "GET /plans"),
        ("denied", "analyst", "plans", "POST /plans"),
        ("denied", "planner", "collections/incidents/items", "GET /collections/{id_}/items"),
        ("denied", "analyst", "collections/rentals/export.csv", "GET /collections/{id_}/export.{ending}"),
    ]


@pytest.mark.asvs("16.3.1")
def test_signing_in_and_out_leaves_rows(served, store, filled, rows):
    accounts.create(store, "desk-1", password=PASSWORD)
    accounts.grant(store, "desk-1", "planner", filled)
    accounts.grant(store, "desk-1", "analyst", filled)
    browser = Browser(served)
    assert [(row.action, row.role) for row in rows()][-3:] == [
        ("account", "server"),
        ("grant", "server"),
        ("grant", "server"),
    ]
    assert browser.sign_in(password="not it at all").status_code == 401
    assert browser.sign_in(name="my secret password").status_code == 401
    failed = rows()
    assert [(row.action, row.object, row.account) for row in failed] == [
        ("sign_in_failed", "accounts/desk-1", None),
        ("sign_in_failed", "accounts", None),
    ]
    assert "secret" not in str(failed), "what was typed into the wrong field is not kept"
    assert browser.sign_in().status_code == 200
    assert browser("POST", "/auth/role", json={"role": "planner"}).status_code == 200
    assert browser("POST", "/plans", json={"title": "x"}, csrf=False).status_code == 403
    change = {"old": PASSWORD, "new": "another good long one"}
    assert browser("POST", "/auth/password", json=change).status_code == 200
    assert browser("POST", "/auth/sign-out", json={}).status_code == 204
    told = [(row.action, row.object, row.account, row.role) for row in rows()]
    assert told == [
        ("sign_in", "accounts/desk-1", "desk-1", "analyst"),
        ("role", "accounts/desk-1", "desk-1", "planner"),
        ("denied", "plans", "desk-1", "planner"),
        ("account", "accounts/desk-1", "desk-1", "planner"),
        ("sign_in", "accounts/desk-1", "desk-1", "planner"),
        ("sign_out", "accounts/desk-1", "desk-1", "planner"),
    ]
    everything = str(audit.read(store, limit=1000))
    for secret in (PASSWORD, "another good long one", browser.cookies.get(CSRF_COOKIE, "nothing")):
        assert secret not in everything


def test_an_import_leaves_one_row(warm, rows):
    rows()
    content = b"occurred_at,category,origin,lon,lat\n2025-06-01T10:00:00+08:00,theft,public_report,120.605,31.285\n"
    files = {"file": ("new.csv", content, "text/csv")}
    form = {"crs": "wgs84", "id_from_content": "true"}
    assert warm.post("/imports/incidents", files=files, data=form, role="admin").status_code == 201
    (row,) = rows()
    assert (row.action, row.object, row.rows_count, row.account) == ("import", "imports/incidents", 1, "desk-admin")
    assert json.loads(row.detail)["state"] == "applied"
    assert warm.post("/imports/incidents", files=files, data=form, role="admin").status_code == 200
    assert [row.object for row in rows()] == ["imports/incidents"], "nothing changed, and it was tried"


def flush(client):
    client._runner.run(client.app.state.ledger.flush())


def test_tiles_are_counted_by_account_layer_and_minute(warm, rows):
    rows()
    z, y, x = 9, 208, 427
    for role, layer, times in (("officer", "incidents", 7), ("planner", "grids", 4), ("officer", "grids", 2)):
        for turn in range(times):
            path = f"/collections/{layer}/tiles/WebMercatorQuad/{z}/{y + turn % 3}/{x}"
            assert warm.get(path, role=role).status_code in (200, 204)
    for _ in range(3):
        assert warm.get("/runs", role="analyst").status_code == 200
    assert rows() == []
    flush(warm)
    found = rows()
    sums = {}
    for row in found:
        key = (row.account, row.object)
        sums[key] = sums.get(key, 0) + json.loads(row.detail)["requests"]
        assert row.action == "view"
        assert row.request_id is None
    assert sums == {
        ("desk-officer", "collections/incidents/tiles"): 7,
        ("desk-planner", "collections/grids/tiles"): 4,
        ("desk-officer", "collections/grids/tiles"): 2,
        ("desk-analyst", "runs"): 3,
    }
    assert len(found) <= 2 * len(sums), "a row each, or two where the minute turned"
    flush(warm)
    assert rows() == []


def test_who_has_not_signed_in_is_counted_too(warm, rows):
    rows()
    for _ in range(3):
        assert warm.get("/plans", role="public").status_code == 401
        assert warm.get("/map", role="public", headers={"Accept": "text/html"}).status_code == 303
    assert warm.get("/plans", role="public", headers={"Authorization": "Bearer wg_1_nonsense"}).status_code == 401
    flush(warm)
    assert sorted((r.action, r.object, r.role, json.loads(r.detail)["requests"]) for r in rows()) == [
        ("denied", "map", "public", 3),
        ("denied", "plans", "public", 4),
    ]


@pytest.fixture
def no_log(store):
    """Take the log away, and give back what lets it return."""
    engine = sa.create_engine(store.url)
    rename = "ALTER FUNCTION audit.{} RENAME TO {}"
    with engine.begin() as connection:
        connection.exec_driver_sql(rename.format("link", "gone"))
        connection.exec_driver_sql(
            "CREATE FUNCTION audit.link(entry audit.entries) RETURNS audit.entries LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no disk' USING ERRCODE = '53100'; END $$"
        )
    yield lambda: None
    engine.dispose()


@pytest.mark.asvs("16.5.3")
def test_without_the_log_nothing_is_shown_or_changed(warm, blocks, rows, no_log):
    assert len(blocks) == 5
    assert no_log
    for path, role in (
        (f"{GRIDS}/items", "planner"),
        (f"{GRIDS}/export.csv", "analyst"),
        (f"{GRIDS}/export.gpkg", "analyst"),
        ("/maps/grids.html", "planner"),
        ("/plans", "officer"),
    ):
        answer = warm.get(path, role=role)
        assert answer.status_code == 503, path
        assert answer.headers["retry-after"]
        assert "coordinates" not in answer.text
        assert answer.json()["detail"] == "the database has no memory, disk or connection to spare"
    assert warm.post("/plans", json={"title": "x"}, role="planner").status_code == 503
    assert warm.json("/plans", role="planner")["plans"] == [], "the plan went with its row"
    assert warm.get("/livez").status_code == 200
    assert rows() == []


def test_counts_wait_for_the_log_and_then_nothing_more_is_shown(store, no_log):
    now = 0.0
    ledger = Ledger(store, clock=lambda: now)
    trail = Trail(Asker("officer", 1, "desk"))
    with asyncio.Runner() as runner:
        for _ in range(5):
            ledger.count(Entry("view", "collections/grids/tiles", 1), trail)
        with pytest.raises(StoreUnavailable):
            runner.run(ledger.flush())
        ledger.count(Entry("view", "collections/grids/tiles", 1), trail)
        now = OVERDUE_S + 1
        with pytest.raises(StoreUnavailable):
            ledger.count(Entry("view", "collections/grids/tiles", 1), trail)
        engine = sa.create_engine(store.url)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP FUNCTION audit.link")
            connection.exec_driver_sql("ALTER FUNCTION audit.gone RENAME TO link")
        engine.dispose()
        runner.run(ledger.flush())
        ledger.count(Entry("view", "collections/grids/tiles", 1), trail)
    assert no_log
    assert sum(json.loads(row.detail)["requests"] for row in audit.read(store, actions=["view"])) == 6


def test_the_servers_own_role_reaches_the_log_by_its_functions_alone(store):
    audit.record(store, Entry("view", "x"))
    with store.transaction(NO_CITY) as connection:
        role = connection.exec_driver_sql("SELECT current_user").scalar()
    if role != "wangge_app":
        pytest.skip("the login has no lesser role to take")
    for statement in (
        "SELECT * FROM audit.entries",
        "INSERT INTO audit.entries SELECT * FROM audit.read(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 1)",
        "UPDATE audit.entries SET role = 'x'",
        "DELETE FROM audit.entries",
        "TRUNCATE audit.entries",
        "ALTER TABLE audit.entries DISABLE TRIGGER ALL",
        "SELECT audit.retain(now() - interval '1 year', NULL, NULL, 'x', NULL)",
        "SELECT audit.link(NULL)",
        "SELECT audit.digest(NULL)",
    ):
        mine = Store(store.url)
        with (
            pytest.raises(sa.exc.DBAPIError, match=r"permission denied|must be owner"),
            mine.transaction(NO_CITY) as open_,
        ):
            open_.exec_driver_sql(statement)
        mine.close()
    assert len(audit.read(store)) == 1


@pytest.fixture
def doings(store, filled):
    """A log of what was done by several desks in the city, elsewhere and in parts of it."""
    for role, areas, city, action in (
        ("analyst", None, filled.id, "export"),
        ("officer", (1, 2), filled.id, "view"),
        ("officer", (2,), filled.id, "denied"),
        ("analyst", None, filled.id + 1, "view"),
        ("admin", None, None, "grant"),
    ):
        with asking(Asker(role, 7, f"desk-{role}", areas, purpose="=1+1" if action == "export" else None)):
            audit.record(store, Entry(action, "collections/incidents", city, detail={"n": 1}))


def test_a_supervisor_sees_what_was_done_in_the_city_and_an_administrator_who_came(warm, rows, doings):
    assert doings is None
    seen = warm.json("/audit", role="supervisor")["entries"]
    assert [row["action"] for row in seen if row["actor"] != "desk-supervisor"] == ["denied", "view", "export"]
    assert {row["city"] for row in seen} == {seen[0]["city"]}
    seen = warm.json("/audit", role="admin")["entries"]
    assert {"grant", "denied", "token", "account", "setting"} == {row["action"] for row in seen}
    assert not {"view", "export", "run", "change"} & {row["action"] for row in seen}
    for role in ("officer", "analyst", "planner"):
        assert warm.get("/audit", role=role).status_code == 403
        assert warm.get("/audit.csv", role=role).status_code == 403
    assert [row.object for row in rows("view") if row.object == "audit"] == ["audit", "audit"], (
        "looking is written down"
    )


def test_a_supervisor_of_an_area_sees_that_of_the_area(store, filled, doings):
    assert doings is None
    found = audit.read(store, actions=["view", "export", "denied"], city_id=filled.id, areas=(1, 2, 3))
    assert [row.action for row in found] == ["denied", "view"]


def test_the_log_is_filtered_and_read_page_by_page(warm, doings):
    assert doings is None
    answer = warm.json("/audit?limit=2&action=denied", role="supervisor")
    assert [row["actor"] for row in answer["entries"]] == ["desk-officer"]
    assert warm.json("/audit?actor=desk-analyst", role="supervisor")["entries"][0]["action"] == "export"
    assert warm.json("/audit?datetime=../2020-01-01", role="supervisor")["entries"] == []
    numbers, path = [], "/audit?limit=3&f=json&lang=en"
    while path:
        page = warm.json(path, role="admin")
        numbers += [row["id"] for row in page["entries"]]
        path = next(
            (link["href"].removeprefix("http://127.0.0.1:8000") for link in page["links"] if link["rel"] == "next"), ""
        )
    assert numbers == sorted(set(numbers), reverse=True)
    assert len(numbers) > 6
    for wrong in ("action=export", "action=x", "before=x", "datetime=yesterday", f"actor={'x' * 300}", "unknown=1"):
        assert warm.get(f"/audit?{wrong}", role="admin").status_code == 400, wrong


def test_the_log_as_a_file_and_as_a_page(warm, doings):
    assert doings is None
    answer = warm.get("/audit.csv?action=export&actor=desk-analyst", role="supervisor")
    assert answer.headers["content-type"].startswith("text/csv")
    head, line, *rest = answer.text.removeprefix("\ufeff").splitlines()
    assert head.startswith("id,time,actor,role,action")
    assert "'=1+1" in line, "no formula for whoever opens it"
    assert rest == []
    for language, word in (("zh", "审计日志"), ("en", "Audit log")):
        page = warm.get(f"/audit?f=html&lang={language}&limit=2&action=view", role="supervisor").text
        assert word in page
        assert page.count("<tr>") <= 3
        assert word in warm.get(f"/audit?f=html&lang={language}", role="admin").text
