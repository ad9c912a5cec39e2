"""Accounts on a real database: what they may do, what proves it, and when the proof is good no more."""

import datetime as dt
import hashlib

import pytest
import sqlalchemy as sa

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import Conflict, Forbidden, InvalidInput, NotFound
from gis.store import accounts, cities, plans
from gis.store.accounts import passwords
from gis.store.engine import NO_CITY
from gis.store.tables import ACCOUNTS, LOGINS, PLANS, TOKENS

PASSWORD = "correct horse battery staple"


def change(store, statement):
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.execute(statement)


def kept(store, column):
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        return connection.scalars(sa.select(column)).all()


@pytest.fixture
def desk(store, city):
    """An account that plans and analyses."""
    accounts.create(store, "desk-1", password=PASSWORD)
    accounts.grant(store, "desk-1", "planner", city)
    return accounts.grant(store, "desk-1", "analyst", city)


@pytest.mark.asvs("11.4.2")
def test_a_password_is_kept_as_argon2id_and_known_again(store, desk):
    (hash_,) = kept(store, ACCOUNTS.c.password_hash)
    assert hash_.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert accounts.authenticate(store, "desk-1", PASSWORD) == desk.id
    assert accounts.authenticate(store, "desk-1", PASSWORD + "x") is None
    assert accounts.authenticate(store, "nobody", PASSWORD) is None


@pytest.mark.asvs("11.2.2")
def test_an_old_hash_is_made_anew_at_sign_in(store, desk):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8192).hash(PASSWORD)
    change(store, ACCOUNTS.update().values(password_hash=weak))
    assert accounts.authenticate(store, "desk-1", PASSWORD) == desk.id
    assert kept(store, ACCOUNTS.c.password_hash)[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.asvs("6.2.8", "6.2.5")
def test_the_same_password_from_another_keyboard_is_the_same():
    assert passwords.matches(passwords.hashed("Ångström-Straße-12", name="x1"), "A\u030angstro\u0308m-Straße-12")


@pytest.mark.asvs("6.2.1", "6.2.11", "6.2.9")
@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("eleven char", "bad_length"),
        ("x1" * 65, "bad_length"),
        ("my desk-1 secret", "holds_name"),
        ("my WangGe secret", "holds_name"),
        ("aaaaaaaaaaaaab", "monotonous"),
    ],
)
def test_a_password_that_cannot_be_taken_says_why(store, password, code):
    with pytest.raises(InvalidInput) as told:
        accounts.create(store, "desk-1", password=password)
    assert code in {problem.code for problem in told.value.problems}
    assert accounts.list_(store) == []


COMMON = [
    "password1234",
    "P@ssw0rd1234",
    "drowssap1234",
    "qwertyuiop12",
    "1qaz@WSX3edc",
    "monkeymonkeymonkey",
    "LetMeIn!!2026",
    "woaini1314520",
    "1234567890123",
    "abcdefghijklm",
    "suzhou.suzhou1",
    "苏州苏州苏州2026年苏州",
    "suzhousuzhou",
]
FINE = ["correct horse battery staple", "风吹麦浪月照松林石上清泉", "kx7Qz-9vTb2w", "correcthorsebattery"]


@pytest.mark.asvs("6.2.4")
@pytest.mark.parametrize("password", COMMON)
def test_a_common_password_is_refused_however_it_is_padded(password):
    with pytest.raises(InvalidInput) as told:
        passwords.hashed(password, name="desk-1", words=["suzhou", "苏州"])
    (problem,) = told.value.problems
    assert (problem.code, problem.field) == ("common", "password")
    assert "常用密码" in problem.zh


@pytest.mark.asvs("6.2.4", "6.2.5")
@pytest.mark.parametrize("password", FINE)
def test_a_password_that_nobody_would_guess_is_taken(password):
    assert passwords.matches(passwords.hashed(password, name="desk-1", words=["suzhou", "苏州"]), password)


@pytest.mark.asvs("6.2.4")
def test_every_door_of_new_passwords_refuses_a_common_one(store, city, desk):
    code = accounts.issue_code(store, "desk-1")
    doors = [
        lambda: accounts.create(store, "desk-2", password="password1234"),
        lambda: accounts.create_first_admin(store, "root-desk", "password1234"),
        lambda: accounts.set_password(store, "desk-1", "password1234"),
        lambda: accounts.redeem(store, "desk-1", code, "password1234"),
        # What the city is called, the database knows.
        lambda: accounts.set_password(store, "desk-1", f"{city.profile.title.en}1234 2026"),
    ]
    for door in doors:
        with pytest.raises(InvalidInput, match="common passwords"):
            door()
    assert [account.name for account in accounts.list_(store)] == ["desk-1"]
    assert accounts.authenticate(store, "desk-1", PASSWORD) == desk.id


def test_a_password_of_before_a_rule_is_good_and_its_hash_is_made_anew(store, desk):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=8192).hash("password1234")
    change(store, ACCOUNTS.update().values(password_hash=weak))
    assert accounts.authenticate(store, "desk-1", "password1234") == desk.id
    assert kept(store, ACCOUNTS.c.password_hash)[0].startswith("$argon2id$v=19$m=65536,t=3,p=4$")


