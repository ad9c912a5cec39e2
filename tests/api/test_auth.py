"""Coming in and going out, as a browser and as a program do it."""

import re
from base64 import b64encode
from http.cookies import SimpleCookie

import pytest

from api.app import PLAIN, ROUTERS
from api.catalogue import layers_seen, services_seen
from api.demo_accounts import ensure, name_of
from api.matrix import LINES, OPEN, line
from api.throttle import FROM_ONE_PLACE, OF_ONE_ACCOUNT, WINDOW_S, Throttle
from api.visitors import COOKIE, CSRF_COOKIE, CSRF_HEADER, csrf_of
from gis.contract.roles import GRANTABLE, ROLES
from gis.errors import TooMany
from gis.store import accounts
from layers.engine.catalog import catalog
from tests.api.conftest import Client

PASSWORD = "correct horse battery staple"


@pytest.fixture
def desk(filled, store):
    """An account that plans, analyses and approves."""
    accounts.create(store, "desk-1", password=PASSWORD)
    for role in ("planner", "analyst", "supervisor"):
        accounts.grant(store, "desk-1", role, filled)
    return accounts.get(store, "desk-1")


class Browser:
    """A browser of one person: it keeps the cookies that a trustworthy origin may set."""

    def __init__(self, client):
        self.client, self.cookies = client, {}

    def __call__(self, method, path, *, csrf=None, **more):
        headers = dict(more.pop("headers", {}))
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if csrf is not False and CSRF_COOKIE in self.cookies:
            headers[CSRF_HEADER] = csrf or self.cookies[CSRF_COOKIE]
        answer = self.client(method, path, role="public", headers=headers, **more)
        for text in answer.headers.get_list("set-cookie"):
            (name, morsel), *_ = SimpleCookie(text).items()
            assert morsel["secure"]
            assert morsel["path"] == "/"
            assert not morsel["domain"]
            assert morsel["samesite"].lower() == "lax"
            assert bool(morsel["httponly"]) == (name != CSRF_COOKIE)
            if morsel["max-age"] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value
        return answer

    def sign_in(self, name="desk-1", password=PASSWORD, **more):
        return self("POST", "/auth/sign-in", json={"name": name, "password": password}, **more)


@pytest.fixture
def browser(served):
    return Browser(served)


@pytest.mark.asvs("3.3.1", "3.3.2", "3.3.3", "3.3.4", "7.4.1", "7.2.1", "14.3.1")
def test_a_browser_signs_in_acts_and_signs_out(browser, desk):
    assert browser("GET", "/auth/me").json()["signed_in"] is False
    assert browser("GET", "/plans").status_code == 401
    answer = browser.sign_in()
    assert answer.status_code == 200
    assert answer.json()["role"] == "analyst"
    assert browser.cookies.keys() == {COOKIE, CSRF_COOKIE}
    me = browser("GET", "/auth/me").json()
    assert (me["name"], me["role"], [role["id"] for role in me["roles"]]) == (
        desk.name, "analyst", ["analyst", "planner", "supervisor"],
    )  # fmt: skip
    assert browser("GET", "/collections/incidents/items?limit=1").status_code == 200
    assert browser("GET", "/plans").status_code == 403
    out = browser("POST", "/auth/sign-out", json={})
    assert out.status_code == 204
    assert out.headers["clear-site-data"] == '"cache", "storage"'
    assert browser.cookies == {}
    assert browser("GET", "/collections/incidents/items?limit=1").status_code == 404


@pytest.mark.asvs("7.2.2", "7.2.4")
def test_the_secret_changes_with_every_sign_in_and_role(browser, desk, served):
    del desk
    browser.sign_in()
    first = dict(browser.cookies)
    browser.sign_in()
    second = dict(browser.cookies)
    assert browser("POST", "/auth/role", json={"role": "planner"}).json()["role"] == "planner"
    assert browser("GET", "/plans").status_code == 200
    assert len({first[COOKIE], second[COOKIE], browser.cookies[COOKIE]}) == 3
    for old in (first, second):
        served.app.state.visitors.forget()
        answer = served.get("/plans", role="public", headers={"Cookie": f"{COOKIE}={old[COOKIE]}"})
        assert answer.status_code == 401
    assert browser("POST", "/auth/role", json={"role": "admin"}).status_code == 403
    assert browser("POST", "/auth/role", json={"role": "mayor"}).status_code == 422


