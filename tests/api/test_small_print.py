"""Small things that a server must not do, each asked for by number in the standard for verifying applications."""

from __future__ import annotations

import io
import json

import pytest
import structlog

from api import logs
from api.middleware import SECURITY_HEADERS
from tests.api.conftest import HOME


@pytest.mark.asvs("13.4.4")
def test_trace_is_no_method_here(shared):
    for path in ("/", "/collections/grids/items", "/auth/me"):
        assert shared("TRACE", path).status_code == 405


@pytest.mark.asvs("13.4.1", "13.4.3", "5.3.1")
@pytest.mark.parametrize(
    "path",
    ["/.git/HEAD", "/.git/", "/assets/", "/static/", "/assets", "/uploads/", "/assets/.env", "/static/../settings.py",
     "/assets/%2e%2e/index.html", "/pyproject.toml", "/.wangge/postgres/password"],
)  # fmt: skip
def test_no_folder_is_listed_and_no_file_but_the_built_ones_is_had(shared, path):
    assert shared.get(path).status_code in (404, 405)


@pytest.mark.asvs("3.4.2", "3.4.4", "3.4.5", "3.4.6")
def test_no_other_origin_is_ever_invited(shared):
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    for path in ("/", "/collections/grids/items", "/api", "/nowhere"):
        for method in ("GET", "OPTIONS"):
            headers = shared(method, path, headers=asked).headers
            assert not [name for name in headers if name.startswith("access-control-")]
            assert {name: headers[name.lower()] for name in SECURITY_HEADERS} == SECURITY_HEADERS


@pytest.mark.asvs("13.4.5")
def test_numbers_of_the_server_are_not_for_everybody(shared):
    assert shared.get("/metrics", role="public").status_code == 401
    assert shared.get("/metrics", role="analyst").status_code == 403
    for path in ("/livez", "/readyz"):
        assert "postgresql://" not in shared.get(path, role="public").text


@pytest.mark.asvs("16.2.1", "16.2.2", "16.2.4", "16.2.5", "16.4.1")
def test_a_line_of_the_log_is_one_object_in_utc_and_holds_no_secret(shared, monkeypatch):
    heard = io.StringIO()
    before = structlog.get_config()
    monkeypatch.setattr("sys.stderr", heard)
    try:
        logs.configure()
        token = "Bearer wg_1_" + "s" * 43
        answer = shared.get(
            "/collections/x%0a%7b%22a%22%3a1%7d/items?filter=secretword", headers={"authorization": token}
        )
    finally:
        structlog.configure(**before)
    lines = [json.loads(line) for line in heard.getvalue().splitlines()]
    (line,) = [each for each in lines if each["event"] == "request"]
    assert line["timestamp"].endswith(("Z", "+00:00"))
    assert line["request_id"] == answer.headers["x-request-id"]
    assert {"method", "path", "status", "ms", "level"} <= line.keys()
    assert "secretword" not in heard.getvalue()
    assert "ssss" not in heard.getvalue()


@pytest.mark.asvs("14.3.2", "14.2.2")
def test_browsers_and_shared_caches_keep_nothing_that_is_not_for_everybody(shared):
    for path in ("/collections/incidents/items", "/jobs", "/processes", "/auth/me", "/plans", "/nowhere"):
        said = shared.get(path).headers["cache-control"]
        assert "no-store" in said or "private" in said, (path, said)
        assert "public" not in said


@pytest.mark.asvs("1.2.2", "3.7.2")
def test_where_one_is_sent_is_a_path_of_this_server(shared):
    for way in ("//evil.example", "https://evil.example", "javascript:alert(1)", "/\\evil.example", "data:text/html,x"):
        answer = shared.get("/signin", params={"next": way, "lang": "en"}, role="public")
        assert "evil.example" not in answer.headers.get("location", "")
        assert f'value="{way}"' not in answer.text
        assert answer.headers.get("location", HOME).startswith(("/", HOME))
