"""`wangge user`: from the first administrator to the token of a notebook."""

import pytest

from gis.store import accounts

PASSWORD = "correct horse battery staple"
TWICE = f"{PASSWORD}\n{PASSWORD}\n"


@pytest.mark.asvs("6.3.2")
def test_the_first_administrator_is_made_once_and_by_hand(wangge, store):
    assert "root-desk: admin" in wangge("user", "create-admin", "root-desk", answer=TWICE)
    assert "already" in wangge("user", "create-admin", "another", answer=TWICE, code=1)
    assert accounts.authenticate(store, "root-desk", PASSWORD) is not None


def test_a_password_from_a_pipe_and_one_that_is_too_short(wangge, store):
    wangge("user", "create-admin", "root-desk", "--password-stdin", answer="short\n", code=2)
    assert accounts.list_(store) == []
    said = wangge("user", "create-admin", "root-desk", "--password-stdin", answer=PASSWORD + "\n")
    assert PASSWORD not in said


def test_accounts_come_are_granted_and_go(wangge, store, filled):
    wangge("user", "add", "night-desk", "--role", "officer", answer=TWICE)
    wangge("user", "grant", "night-desk", "analyst")
    assert "analyst (test), officer (test)" in wangge("user", "list")
    wangge("user", "revoke", "night-desk", "officer")
    wangge("user", "revoke", "night-desk", "officer", code=2)
    wangge("user", "grant", "night-desk", "mayor", code=2)
    account = accounts.get(store, "night-desk")
    login = accounts.begin(store, account.id, filled.id)
    wangge("user", "password", "night-desk", "--password-stdin", answer="another good long one\n")
    assert accounts.find(store, login.secret, filled.id) is None
    assert "disabled" in wangge("user", "disable", "night-desk")
    assert accounts.authenticate(store, "night-desk", "another good long one") is None
    wangge("user", "enable", "night-desk")
    assert accounts.authenticate(store, "night-desk", "another good long one") == account.id


@pytest.mark.usefixtures("filled")
def test_a_token_is_told_once(wangge, store):
    wangge("user", "add", "notebook", "--no-password", "--role", "analyst")
    text = wangge("user", "token", "notebook", "analyst", "--for", "notebooks", "--days", "7").strip()
    assert accounts.find_token(store, text, 1).role == "analyst"
    assert text not in wangge("user", "list")
    wangge("user", "token", "notebook", "planner", "--for", "x", code=2)
    wangge("user", "revoke-token", "1")
    assert accounts.find_token(store, text, 1) is None
    assert "revoked" in wangge("user", "list")
