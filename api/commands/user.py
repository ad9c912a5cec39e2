"""``wangge user``: who may come in, and what they may do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from api.console import Commands, out, table
from gis.contract.roles import GRANTABLE, Role, grantable_role

if TYPE_CHECKING:
    from gis.store.accounts import Account, Grant
    from gis.store.cities import CityRow
    from gis.store.engine import Store

app = typer.Typer(
    cls=Commands, help="Accounts: who may come in, in which role, with which proof.", no_args_is_help=True
)

Name = Annotated[str, typer.Argument(help="What one signs in with: a post in the house rather than a person.")]
RoleName = Annotated[str, typer.Argument(metavar="ROLE", help=f"One of {', '.join(GRANTABLE)}.")]
Areas = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LEVEL:CODE",
        help="Only this area of the city, such as district:320505 (street:, community:); may be repeated.",
    ),
]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command("create-admin")
def create_admin(name: Name, *, password_stdin: FromStdin = False) -> None:
    """Make the first administrator. Works once: there is no password to begin with, and no second first one.

    **Example:** `wangge user create-admin duty-admin`
    """
    from api.opening import opened
    from gis.store import accounts

    with opened() as store:
        _say(accounts.create_first_admin(store, name, _password(stdin=password_stdin)))


@app.command()
def add(
    name: Name,
    *,
    role: Annotated[list[str] | None, typer.Option(help="Role in the city in use; may be repeated.")] = None,
    area: Areas = None,
    password_stdin: FromStdin = False,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="For an account of programs: it acts by tokens alone.")
    ] = False,
) -> None:
    """Make an account.

    **Example:** `wangge user add night-desk --role officer`
    """
    from api.opening import opened
    from gis.store import accounts

    roles = [grantable_role(text) for text in role or ()]
    with opened() as store:
        account = accounts.create(store, name, password=None if no_password else _password(stdin=password_stdin))
        for known in roles:
            account = accounts.grant(store, name, known, _city(store, known), areas=area or None)
        _say(account)


@app.command("list")
def list_() -> None:
    """List the accounts, their roles and their tokens.

    **Example:** `wangge user list`
    """
    from api.opening import opened
    from gis.store import accounts

    with opened() as store:
        every, tokens = accounts.list_(store), accounts.tokens(store)
    table(
        "Accounts",
        ("name", "roles", "signs in by", "state"),
        ((a.name, _roles(a), _proof(a), "disabled" if a.disabled_at else "") for a in every),
    )
    table(
        "Tokens",
        ("token", "account", "role", "for", "may change", "until", "last used", "state"),
        (
            (
                t.id,
                t.account,
                t.role,
                t.title,
                "yes" if t.may_change else "no",
                f"{t.expires_at:%Y-%m-%d}",
                f"{t.used_at:%Y-%m-%d %H:%M}" if t.used_at else "never",
                "revoked" if t.revoked_at else "",
            )
            for t in tokens
        ),
    )


@app.command()
def grant(name: Name, role: RoleName, *, area: Areas = None) -> None:
    """Give an account a role in the city in use; an administrator is one of the whole server.

    With areas the role sees these alone, added to those it has. A role of the whole city stays one: revoke it first.

    **Example:** `wangge user grant night-desk officer --area district:320505`
    """
    from api.opening import opened
    from gis.store import accounts

    known = grantable_role(role)
    with opened() as store:
        _say(accounts.grant(store, name, known, _city(store, known), areas=area or None))


@app.command()
def revoke(name: Name, role: RoleName, *, area: Areas = None) -> None:
    """Take a role in the city in use, or some of its areas, away again; whatever acts in it stops within a second.

    **Example:** `wangge user revoke night-desk analyst`
    """
    from api.opening import opened
    from gis.store import accounts

    known = grantable_role(role)
    with opened() as store:
        _say(accounts.revoke(store, name, known, _city(store, known), areas=area or None))


@app.command()
def password(name: Name, *, password_stdin: FromStdin = False) -> None:
    """Give an account another password; all its logins end.

    **Example:** `wangge user password night-desk`
    """
    from api.opening import opened
    from gis.store import accounts

    with opened() as store:
        accounts.get(store, name)
        accounts.set_password(store, name, _password(stdin=password_stdin))
    out.print(f"{name} has another password, and its logins have ended", markup=False)


@app.command()
def disable(name: Name) -> None:
    """Shut an account: its logins and tokens end.

    **Example:** `wangge user disable night-desk`
    """
    from api.opening import opened
    from gis.store import accounts

    with opened() as store:
        _say(accounts.disable(store, name))


@app.command()
def enable(name: Name) -> None:
    """Open an account again.

    **Example:** `wangge user enable night-desk`
    """
    from api.opening import opened
    from gis.store import accounts

    with opened() as store:
        _say(accounts.enable(store, name))


@app.command()
def token(
    name: Name,
    role: RoleName,
    *,
    title: Annotated[str, typer.Option("--for", help="What the token is for.")],
    days: Annotated[int, typer.Option(help="How long it is good.")] = 30,
    may_change: Annotated[
        bool, typer.Option("--may-change", help="Let it change things and run services, not only read.")
    ] = False,
) -> None:
    """Make a token for a program, in a role that the account has. It is told once: keep it.

    **Example:** `wangge user token night-desk analyst --for notebooks --days 90`
    """
    from api.opening import opened
    from gis.store import accounts

    known = grantable_role(role)
    with opened() as store:
        city = _city(store, known)
        account = accounts.get(store, name)
        made = accounts.issue(
            store, account.id, city.id if city else None, title=title, role=known, days=days, may_change=may_change
        )
    out.print(made, markup=False, highlight=False, soft_wrap=True)


@app.command("revoke-token")
def revoke_token(number: Annotated[int, typer.Argument(metavar="TOKEN", help="Number of the token.")]) -> None:
    """End a token.

    **Example:** `wangge user revoke-token 3`
    """
    from api.opening import opened
    from gis.store import accounts

    with opened() as store:
        accounts.revoke_token(store, number)
    out.print(f"token {number} is revoked", markup=False)


def _password(*, stdin: bool) -> str:
    """Return a password that nobody has looked over; the history of the shell never holds it."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    text: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return text


def _city(store: Store, role: Role) -> CityRow | None:
    from gis.store import cities

    return None if role == "admin" else cities.current(store)


def _roles(account: Account) -> str:
    return ", ".join(_role(grant) for grant in account.grants)


def _role(grant: Grant) -> str:
    if grant.city is None:
        return grant.role
    areas = "" if grant.areas is None else f": {', '.join(grant.areas) or 'no area that is still there'}"
    return f"{grant.role} ({grant.city}{areas})"


def _proof(account: Account) -> str:
    if account.is_demo:
        return "a click in the demo"
    return account.issuer or ("password" if account.has_password else "tokens only")


def _say(account: Account) -> None:
    state = ", disabled" if account.disabled_at else ""
    out.print(f"{account.name}: {_roles(account) or 'no role yet'}{state}", markup=False)