@pytest.mark.parametrize("name", ["", "a", "Desk", "desk one", "-desk", "x" * 64, "网格"])
def test_a_name_that_cannot_be_taken_is_refused(store, name):
    with pytest.raises(InvalidInput):
        accounts.create(store, name)


def test_there_is_one_first_administrator(store):
    made = accounts.create_first_admin(store, "root-desk", PASSWORD)
    assert [grant.role for grant in made.grants] == ["admin"]
    with pytest.raises(Conflict):
        accounts.create_first_admin(store, "another", PASSWORD)
    assert [account.name for account in accounts.list_(store)] == ["root-desk"]


def test_the_last_administrator_stays(store):
    accounts.create_first_admin(store, "root-desk", PASSWORD)
    for attempt in (lambda: accounts.revoke(store, "root-desk", "admin"), lambda: accounts.disable(store, "root-desk")):
        with pytest.raises(Conflict):
            attempt()
    accounts.create(store, "second")
    accounts.grant(store, "second", "admin")
    accounts.disable(store, "root-desk")
    assert accounts.authenticate(store, "root-desk", PASSWORD) is None


def test_a_role_counts_in_its_city_only(store, city, desk):
    other = cities.create(store, CityProfile("other", Text("他城", "Other"), "EPSG:4549", "Asia/Shanghai"))
    login = accounts.begin(store, desk.id, city.id)
    assert login.actor.roles == ("analyst", "planner")
    there = accounts.find(store, login.secret, other.id)
    assert there is not None
    assert (there.role, there.roles) == ("public", ())


def test_a_grant_needs_role_city_and_account(store, city, desk):
    for wrong, error in (
        (("desk-1", "mayor", city), InvalidInput),
        (("desk-1", "public", city), InvalidInput),
        (("desk-1", "officer", None), InvalidInput),
        (("nobody", "officer", city), NotFound),
    ):
        with pytest.raises(error):
            accounts.grant(store, *wrong)
    with pytest.raises(NotFound):
        accounts.revoke(store, desk.name, "officer", city)
    assert len(accounts.grant(store, "desk-1", "planner", city).grants) == 2


@pytest.mark.asvs("7.2.1", "7.2.3", "11.2.3", "11.4.1", "11.5.1")
def test_the_database_knows_a_login_by_its_digest_alone(store, city, desk):
    login = accounts.begin(store, desk.id, city.id)
    assert len(login.secret) >= 43
    assert kept(store, LOGINS.c.secret_sha256) == [hashlib.sha256(login.secret.encode()).digest()]
    actor = accounts.find(store, login.secret, city.id)
    assert actor == login.actor
    assert accounts.find(store, login.secret[:-1] + "_", city.id) is None


@pytest.mark.asvs("7.3.1", "7.3.2")
@pytest.mark.parametrize(
    ("minutes", "lives"),
    [((29, 60), True), ((31, 60), False), ((0, 719), True), ((0, 721), False)],
)
def test_a_login_ends_when_idle_and_at_the_latest_after_twelve_hours(store, city, desk, minutes, lives):
    seen, began = (dt.timedelta(minutes=count) for count in minutes)
    login = accounts.begin(store, desk.id, city.id)
    change(store, LOGINS.update().values(seen_at=sa.func.now() - seen, began_at=sa.func.now() - began))
    assert (accounts.find(store, login.secret, city.id) is not None) == lives
    assert (accounts.take_role(store, login.secret, city.id, "planner") is not None) == lives


def test_what_is_seen_lives_on(store, city, desk):
    login = accounts.begin(store, desk.id, city.id)
    change(store, LOGINS.update().values(seen_at=sa.func.now() - dt.timedelta(minutes=20)))
    before = kept(store, LOGINS.c.seen_at)[0]
    accounts.find(store, login.secret, city.id)
    assert kept(store, LOGINS.c.seen_at)[0] > before + dt.timedelta(minutes=19)


def test_signing_in_and_taking_a_role_change_the_secret(store, city, desk):
    first = accounts.begin(store, desk.id, city.id)
    second = accounts.begin(store, desk.id, city.id, instead_of=first.secret)
    assert accounts.find(store, first.secret, city.id) is None
    change(store, LOGINS.update().values(began_at=sa.func.now() - dt.timedelta(hours=3)))
    began = kept(store, LOGINS.c.began_at)
    third = accounts.take_role(store, second.secret, city.id, "planner")
    assert third.actor.role == "planner"
    assert accounts.find(store, second.secret, city.id) is None
    assert kept(store, LOGINS.c.began_at) == began, "another role does not make the login younger"
    with pytest.raises(Forbidden):
        accounts.take_role(store, third.secret, city.id, "admin")


