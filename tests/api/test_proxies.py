"""Whose word about a client's address is taken: the proxies' that the settings name, nobody else's."""

import asyncio

import httpx
import pytest
from pydantic import ValidationError

from api.app import create_app
from api.server import configured
from api.settings import ServerSettings
from api.throttle import FROM_ONE_PLACE
from gis.store import accounts
from tests.api.conftest import HOME

PROXY, STRANGER = "10.0.0.5", "198.51.100.9"
BURST = 3


@pytest.fixture
def ask(store):
    """Ask the server, as uvicorn would hand the request over, from the address of a peer."""

    def make(*trusted):
        limits = ServerSettings(requests_per_s=0.001, requests_burst=BURST, trusted_proxies=trusted)
        config = configured(create_app(store, limits), limits)
        config.load()

        def asked(peer, forwarded=None, *, method="GET", path="/conformance", scheme=None, **more):
            values = [forwarded] if isinstance(forwarded, str) else forwarded or ()
            headers = [("X-Forwarded-For", value) for value in values]
            headers += [("X-Forwarded-Proto", scheme)] if scheme else []

            async def once():
                transport = httpx.ASGITransport(config.loaded_app, client=(peer, 40_000))
                async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
                    return await client.request(method, path, headers=headers, **more)

            return runner.run(once())

        return asked

    with asyncio.Runner() as runner:
        yield make
        runner.run(store.aclose())


def codes(asked, peer, forwarded):
    return [asked(peer, one).status_code for one in forwarded]


@pytest.mark.asvs("15.3.4", "4.1.3")
def test_clients_behind_a_trusted_proxy_are_counted_apart(ask):
    asked = ask(PROXY, "192.0.2.0/24")
    assert codes(asked, PROXY, ["203.0.113.1"] * (BURST + 1)) == [200] * BURST + [429]
    assert codes(asked, "192.0.2.77", ["203.0.113.1", "203.0.113.2"]) == [429, 200]
    # What the client says itself stands before what the proxy adds, and a second proxy adds the first one.
    assert codes(asked, PROXY, ["203.0.113.9, 203.0.113.1", "203.0.113.1, 192.0.2.77"]) == [429, 429]
    assert codes(asked, PROXY, [["203.0.113.9", "203.0.113.1"]]) == [429]


@pytest.mark.asvs("15.3.4", "4.1.3")
@pytest.mark.parametrize("trusted", [(), (PROXY,)], ids=["no proxy", "another proxy"])
def test_what_anybody_else_says_of_an_address_changes_nothing(ask, trusted):
    asked = ask(*trusted)
    said = [f"203.0.113.{i}" for i in range(BURST + 2)]
    assert codes(asked, STRANGER, said) == [200] * BURST + [429] * 2
    assert codes(asked, "203.0.113.0", [None]) == [200], "it was not the one that was named"


@pytest.mark.asvs("15.3.4", "6.3.1")
def test_failed_sign_ins_are_counted_by_the_true_address(ask, store, monkeypatch):
    monkeypatch.setattr("tests.api.test_proxies.BURST", 1_000)
    accounts.create(store, "desk-1")
    asked = ask(PROXY)

    def guess(forwarded):
        body = {"name": "desk-1", "password": "wrong"}
        return asked(PROXY, forwarded, method="POST", path="/auth/sign-in", json=body).status_code

    assert [guess("203.0.113.1") for _ in range(FROM_ONE_PLACE + 1)] == [401] * FROM_ONE_PLACE + [429]
    assert guess("203.0.113.2") == 401


@pytest.mark.asvs("4.1.3")
def test_only_a_trusted_proxy_says_that_the_address_begins_with_https(ask):
    asked = ask(PROXY)
    served_at = [
        asked(peer, path="/?f=json", scheme="https").json()["links"][0]["href"].split(":")[0]
        for peer in (PROXY, STRANGER)
    ]
    assert served_at == ["https", "http"]


@pytest.mark.parametrize("wrong", ["*", "10.0.0.5/8", "proxy.example", ""])
def test_what_is_no_address_is_refused_at_the_start(wrong):
    with pytest.raises(ValidationError):
        ServerSettings(trusted_proxies=(wrong,))