@pytest.mark.asvs("3.5.1")
def test_a_change_needs_the_token_that_belongs_to_the_login(browser, desk, served):
    del desk
    browser.sign_in()
    browser("POST", "/auth/role", json={"role": "planner"})
    for wrong in (False, "0" * 64, csrf_of("another secret")):
        answer = browser("POST", "/plans", json={"title": "x"}, csrf=wrong)
        assert answer.status_code == 403
        assert "CSRF" in answer.json()["detail"]
        assert browser("POST", "/auth/role", json={"role": "analyst"}, csrf=wrong).status_code == 403
        assert browser("POST", "/auth/sign-out", json={}, csrf=wrong).status_code == 403
    foreign = {"Origin": "https://evil.example"}
    assert browser("POST", "/plans", json={"title": "x"}, headers=foreign).status_code == 403
    # What passes all of that fails for another reason: the city has no blocks.
    assert browser("POST", "/plans", json={"title": ""}).status_code == 422
    assert served.json("/plans", role="planner")["plans"] == []


@pytest.mark.asvs("8.3.2")
def test_what_is_taken_away_acts_at_once(browser, desk, served, store, filled):
    browser.sign_in()
    assert browser("GET", "/runs").status_code == 200
    accounts.revoke(store, desk.name, "analyst", filled)
    served.app.state.visitors.forget()  # or a second later
    assert browser("GET", "/runs").status_code == 403
    accounts.disable(store, desk.name)
    served.app.state.visitors.forget()
    assert browser("GET", "/runs").status_code == 401


@pytest.mark.asvs("6.3.1")
def test_a_wrong_name_and_a_wrong_password_are_told_apart_by_nothing(browser, desk):
    wrong = [browser.sign_in(desk.name, "x" * 12), browser.sign_in("nobody", PASSWORD)]
    assert {answer.status_code for answer in wrong} == {401}
    assert len({answer.json()["detail"] for answer in wrong}) == 1


@pytest.mark.asvs("2.4.1", "6.3.1")
def test_too_many_failures_wait(browser, desk):
    for _ in range(FROM_ONE_PLACE):
        assert browser.sign_in(password="not the password").status_code == 401
    answer = browser.sign_in()
    assert answer.status_code == 429
    assert 0 < int(answer.headers["retry-after"]) <= WINDOW_S
    assert browser.sign_in("nobody").status_code == 401, desk.name


def test_the_throttle_counts_by_place_by_account_and_forgets():
    now = 0.0
    throttle = Throttle(lambda: now)
    for i in range(OF_ONE_ACCOUNT):
        throttle.failed("desk", f"10.0.0.{i}")
    with pytest.raises(TooMany):
        throttle.check("desk", "10.1.1.1")
    throttle.check("other", "10.1.1.1")
    now = WINDOW_S + 1
    throttle.check("desk", "10.1.1.1")
    for _ in range(FROM_ONE_PLACE):
        throttle.failed("desk", "10.1.1.1")
    throttle.succeeded("desk", "10.1.1.1")
    throttle.check("desk", "10.1.1.1")


@pytest.mark.asvs("6.2.2", "6.2.3", "7.4.3", "7.5.1")
def test_a_new_password_ends_the_other_logins(browser, desk, served):
    del desk
    other = Browser(served)
    other.sign_in()
    browser.sign_in()
    change = {"old": PASSWORD, "new": "another good long one"}
    assert browser("POST", "/auth/password", json={**change, "old": "wrong"}).status_code == 422
    assert browser("POST", "/auth/password", json={**change, "new": "short"}).status_code == 422
    assert browser("POST", "/auth/password", json=change).status_code == 200
    assert browser("GET", "/runs").status_code == 200
    assert other("GET", "/runs").status_code == 401
    assert other.sign_in().status_code == 401
    assert other.sign_in(password="another good long one").status_code == 200


