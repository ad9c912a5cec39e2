"""The administrators' pages: accounts, grants, tokens, imports, jobs, the log, cities; every change in the log."""

import json
import re

import pytest

from api.visitors import CSRF_COOKIE
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import Conflict
from gis.store import accounts, audit, cities, jobs
from gis.store.engine import NO_CITY
from gis.store.settings import settings
from tests.api.test_auth import PASSWORD, Browser

PAGE = {"Accept": "text/html"}


@pytest.fixture
def admin(served, store):
    """A browser in which the first administrator has signed in."""
    accounts.create_first_admin(store, "duty-admin", PASSWORD)
    browser = Browser(served)
    assert browser.sign_in("duty-admin").json()["role"] == "admin"
    return browser


@pytest.fixture
def changes(store):
    """What the log has of changes since the last look."""
    seen = 0

    def look():
        nonlocal seen
        found = [row for row in reversed(audit.read(store, limit=1000)) if row.seq > seen]
        seen = max([seen, *(row.seq for row in found)])
        return [(row.action, row.object, json.loads(row.detail).get("what"), row.account) for row in found]

    look()
    return look


def test_an_account_is_made_granted_and_comes_in_by_its_code(admin, served, changes):
    changes()
    made = admin("POST", "/admin/users", json={"name": "Night-Desk"})
    assert (made.status_code, made.json()["name"], made.json()["signs_in_by"]) == (201, "night-desk", "tokens")
    granted = admin("POST", "/admin/users/night-desk/grants", json={"role": "officer"})
    assert granted.json()["grants"] == [{"role": "officer", "city": "test", "areas": None}]
    told = admin("POST", "/admin/users/night-desk/code", json={}).json()
    assert told["link"].endswith(f"/signin/first?name=night-desk#{told['code']}")
    assert changes() == [
        ("account", "accounts/night-desk", "created", "duty-admin"),
        ("grant", "accounts/night-desk", "granted", "duty-admin"),
        ("account", "accounts/night-desk", "one-time code", "duty-admin"),
    ]
    desk = Browser(served)
    page = desk("GET", "/signin/first?name=night-desk&lang=en", headers=PAGE)
    assert 'value="night-desk"' in page.text
    assert told["code"] not in page.text
    wrong = {"name": "night-desk", "code": "not the code", "password": PASSWORD}
    assert desk("POST", "/auth/first", json=wrong).status_code == 401
    weak = {"name": "night-desk", "code": told["code"], "password": "night-desk-1234"}
    refused = desk("POST", "/auth/first", data=weak)
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    good = {**weak, "password": "a good long password"}
    assert desk("POST", "/auth/first", json=good).json()["role"] == "officer"
    assert desk("GET", "/runs").status_code == 200
    assert Browser(served)("POST", "/auth/first", json=good).status_code == 401, "once"
    assert Browser(served).sign_in("night-desk", "a good long password").status_code == 200
    assert told["code"] not in str(changes())


def test_granting_twice_grants_once(admin, changes):
    admin("POST", "/admin/users", json={"name": "desk"})
    once = admin("POST", "/admin/users/desk/grants", json={"role": "officer"})
    changes()
    assert admin("POST", "/admin/users/desk/grants", json={"role": "officer"}).json() == once.json()
    (row,) = changes()
    assert row == ("grant", "admin/users/desk/grants", None, "duty-admin"), "it was asked, and nothing was given"


def test_a_code_ends_after_half_an_hour_and_with_the_next_one(admin, served, store):
    admin("POST", "/admin/users", json={"name": "desk"})
    first = admin("POST", "/admin/users/desk/code", json={}).json()["code"]
    second = admin("POST", "/admin/users/desk/code", json={}).json()["code"]
    choice = {"name": "desk", "password": PASSWORD}
    assert Browser(served)("POST", "/auth/first", json={**choice, "code": first}).status_code == 401
    with store.transaction(NO_CITY) as connection:
        connection.exec_driver_sql("UPDATE city.accounts SET code_expires_at = now() - interval '1 second'")
    assert Browser(served)("POST", "/auth/first", json={**choice, "code": second}).status_code == 401
    third = admin("POST", "/admin/users/desk/code", json={}).json()["code"]
    admin("POST", "/admin/users/desk/disable", json={})
    assert Browser(served)("POST", "/auth/first", json={**choice, "code": third}).status_code == 401
    assert admin("POST", "/admin/users/desk/code", json={}).status_code == 422


