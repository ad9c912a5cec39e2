"""The accounts of the demo: one a role, without passwords, taken by a click on this machine alone."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from gis.contract.roles import GRANTABLE, Role
from gis.errors import Conflict
from gis.store import accounts
from gis.store.cities import CityRow
from gis.store.engine import Store

FIRST: Final[tuple[Role, ...]] = ("analyst", "planner", "supervisor", "officer", "admin")
"""In the order in which they are offered."""


def name_of(role: Role) -> str:
    """Return the name of the demo account of a role."""
    return f"demo-{role}"


def ensure(store: Store, city: CityRow) -> list[str]:
    """Make the demo accounts unless they are there, grant each its role in a city, and return their names."""
    for role in GRANTABLE:
        with suppress(Conflict):
            accounts.create(store, name_of(role), is_demo=True)
        accounts.grant(store, name_of(role), role, city)
    return [name_of(role) for role in FIRST]