@pytest.mark.asvs("14.2.1")
def test_a_token_is_a_header_and_nothing_else(served, desk, store, filled):
    reading, changing = (
        accounts.issue(store, desk.id, filled.id, title="t", role="planner", days=1, may_change=may)
        for may in (False, True)
    )

    def ask(method, path, token, **more):
        return served(method, path, role="public", headers={"Authorization": f"Bearer {token}"}, **more)

    assert ask("GET", "/plans", reading).status_code == 200
    assert ask("POST", "/plans", reading, json={"title": "x"}).status_code == 403
    assert ask("POST", "/plans", changing, json={"title": ""}).status_code == 422
    assert ask("GET", "/collections/incidents", reading).status_code == 404
    assert ask("GET", "/plans", reading[:-1] + "!").status_code == 401
    # Desktop programs that know no bearer give the token as a password.
    for said, status in ((f"anything:{reading}", 200), (f"{reading}:", 401), (reading, 401), ("x:y", 401)):
        basic = {"Authorization": f"Basic {b64encode(said.encode()).decode()}"}
        assert served.get("/plans", role="public", headers=basic).status_code == status
    assert served.get("/plans", role="public", headers={"Authorization": "Basic !"}).status_code == 401
    assert served.get(f"/plans?token={reading}", role="public").status_code == 401
    assert served.get("/plans", role="public").headers["www-authenticate"].startswith("Bearer")
    assert ask("POST", "/auth/role", changing, json={"role": "planner"}).status_code == 401
    assert ask("POST", "/auth/password", changing, json={}).status_code == 401


@pytest.mark.asvs("6.2.6", "7.6.2")
def test_a_person_is_led_to_the_page_and_back(browser, desk):
    person = {"Accept": "text/html"}
    answer = browser("GET", "/edit?lang=en", headers=person)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/signin?next=%2Fedit%3Flang%3Den&lang=en"
    page = browser("GET", answer.headers["location"], headers=person)
    assert 'name="next" value="/edit?lang=en"' in page.text
    form = {"name": desk.name, "password": "wrong", "next": "/edit?lang=en"}
    refused = browser("POST", "/auth/sign-in", data=form)
    assert refused.status_code == 401
    assert 'role="alert"' in refused.text
    assert PASSWORD not in refused.text
    welcome = browser("POST", "/auth/sign-in", data={**form, "password": PASSWORD})
    assert (welcome.status_code, welcome.headers["location"]) == (303, "/edit?lang=en")
    page = browser("GET", "/", headers=person)
    token = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)[1]
    out = browser("POST", "/auth/sign-out", data={"csrf": token}, csrf=False)
    assert (out.status_code, out.headers["location"]) == (303, "/signin")


@pytest.mark.asvs("1.2.2", "3.7.2")
@pytest.mark.parametrize(
    "next_", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/auth/me", "/\x00"]
)
def test_nobody_is_led_astray(browser, desk, next_):
    form = {"name": desk.name, "password": PASSWORD, "next": next_}
    assert browser("POST", "/auth/sign-in", data=form).headers.get("location", "/map") == "/map"


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"name": 1, "password": "x"}', b'{"name": "a", "password": "x", "role": "admin"}']
)
def test_a_body_that_is_none_is_a_422(served, body):
    assert served.post("/auth/sign-in", role="public", content=body).status_code == 422


@pytest.mark.asvs("6.3.2")
def test_demo_accounts_are_for_the_demo_on_this_machine_alone(filled, store, served):
    ensure(store, filled)
    assert ensure(store, filled)[0] == name_of("analyst")
    assert served.post("/auth/demo", role="public", json={"role": "admin"}).status_code == 404
    assert served.post("/auth/sign-in", role="public", json={"name": "demo-admin", "password": ""}).status_code == 401
    demo = Client(store, demo_accounts=True)
    try:
        assert 'data-role="analyst"' in demo.get("/signin", role="public").text
        for role in GRANTABLE:
            person = Browser(demo)
            assert person("POST", "/auth/demo", json={"role": role}).status_code == 200
            assert person("GET", "/auth/me").json()["role"] == role
        assert demo.post("/auth/demo", role="public", json={"role": "public"}).status_code == 422
    finally:
        demo.close()


