"""What somebody tries against the server stands in its log, and nothing that they sent does."""

import pytest
import structlog

from api.throttle import FROM_ONE_PLACE
from tests.api.conftest import Client
from tests.api.test_auth import Browser

SENT = "120.123456"


@pytest.fixture
def events(served):
    """Ask, and return the lines of the log but that of the request itself."""

    def asked(method, path, *, client=served, **more):
        with structlog.testing.capture_logs() as logged:
            answer = client(method, path, **more)
        assert answer.status_code >= 400
        assert SENT not in str(logged)
        return [line for line in logged if line["event"] != "request"]

    return asked


@pytest.mark.asvs("16.3.3")
@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/collections/grids/items?bbox={SENT}", 400, "bad_parameter"),
        (f"/collections/grids/items?{SENT}=1", 400, "unknown_parameter"),
        ("/collections/grids/items?filter=nonsense%3D" + SENT, 400, None),
    ],
)
def test_refused_input_is_an_event_with_its_codes_and_without_its_values(events, path, status, code):
    (line,) = events("GET", path)
    assert (line["event"], line["status"]) == ("input_refused", status)
    assert code is None or code in line["codes"]


@pytest.mark.asvs("16.3.3")
def test_too_large_a_body_is_an_event(events):
    (line,) = events("POST", "/auth/sign-in", json={"name": "x" * 2_000_000})
    assert (line["event"], line["status"], line["kind"]) == ("input_refused", 413, "TooLarge")


@pytest.mark.asvs("16.3.3")
def test_pages_and_names_that_are_not_ours_are_events(events):
    assert [line["event"] for line in events("GET", "/", headers={"Host": "evil.example"})] == ["foreign_host"]
    foreign = {"Origin": "https://evil.example"}
    assert [line["event"] for line in events("POST", "/auth/sign-in", headers=foreign)] == ["foreign_origin"]
    token = {"Authorization": f"Bearer wg_1_{SENT}"}
    assert [line["event"] for line in events("GET", "/plans", headers=token)] == ["token_refused"]


@pytest.mark.asvs("16.3.3")
def test_a_change_without_our_token_is_an_event(events, served, store, city):
    from gis.store import accounts

    accounts.create(store, "desk-1")
    account = accounts.grant(store, "desk-1", "planner", city)
    browser = Browser(served)
    browser.cookies = {"__Host-wangge": accounts.begin(store, account.id, city.id).secret}
    (line,) = events("POST", "/plans", client=browser, json={"title": "x"})
    assert (line["event"], line["account"]) == ("csrf_refused", account.id)


@pytest.mark.asvs("16.3.3")
@pytest.mark.parametrize("as_form", [False, True])
def test_whoever_is_slowed_is_an_event(events, store, city, as_form):
    del city
    guess = {"name": "nobody-here", "password": SENT}
    body = {"data": guess} if as_form else {"json": guess}
    for _ in range(FROM_ONE_PLACE):
        assert "slowed" not in {line["event"] for line in events("POST", "/auth/sign-in", **body)}
    assert [(line["event"], line["by"]) for line in events("POST", "/auth/sign-in", **body)] == [("slowed", "failures")]
    client = Client(store, requests_per_s=0.001, requests_burst=1)
    try:
        assert client.get("/conformance").status_code == 200
        assert [line["by"] for line in events("GET", "/conformance", client=client)] == ["requests"]
    finally:
        client.close()
