"""What goes wrong answers in one shape, and tells nothing that is not ours to tell."""

import pytest
import structlog

from api.middleware import CSP
from api.problems import STATUS, status_of
from api.routes import items
from gis import errors
from gis.store.engine import Store
from tests.api.conftest import HOME, Client

SHAPE = {"type", "title", "status", "detail", "problems", "request_id"}


def every_error(root=errors.GridError):
    for cls in root.__subclasses__():
        yield cls
        yield from every_error(cls)


@pytest.mark.parametrize("cls", sorted(set(every_error()), key=lambda c: c.__name__), ids=lambda c: c.__name__)
def test_every_error_of_the_tree_has_a_status(cls):
    assert 400 <= status_of(cls("it went wrong")) <= 503
    assert any(c in STATUS for c in cls.__mro__)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/collections/none", 404),
        ("POST", "/collections", 405),
        ("DELETE", "/collections/grids/items/1", 405),
        ("GET", "/collections?x=1", 400),
        ("GET", "/jobs/999999999", 404),
        ("GET", "/processes/none", 404),
        ("GET", "/imports/999", 404),
        ("GET", "/imports/a", 404),
        ("GET", "/runs/a", 404),
        ("GET", "/assets/../pyproject.toml", 404),
        ("GET", "/assets/%2e%2e/%2e%2e/%2e%2e/pyproject.toml", 404),
        ("GET", "/static/%2fetc%2fpasswd", 404),
        ("GET", "/collections/grids/", 404),
    ],
)
def test_problems_have_the_shape_of_rfc_9457(shared, method, path, status):
    answer = shared(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) >= SHAPE
    assert answer.json()["status"] == status
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_a_person_gets_the_problem_as_a_page(shared):
    answer = shared.get("/collections/none", headers={"accept": "text/html", "accept-language": "en"})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "Not found" in answer.text


@pytest.mark.asvs("1.2.1")
def test_an_error_page_escapes_what_was_asked_for(shared):
    answer = shared.get("/collections/<script>alert(1)</script>?f=html")
    assert answer.status_code == 404
    assert "<script>" not in answer.text


@pytest.mark.asvs("13.4.2", "16.3.4", "16.5.1", "16.5.4")
def test_a_bug_is_a_500_that_tells_nothing_and_is_logged(served, monkeypatch):
    async def broken(*_args, **_options):
        raise RuntimeError("POINT(120.123456 31.654321) violates secret_table")

    monkeypatch.setattr(items, "page", broken)
    monkeypatch.setattr(items.items, "page", broken)
    with structlog.testing.capture_logs() as logged:
        answer = served.get("/collections/grids/items")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "120.123" not in answer.text
    assert "secret_table" not in answer.text
    assert any(line["event"] == "unexpected_error" for line in logged)


@pytest.mark.asvs("16.5.2")
def test_a_database_that_is_away_is_a_503_with_retry_after():
    away = Client(Store("postgresql://nobody:x@127.0.0.1:9/none"))
    for path in ("/collections/grids/items", "/", "/readyz"):
        answer = away.get(path)
        assert answer.status_code == 503, path
        assert int(answer.headers["retry-after"]) > 0
    assert away.get("/livez").status_code == 200
    assert "postgresql" not in away.get("/").text
    away.close()


@pytest.mark.asvs("3.4.3", "3.4.4", "3.2.1")
def test_every_answer_carries_the_security_headers(shared):
    for path in ("/", "/collections/grids/items", "/nowhere", "/static/pages.css"):
        headers = shared.get(path).headers
        assert headers["content-security-policy"] == CSP
        assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "localhost@evil.example", "[::2]", "["])
def test_a_foreign_host_name_is_refused(shared, host):
    assert shared.get("/collections", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000"])
def test_the_names_of_this_machine_are_answered(shared, host):
    assert shared.get("/livez", headers={"host": host}).status_code == 200


@pytest.mark.asvs("3.5.1", "3.5.2")
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/processes/hotspots/execution"), ("DELETE", "/jobs/1"), ("POST", "/imports/grids")],
)
def test_another_site_cannot_change_anything(shared, method, path, headers):
    assert shared(method, path, headers=headers).status_code == 403


def test_our_own_pages_and_scripts_can(shared):
    for headers in ({"origin": HOME}, {"sec-fetch-site": "same-origin"}, {}):
        assert shared("DELETE", f"/jobs/{2**62}", headers=headers).status_code == 404


@pytest.mark.asvs("2.3.2", "5.2.1")
def test_a_large_body_is_a_413_before_it_is_read(served, store):
    del served
    small = Client(store, max_body_bytes=1000)
    assert small.post("/processes/hotspots/execution", content=b"x" * 1001).status_code == 413

    async def endless():
        for _ in range(100):
            yield b"x" * 100

    assert small.post("/processes/hotspots/execution", content=endless()).status_code == 413
    small.close()