def test_guessing_a_code_waits_like_guessing_a_password(admin, served):
    admin("POST", "/admin/users", json={"name": "desk"})
    guess = {"name": "desk", "code": "x", "password": PASSWORD}
    answers = [Browser(served)("POST", "/auth/first", json=guess).status_code for _ in range(7)]
    assert answers[0] == 401
    assert answers[-1] == 429


def test_tokens_are_told_once_and_end(admin, served, store, filled, changes):
    accounts.create(store, "desk")
    accounts.grant(store, "desk", "analyst", filled)
    changes()
    asked = {"role": "analyst", "title": "notebooks", "days": "30"}
    token = admin("POST", "/admin/users/desk/tokens", json=asked).json()["token"]
    header = {"Authorization": f"Bearer {token}"}
    assert served.get("/runs", role="public", headers=header).status_code == 200
    page = admin("GET", "/admin/users/desk", headers={"Accept": "application/json"}).json()
    (listed,) = page["tokens"]
    assert (listed["title"], listed["role"], listed["may_change"]) == ("notebooks", "analyst", False)
    assert token not in admin("GET", "/admin/users/desk", headers=PAGE).text
    assert admin("POST", f"/admin/tokens/{listed['id']}/revoke", json={}).json()["revoked"]
    served.app.state.visitors.forget()
    assert served.get("/runs", role="public", headers=header).status_code == 401
    assert [(action, what) for action, _, what, _ in changes()] == [
        ("token", "issued"),
        ("token", "revoked"),
    ]
    for wrong in (
        {"days": "x"},
        {"days": "1000"},
        {"days": "0"},
        {"role": "planner"},
        {"title": " "},
        {"role": "king"},
    ):
        assert admin("POST", "/admin/users/desk/tokens", json={**asked, **wrong}).status_code == 422, wrong
    assert admin("POST", "/admin/tokens/999/revoke", json={}).status_code == 404


def test_the_last_administrator_stays(admin, store, changes):
    changes()
    for act, body in (("disable", {}), ("revoke", {"role": "admin"})):
        refused = admin("POST", f"/admin/users/duty-admin/{act}", json=body)
        assert refused.status_code == 409
        assert "only administrator" in refused.json()["detail"]
    assert changes() == []
    admin("POST", "/admin/users", json={"name": "second"})
    admin("POST", "/admin/users/second/grants", json={"role": "admin"})
    assert admin("POST", "/admin/users/second/disable", json={}).json()["disabled"]
    assert admin("POST", "/admin/users/second/enable", json={}).json()["disabled"] is None
    with pytest.raises(Conflict):
        accounts.create_first_admin(store, "third", PASSWORD)


def test_logins_end_and_grants_go(admin, served, store, filled):
    accounts.create(store, "desk", password=PASSWORD)
    accounts.grant(store, "desk", "analyst", filled)
    desk = Browser(served)
    desk.sign_in("desk")
    assert desk("GET", "/runs").status_code == 200
    assert admin("POST", "/admin/users/desk/end-logins", json={}).status_code == 200
    assert desk("GET", "/runs").status_code == 401
    gone = admin("POST", "/admin/users/desk/revoke", json={"role": "analyst", "city": "test"})
    assert gone.json()["grants"] == []
    for path, body in (
        ("/admin/users/desk/revoke", {"role": "analyst", "city": "test"}),
        ("/admin/users/desk/revoke", {"role": "analyst", "city": "nowhere"}),
        ("/admin/users/nobody/disable", {}),
        ("/admin/users/nobody/code", {}),
    ):
        assert admin("POST", path, json=body).status_code == 404, path
    assert admin("POST", "/admin/users/desk/grants", json={"role": "king"}).status_code == 422
    assert admin("POST", "/admin/users/desk/grants", json={"role": "officer", "areas": "district:0"}).status_code == 422
    assert admin("POST", "/admin/users", json={"name": "desk"}).status_code == 409
    assert admin("POST", "/admin/users", json={"name": "No Name!"}).status_code == 422