def test_before_the_first_account_the_page_says_how_to_make_it(client):
    assert "wangge user create-admin" in client.get("/signin?lang=en", role="public").text


def every_route():
    for route in (*(route for router in ROUTERS for route in router.routes), *PLAIN):
        for method in sorted(route.methods):
            yield line(method, route.path)


@pytest.mark.asvs("6.3.4")
def test_every_route_has_its_line_and_every_line_its_route():
    assert set(every_route()) == set(LINES)
    assert {name for name, roles in LINES.items() if roles == set(ROLES)} >= OPEN


def address_of(name):
    """Return an address of a route: of things that are not there, but of a layer that is."""
    path = name.split(" ", 1)[1]
    path = path.replace("/collections/{id_}", "/collections/grids").replace("/collections/{id}", "/collections/grids")
    path = path.replace("{tms}", "WebMercatorQuad")
    path = path.replace("{frame}", "incidents").replace("{ending}", "csv").replace("{name}.html", "grids.html")
    return re.sub(r"\{[a-z_]+(:[a-z]+)?\}", "9", path)


@pytest.mark.asvs("8.2.1", "8.3.1")
@pytest.mark.parametrize("name", sorted(LINES))
def test_every_route_lets_in_whom_its_line_says_and_nobody_else(shared, name):
    method = name.split(" ", 1)[0]
    for role in ROLES:
        answer = shared(method, address_of(name), role=role)
        allowed = role in LINES[name]
        refused = answer.status_code == (401 if role == "public" else 403)
        if name.startswith("POST /auth/") or "/export." in name:
            # They may refuse by themselves as well, in words of their own.
            refused = (refused and "may not do this" in answer.text) or answer.text.count("sign in to see this") > 0
        assert refused == (not allowed), (role, answer.status_code, answer.text)
        assert answer.status_code < 500 or name == "GET /readyz"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_its_layers_and_no_trace_of_the_others(shared, role):
    seen = {layer["id"] for layer in shared.json("/collections", role=role)["collections"]}
    assert seen == set(layers_seen(role)) == {id_ for id_, layer in catalog().items() if role in layer.roles}
    style = shared.get("/styles/map", role=role).text
    described = shared.get("/api?f=json", role=role).text
    for id_ in catalog():
        there = [
            shared.get(f"/collections/{id_}{more}", role=role).status_code != 404
            for more in ("", "/items", "/queryables", "/schema", "/tiles", "/tiles/WebMercatorQuad")
        ]
        tile = shared.get(f"/collections/{id_}/tiles/WebMercatorQuad/0/0/0", role=role).status_code
        assert set(there) == {id_ in seen}, id_
        assert (tile != 404) == (id_ in seen), id_
        assert (f"/collections/{id_}/" in style) == (id_ in seen), id_
        assert (f"/collections/{id_}/" in described) == (id_ in seen), id_
        assert (shared.get(f"/styles/{id_}", role=role).status_code == 200) == (id_ in seen), id_


@pytest.mark.parametrize("role", GRANTABLE)
def test_a_role_sees_the_services_of_its_layers(shared, role):
    listed = {process["id"] for process in shared.json("/processes", role=role)["processes"]}
    assert listed == set(services_seen(role))
    if role == "planner":
        assert "near_repeat" not in listed
        assert shared.post("/processes/near_repeat/execution", role=role, json={}).status_code == 404


@pytest.mark.asvs("8.2.3", "15.3.1", "14.2.6")
@pytest.mark.parametrize("role", ROLES)
def test_the_properties_of_a_layer_are_the_same_in_every_face_of_it(shared, role):
    for id_, layer in layers_seen(role).items():
        schema = shared.json(f"/collections/{id_}/schema", role=role)
        told = {name for name, entry in schema["properties"].items() if "x-ogc-role" not in entry}
        assert told == set(layer.columns), (role, id_)
        for feature in shared.json(f"/collections/{id_}/items?limit=3", role=role)["features"]:
            assert feature["properties"].keys() == set(layer.columns), (role, id_)
