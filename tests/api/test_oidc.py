"""Signing in through a provider that runs beside the test and knows nothing of our client."""

import time

import httpx
import pytest
from joserfc.jwk import RSAKey

from api.visitors import COOKIE
from gis.store import accounts
from tests.api.conftest import Client
from tests.api.test_auth import Browser
from tests.support.oidc_provider import CLIENT_ID, CLIENT_SECRET, provider


@pytest.fixture
def house():
    with provider() as known:
        yield known


@pytest.fixture
def browser(house, filled, store):
    assert filled.id
    client = Client(
        store,
        oidc_issuer=house.issuer,
        oidc_client_id=CLIENT_ID,
        oidc_client_secret=CLIENT_SECRET,
        oidc_title="统一认证",
        oidc_roles={"gov-analysts": "analyst", "gov-planners": "planner", "gov-root": "admin"},
    )
    yield Browser(client)
    client.close()


def sent(browser, next_="/map"):
    """Go to the provider, sign in there, and return the path to come back by."""
    away = browser("GET", f"/auth/oidc?next={next_}")
    assert away.status_code == 303, away.text
    back = httpx.get(away.headers["location"], follow_redirects=False).headers["location"]
    assert back.startswith("http://127.0.0.1:8000/auth/oidc/callback?")
    return back.removeprefix("http://127.0.0.1:8000")


@pytest.mark.asvs("10.1.1")
def test_who_signs_in_there_is_signed_in_here_with_the_roles_of_their_groups(browser, house, store):
    assert "统一认证" in browser("GET", "/signin").text
    house.claims["groups"] = ["gov-analysts", "gov-root", "of no account here"]
    answer = browser("GET", sent(browser, "/hotspots"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/hotspots")
    assert browser.cookies.keys() >= {COOKIE}
    me = browser("GET", "/auth/me").json()
    assert (me["name"], [role["id"] for role in me["roles"]]) == ("n-17", ["analyst", "admin"])
    assert browser("GET", "/collections/incidents/items?limit=1").status_code == 200
    house.claims["groups"] = ["gov-planners"]
    browser("GET", sent(browser))
    assert browser("GET", "/auth/me").json()["role"] == "planner"
    (account,) = accounts.list_(store)
    assert account.issuer == house.issuer
    assert not account.has_password


def test_who_is_in_no_group_sees_what_the_public_sees(browser, house):
    house.claims["groups"] = []
    assert browser("GET", sent(browser)).status_code == 303
    me = browser("GET", "/auth/me").json()
    assert (me["signed_in"], me["role"], me["roles"]) == (True, "public", [])
    assert browser("GET", "/collections/incidents/items").status_code == 404


@pytest.mark.asvs("9.2.1", "9.2.2", "9.2.3", "10.2.2", "10.5.1", "10.5.4")
@pytest.mark.parametrize(
    "spoil",
    [
        {"nonce": "of another question"},
        {"aud": "another client"},
        {"iss": "https://another.example"},
        {"exp": int(time.time()) - 3600},
        {"azp": "another client"},
        {"sub": None},
    ],
    ids=lambda spoil: next(iter(spoil)),
)
def test_a_proof_of_something_else_proves_nothing(browser, house, store, spoil):
    house.spoil = spoil
    assert browser("GET", sent(browser)).status_code == 403
    assert COOKIE not in browser.cookies
    assert accounts.list_(store) == []


@pytest.mark.asvs("6.8.2", "9.1.1", "9.1.2", "9.1.3", "11.6.1")
def test_a_signature_of_another_key_is_none(browser, house):
    house.sign_with = RSAKey.generate_key(2048, {"kid": "one"})
    assert browser("GET", sent(browser)).status_code == 403


@pytest.mark.asvs("10.1.2", "10.2.1")
def test_an_answer_is_good_once_and_in_the_browser_that_asked(browser):
    back = sent(browser)
    stranger = Browser(browser.client)
    assert stranger("GET", back).status_code == 403, "a link slipped to somebody else signs them in nowhere"
    back = sent(browser)
    assert browser("GET", back).status_code == 303
    assert browser("GET", back).status_code == 403
    assert browser("GET", "/auth/oidc/callback?state=x&code=y").status_code == 403
    assert browser("GET", "/auth/oidc/callback").status_code == 403


@pytest.mark.asvs("6.8.1", "10.5.2")
def test_a_name_that_a_local_account_has_stays_its_own(browser, store):
    accounts.create(store, "n-17")
    assert browser("GET", sent(browser)).status_code == 409
    assert COOKIE not in browser.cookies


def test_a_provider_that_is_away_is_a_503(store, filled):
    assert filled.id
    client = Client(store, oidc_issuer="http://127.0.0.1:9", oidc_client_id=CLIENT_ID)
    assert client.get("/auth/oidc", role="public").status_code == 503
    assert client.get("/signin", role="public").status_code == 200
    client.close()


def test_without_a_provider_there_is_no_way_there(served):
    assert served.get("/auth/oidc", role="public").status_code == 404
    assert served.get("/auth/oidc/callback?state=a&code=b", role="public").status_code == 404