def forms_of(page):
    """Return action and hidden fields of each form of a page."""
    found = []
    pattern = r'<form[^>]*method="post" action="([^"?]+)[^"]*"[^>]*>(.*?)</form>'
    for action, inside in re.findall(pattern, page, re.DOTALL):
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', inside))
        found.append((action, hidden))
    return found


def test_the_pages_work_by_forms_alone(admin, store, filled, changes):
    accounts.create(store, "desk")
    accounts.grant(store, "desk", "officer", filled)
    changes()
    users = admin("GET", "/admin/users?lang=en", headers=PAGE).text
    (add,) = [fields for action, fields in forms_of(users) if action == "/admin/users"]
    done = admin("POST", "/admin/users", data={**add, "name": "day-desk"}, csrf=False)
    assert (done.status_code, done.headers["location"]) == (303, "/admin/users/day-desk?lang=zh&f=html")
    page = admin("GET", "/admin/users/desk?lang=en&f=html", headers=PAGE).text
    forms = dict(forms_of(page))
    assert (
        admin("POST", "/admin/users/desk/revoke", data=forms["/admin/users/desk/revoke"], csrf=False).status_code == 303
    )
    told = admin("POST", "/admin/users/desk/code", data=forms["/admin/users/desk/code"], csrf=False)
    assert told.status_code == 201
    assert "/signin/first?name=desk#" in told.text
    assert told.headers["cache-control"] == "no-store"
    refused = admin("POST", "/admin/users", data={**add, "name": "desk"}, csrf=False)
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert [what for _, _, what, _ in changes()] == ["created", "revoked", "one-time code"]
    without = {name: value for name, value in add.items() if name != "csrf"}
    assert admin("POST", "/admin/users", data={**without, "name": "x-desk"}, csrf=False).status_code == 403
    wrong = admin("POST", "/admin/users", data={**add, "csrf": "0" * 64, "name": "x-desk"}, csrf=False)
    assert wrong.status_code == 403


POSTS = [
    "users", "users/desk/grants", "users/desk/revoke", "users/desk/tokens", "users/desk/code", "users/desk/end-logins",
    "users/desk/disable", "users/desk/enable", "tokens/1/revoke", "jobs/test/1/dismiss", "imports", "cities",
]  # fmt: skip


@pytest.mark.parametrize("what", POSTS)
def test_no_change_without_the_token_of_the_page(admin, what):
    files = {"files": {"file": ("a.csv", b"x", "text/csv")}} if what == "imports" else {"data": {"csrf": ""}}
    answer = admin("POST", f"/admin/{what}", csrf=False, **files)
    assert answer.status_code == 403
    assert "CSRF" in answer.text


def test_files_are_tried_out_and_taken_with_a_mapping(admin, store, filled, changes):
    content = "什么时候,kind,origin,lon,lat\n2025-06-01T10:00:00+08:00,theft,public_report,120.605,31.285\n".encode()
    token = admin.cookies[CSRF_COOKIE]
    form = {
        "csrf": token, "frame": "incidents", "crs": "wgs84", "source": "june",
        "map": "occurred_at=什么时候\r\ncategory=kind\r\n",
    }  # fmt: skip
    file = {"file": ("june.csv", content, "text/csv")}
    changes()
    refused = admin("POST", "/admin/imports", data={**form, "frame": "nonsense"}, files=file, csrf=False)
    assert refused.status_code == 422
    assert "must be one of" in refused.text
    tried = admin("POST", "/admin/imports", data={**form, "dry_run": "true"}, files=file, csrf=False, headers=PAGE)
    assert tried.status_code in (303, 422), tried.text
    listed = admin("GET", "/admin/imports", headers={"Accept": "application/json"}).json()["imports"]
    assert listed[0]["frame"] == "incidents"
    assert {action for action, *_ in changes()} == {"import"}
    page = admin("GET", "/admin/imports?lang=en", headers=PAGE).text
    assert 'name="dry_run" type="checkbox" value="true" checked' in page
    assert filled
    assert store