@pytest.mark.asvs("7.4.2", "7.4.5")
def test_what_is_taken_away_is_gone_at_once(store, city, desk):
    login = accounts.begin(store, desk.id, city.id, role="planner")
    accounts.revoke(store, "desk-1", "planner", city)
    assert accounts.find(store, login.secret, city.id).role == "public"
    accounts.disable(store, "desk-1")
    assert accounts.find(store, login.secret, city.id) is None
    accounts.enable(store, "desk-1")
    assert accounts.find(store, login.secret, city.id) is None


@pytest.mark.asvs("6.4.3", "7.4.3", "7.4.5")
def test_a_new_password_ends_every_login(store, city, desk):
    logins = [accounts.begin(store, desk.id, city.id) for _ in range(2)]
    accounts.set_password(store, "desk-1", "another good long one")
    assert [accounts.find(store, login.secret, city.id) for login in logins] == [None, None]
    assert accounts.authenticate(store, "desk-1", PASSWORD) is None


def token(store, city, desk, **more):
    return accounts.issue(store, desk.id, city.id, **{"title": "notebook", "role": "analyst", "days": 30, **more})


def test_a_token_acts_in_its_one_role_and_is_kept_as_a_digest(store, city, desk):
    text = token(store, city, desk)
    assert text.startswith("wg_1_")
    assert kept(store, TOKENS.c.secret_sha256) == [hashlib.sha256(text.removeprefix("wg_1_").encode()).digest()]
    actor = accounts.find_token(store, text, city.id)
    assert (actor.role, actor.roles, actor.may_change) == ("analyst", ("analyst",), False)
    assert accounts.tokens(store)[0].used_at is not None


@pytest.mark.parametrize(
    "wrong", ["", "wg_1_", "wg_2_" + "a" * 43, "wg_1_" + "a" * 43, "wg_99999999999999999999_" + "a" * 43, "wg_0_x"]
)
def test_what_is_no_token_stands_for_nobody(store, city, desk, wrong):
    token(store, city, desk)
    assert accounts.find_token(store, wrong, city.id) is None


def test_a_token_ends(store, city, desk):
    expired, revoked, shut = (token(store, city, desk) for _ in range(3))
    change(store, TOKENS.update().where(TOKENS.c.id == 1).values(expires_at=sa.func.now()))
    assert accounts.find_token(store, expired, city.id) is None
    accounts.revoke_token(store, 2)
    assert accounts.find_token(store, revoked, city.id) is None
    with pytest.raises(NotFound):
        accounts.revoke_token(store, 2)
    accounts.revoke(store, "desk-1", "analyst", city)
    assert accounts.find_token(store, shut, city.id).role == "public"
    accounts.disable(store, "desk-1")
    assert accounts.find_token(store, shut, city.id) is None


@pytest.mark.parametrize("wrong", [{"role": "admin"}, {"days": 0}, {"days": 367}, {"title": " "}])
def test_a_token_that_cannot_be_is_refused(store, city, desk, wrong):
    with pytest.raises(InvalidInput):
        token(store, city, desk, **wrong)


def test_who_another_house_vouches_for_has_the_roles_it_says(store, city):
    def come(roles, name="n-17"):
        return accounts.signed_in_elsewhere(
            store, issuer="https://id.test", subject="17", name=name, roles=dict.fromkeys(roles), city=city
        )

    first = come(["analyst", "admin"])
    assert {grant.role for grant in accounts.get(store, "n-17").grants} == {"analyst", "admin"}
    assert come(["officer"]) == first
    assert [grant.role for grant in accounts.get(store, "n-17").grants] == ["officer"]
    assert accounts.authenticate(store, "n-17", PASSWORD) is None
    accounts.create(store, "taken")
    with pytest.raises(Conflict):
        accounts.signed_in_elsewhere(store, issuer="https://id.test", subject="18", name="taken", roles={}, city=city)


def test_an_account_of_the_demo_has_no_password(store):
    accounts.create(store, "demo-analyst", is_demo=True)
    with pytest.raises(InvalidInput):
        accounts.set_password(store, "demo-analyst", PASSWORD)
    assert accounts.authenticate(store, "demo-analyst", PASSWORD) is None


@pytest.mark.asvs("2.3.5")
def test_who_handed_a_plan_in_cannot_approve_it_in_another_role(store, city, desk):
    other = accounts.create(store, "desk-2")
    plan = plans.create(store, city, title="x", desk="planner", blocks={}, grids=[])
    plan = plans.submit(store, city, plan.id, revision=plan.revision, desk="planner", account_id=desk.id)
    with pytest.raises(Forbidden):
        plans.approve(store, city, plan.id, revision=plan.revision, desk="supervisor", account_id=desk.id)
    with pytest.raises(sa.exc.IntegrityError):
        change(store, PLANS.update().values(approved_account_id=desk.id))
    back = plans.withdraw(store, city, plan.id, revision=plan.revision)
    assert kept(store, PLANS.c.submitted_account_id) == [None]
    plan = plans.submit(store, city, plan.id, revision=back.revision, desk="planner", account_id=desk.id)
    done = plans.approve(store, city, plan.id, revision=plan.revision, desk="supervisor", account_id=other.id)
    assert done.state == "approved"
