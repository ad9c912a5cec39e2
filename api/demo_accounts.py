"""The accounts of the demo: one a role, and one of a district; without passwords, taken by a click on this machine."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from api.watch import look, narrowed
from gis.contract.roles import GRANTABLE, Role
from gis.contract.text import Text
from gis.errors import Conflict, NotFound
from gis.store import accounts, cities
from gis.store.cities import CityRow
from gis.store.engine import Store

FIRST: Final[tuple[Role, ...]] = ("analyst", "planner", "supervisor", "officer", "admin")
"""In the order in which they are offered."""
NARROW: Final[Role] = "officer"
"""The role of the account that sees one district alone."""


def name_of(role: Role) -> str:
    """Return the name of the demo account of a role."""
    return f"demo-{role}"


def ensure(store: Store, city: CityRow) -> list[str]:
    """Make the demo accounts unless they are there, grant each its role in a city, and return their names."""
    for role in GRANTABLE:
        _make(store, name_of(role))
        accounts.grant(store, name_of(role), role, city)
    names = [name_of(role) for role in FIRST]
    if (first := next((area for area in accounts.seen(store, city) if area.level == "district"), None)) is not None:
        names.append(f"{name_of(NARROW)}-{first.code.lower()}")
        _make(store, names[-1])
        accounts.grant(store, names[-1], NARROW, city, areas=[first.name])
    return names


def desk(store: Store, city: CityRow) -> CityRow | None:
    """Return the city as the account of one district sees it; None where the city has no districts."""
    account = next((a for a in accounts.list_(store) if a.is_demo and any(g.areas for g in a.grants)), None)
    if account is None:
        return None
    areas = accounts.covered(store, account.id, NARROW, city)
    return narrowed(store, look(store), NARROW, areas).city


def of_areas(store: Store) -> list[tuple[str, Role, Text]]:
    """Return the demo accounts of some areas of the city in use: name, role, and what the areas are called."""
    try:
        city = cities.current(store)
    except NotFound:
        return []
    called = {area.name: area.title for area in accounts.seen(store, city)}
    return [
        (account.name, grant.role, _together([called[name] for name in grant.areas if name in called]))
        for account in accounts.list_(store)
        for grant in account.grants
        if account.is_demo and grant.areas and grant.city == city.profile.slug
    ]


def _together(titles: list[Text]) -> Text:
    return Text("、".join(title.zh for title in titles), ", ".join(title.en for title in titles))


def _make(store: Store, name: str) -> None:
    with suppress(Conflict):
        accounts.create(store, name, is_demo=True)