def test_jobs_of_every_city_are_seen_without_what_they_are_about(admin, store, filled, changes):
    other = cities.create(store, CityProfile("other", Text("别城", "Other"), "EPSG:4549", "Asia/Shanghai"))
    mine = jobs.submit(store, filled, "incident_density", {})
    theirs = jobs.submit(store, other, "hotspots", {"unit": "grids"})
    changes()
    listed = admin("GET", "/admin/jobs", headers={"Accept": "application/json"}).json()["jobs"]
    assert [(job["id"], job["city"]) for job in listed] == [(theirs.id, "other"), (mine.id, "test")]
    assert not {"parameters", "message", "run_id"} & listed[0].keys()
    done = admin("POST", f"/admin/jobs/other/{theirs.id}/dismiss", json={})
    assert done.json()["state"] == "dismissed"
    assert changes() == [("change", f"jobs/{theirs.id}", "dismissed", "duty-admin")]
    assert admin("POST", f"/admin/jobs/test/{theirs.id}/dismiss", json={}).status_code == 404
    assert admin("POST", "/admin/jobs/nowhere/1/dismiss", json={}).status_code == 404
    assert admin("POST", "/admin/jobs/test/x/dismiss", json={}).status_code == 404
    assert "incident_density" not in admin("GET", "/admin/jobs?lang=en", headers=PAGE).text, "by its title"


def test_another_city_is_taken_into_use(admin, store, filled, changes):
    cities.create(store, CityProfile("other", Text("别城", "Other"), "EPSG:4549", "Asia/Shanghai"))
    changes()
    assert admin("POST", "/admin/cities", json={"slug": "other"}).json() == {"in_use": "other"}
    listed = admin("GET", "/admin/cities", headers={"Accept": "application/json"}).json()["cities"]
    assert {city["slug"]: city["in_use"] for city in listed} == {"other": True, "test": False}
    assert changes() == [("setting", "cities/other", "in use", "duty-admin")]
    assert admin("POST", "/admin/cities", json={"slug": "nowhere"}).status_code == 404
    assert cities.current(store).profile.slug == "other"
    assert filled


def test_the_log_is_checked_from_its_page(admin, tmp_path, monkeypatch):
    # The folder of the project may hold the anchors of another log.
    monkeypatch.setenv("WANGGE_AUDIT_ANCHOR", str(tmp_path / "anchors.jsonl"))
    settings.cache_clear()
    state = admin("GET", "/admin/audit", headers={"Accept": "application/json"}).json()
    assert state["rows"] > 0
    assert "check" not in state
    checked = admin("GET", "/admin/audit?check=true", headers={"Accept": "application/json"}).json()["check"]
    assert checked["whole"]
    assert (checked["first"], checked["faults"]) == (1, [])
    assert "Whole" in admin("GET", "/admin/audit?check=true&lang=en", headers=PAGE).text
    monkeypatch.undo()
    settings.cache_clear()


def test_how_the_server_is(admin):
    state = admin("GET", "/admin/health", headers={"Accept": "application/json"}).json()
    assert {check["name"] for check in state["checks"]} >= {"database", "worker", "disk"}
    assert state["versions"]["postgis"].startswith("3.")
    assert state["database_bytes"] > 1_000_000
    assert 0 <= state["pool"]["used"] <= state["pool"]["size"]
    assert state["cache"]["limit"] > 0
    overview = admin("GET", "/admin", headers={"Accept": "application/json"}).json()
    assert overview["users"] == {"open": 1, "all": 1}


PAGES = ("", "/users", "/users/duty-admin", "/imports", "/jobs", "/health", "/audit?check=true", "/cities")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_is_in_the_readers_language(admin, language):
    for path in PAGES:
        joint = "&" if "?" in path else "?"
        page = admin("GET", f"/admin{path}{joint}lang={language}", headers=PAGE)
        assert page.status_code == 200, path
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in page.text
        body = re.sub(r"<[^>]*>", " ", page.text.split("<main")[1].split("</main>")[0])
        if language == "en":
            assert not re.search(r"[\u4e00-\u9fff]", body.replace("试验城", "")), (path, body)


def test_an_administrator_sees_no_incident(admin):
    for path in (
        "/collections/incidents",
        "/collections/incidents/items",
        "/collections/incidents/export.csv?purpose=abc",
    ):
        assert admin("GET", path).status_code in (403, 404)
    assert admin("GET", "/hotspots").status_code == 403
