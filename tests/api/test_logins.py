"""What a desk sees of its own logins, and how it ends them."""

import json
import re

import pytest
import sqlalchemy as sa

from api.demo_accounts import ensure, name_of
from api.throttle import FROM_ONE_PLACE
from gis.store import accounts, audit
from gis.store.engine import NO_CITY
from gis.store.tables import LOGINS
from tests.api.test_auth import PASSWORD, Browser


@pytest.fixture
def desk(filled, store):
    """An account with a role and a password."""
    accounts.create(store, "desk-1", password=PASSWORD)
    return accounts.grant(store, "desk-1", "analyst", filled)


@pytest.fixture
def browsers(desk, served):
    """Three browsers of one desk."""
    del desk
    found = [Browser(served) for _ in range(3)]
    for browser in found:
        assert browser.sign_in().status_code == 200
    return found


def logins_of(browser):
    answer = browser("GET", "/logins")
    assert answer.status_code == 200
    return answer.json()["logins"]


def is_in(browser, served):
    served.app.state.visitors.forget()  # or a second later
    return browser("GET", "/auth/me").json()["signed_in"]


@pytest.mark.asvs("7.5.2")
def test_a_desk_sees_its_own_logins_and_ends_those_it_chooses(browsers, served, store, filled):
    accounts.create(store, "desk-2", password=PASSWORD)
    accounts.grant(store, "desk-2", "analyst", filled)
    other = Browser(served)
    other.sign_in("desk-2")
    mine, second, third = browsers
    found = logins_of(mine)
    assert [login["this"] for login in found] == [False, False, True]
    assert len(logins_of(other)) == 1
    assert {*found[0]} == {"id", "role", "began", "last_used", "ends", "this"}
    assert found[0]["began"] <= found[0]["last_used"] < found[0]["ends"]
    of_second = next(login["id"] for login in logins_of(second) if login["this"])
    foreign = logins_of(other)[0]["id"]
    asked = {"logins": f"{of_second} {foreign}", "password": PASSWORD}
    assert mine("POST", "/logins/end", json=asked).json() == {"ended_count": 1}
    assert [is_in(browser, served) for browser in (mine, second, third, other)] == [True, False, True, True]
    assert mine("POST", "/logins/end", json=asked).status_code == 404
    row = next(row for row in audit.read(store, limit=20) if row.action == "account")
    assert (row.object, json.loads(row.detail)) == ("accounts/desk-1", {"what": "logins ended", "ended_count": 1})


@pytest.mark.asvs("7.5.2")
def test_all_others_end_and_oneself_last(browsers, served):
    mine, second, third = browsers
    assert mine("POST", "/logins/end", json={"others": "true", "password": PASSWORD}).json() == {"ended_count": 2}
    assert [is_in(browser, served) for browser in browsers] == [True, False, False]
    (own,) = logins_of(mine)
    assert mine("POST", "/logins/end", json={"logins": str(own["id"]), "password": PASSWORD}).status_code == 200
    assert mine.cookies == {}
    del second, third


@pytest.mark.asvs("7.5.2", "3.5.1", "6.3.1")
def test_ending_takes_the_password_once_more_and_a_page_of_ours(browsers, served):
    mine = browsers[0]
    asked = {"others": "true", "password": PASSWORD}
    assert mine("POST", "/logins/end", json=asked, csrf="0" * 64).status_code == 403
    assert served.post("/logins/end", role="analyst", json=asked).status_code == 401, "a token ends no login"
    for _ in range(FROM_ONE_PLACE):
        assert mine("POST", "/logins/end", json={"others": "true"}).status_code == 422
    assert mine("POST", "/logins/end", json=asked).status_code == 429
    assert all(is_in(browser, served) for browser in browsers)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_does_it_without_a_script(browsers, served, language):
    mine = browsers[0]
    page = mine("GET", f"/logins?lang={language}", headers={"Accept": "text/html"}).text
    assert {"zh": "我的登录", "en": "My logins"}[language] in page
    numbers = re.findall(r'name="logins" value="([0-9]+)"', page)
    form = {"csrf": re.search(r'name="csrf" value="([0-9a-f]+)"', page)[1], "logins": numbers, "password": "wrong"}
    refused = mine("POST", f"/logins/end?lang={language}", data=form, csrf=False)
    assert refused.status_code == 422
    assert {"zh": "密码不正确", "en": "not the password"}[language] in refused.text
    done = mine("POST", f"/logins/end?lang={language}", data={**form, "password": PASSWORD}, csrf=False)
    assert (done.status_code, done.headers["location"]) == (303, f"/logins?lang={language}")
    assert [is_in(browser, served) for browser in browsers] == [True, False, False]


@pytest.mark.asvs("7.5.2")
def test_an_account_without_a_password_must_have_signed_in_just_now(served, store, filled):
    ensure(store, filled)
    account = accounts.get(store, name_of("analyst"))
    browsers = [Browser(served), Browser(served)]
    for browser in browsers:
        login = accounts.begin(store, account.id, filled.id, role="analyst")
        browser.cookies = {"__Host-wangge": login.secret}
    csrf = browsers[0]("GET", "/auth/me").json()["csrf"]
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.execute(LOGINS.update().values(began_at=sa.func.now() - sa.text("interval '6 minutes'")))
    asked = {"others": "true", "csrf": csrf}
    refused = browsers[0]("POST", "/logins/end", json=asked)
    assert refused.status_code == 403
    assert "sign in again" in refused.json()["detail"]
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.execute(LOGINS.update().values(began_at=sa.func.now() - sa.text("interval '4 minutes'")))
    assert browsers[0]("POST", "/logins/end", json=asked).status_code == 200
