"""A server of the city with two districts, and desks of some of its areas that ask it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import sqlalchemy as sa

from gis.contract.profile import CityProfile
from gis.contract.roles import Role
from gis.contract.text import Text
from gis.errors import InvalidParams
from gis.runs import execute
from gis.store import accounts, cities, jobs
from gis.store.cities import CityRow
from gis.store.cluster import Cluster
from gis.store.engine import NO_CITY, Store
from gis.store.tables import FRAME_TABLES
from tests.support import area_city
from tests.support.databases import fresh_database

RUNS = (("hotspots", {"lattice_m": 300}), ("coverage_gaps", {}), ("public_counts", {}), ("temporal_profile", {}))
"""Services that have run, for the whole city and for each district."""
RECENT = dt.timedelta(days=90)


@dataclass
class House:
    """The server's database, the city in it, and the tokens of its desks."""

    store: Store
    city: CityRow
    runs: dict[str, dict[str, int]]
    jobs: dict[str, int]

    def __post_init__(self) -> None:
        self._tokens: dict[tuple[Role, tuple[str, ...]], str] = {}

    def headers(self, role: Role, areas: tuple[str, ...]) -> dict[str, str]:
        """Return what a desk says; of the whole city without areas."""
        key = (role, tuple(sorted(areas)))
        if key not in self._tokens:
            name = f"desk-{len(self._tokens)}"
            accounts.create(self.store, name)
            account = accounts.grant(self.store, name, role, self.city, areas=areas or None)
            self._tokens[key] = accounts.issue(
                self.store, account.id, self.city.id, title="tests", role=role, days=1, may_change=True
            )
        return {"Authorization": f"Bearer {self._tokens[key]}"}

    def rows(self, frame_id: str) -> list[dict[str, Any]]:
        """Return all rows of a frame as a superuser sees them, each with the communities it belongs to."""
        table = FRAME_TABLES[frame_id]
        with self.store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
            query = sa.select(table, sa.func.ST_AsText(table.c.geom).label("wkt")).order_by(table.c.id)
            return [dict(row) for row in connection.execute(query).mappings()]


def cells_of(frame_id: str, row: dict[str, Any]) -> set[area_city.Cell]:
    """Return the communities that a row belongs to, by what its source called it: never by what the database says."""
    level = {"districts": "district", "streets": "street", "communities": "community"}.get(frame_id)
    name = f"{level}:{row['code']}" if level else f"community:{row['source_id'].split('-', 2)[2].rsplit('-', 1)[0]}"
    return area_city.cells(name)


def seen_by(frame_id: str, rows: list[dict[str, Any]], areas: tuple[str, ...], role: Role) -> list[dict[str, Any]]:
    """Return the rows that a desk sees, worked out in Python."""
    covered = set().union(*(area_city.cells(name) for name in areas)) if areas else None
    mine = [row for row in rows if covered is None or cells_of(frame_id, row) <= covered]
    if role == "officer" and "occurred_at" in FRAME_TABLES[frame_id].c:
        # Time has stopped on the day of the last event that is seen; days are those of Shanghai, eight hours ahead.
        last = max((row["occurred_at"] for row in mine), default=dt.datetime.now(dt.UTC))
        day = (last + dt.timedelta(hours=8)).date()
        first = dt.datetime.combine(day - RECENT, dt.time(), dt.UTC) - dt.timedelta(hours=8)
        mine = [row for row in mine if row["occurred_at"] >= first]
    return mine


def profile() -> CityProfile:
    """Return a synthetic city, so that its time stands still."""
    return CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai", synthetic=True)


@contextmanager
def opened(cluster: Cluster, template: str) -> Iterator[House]:
    """Give the house with two districts, runs of each scope and a job that waits."""
    with fresh_database(cluster, template) as url:
        store = Store(url)
        city = cities.create(store, profile())
        area_city.populate(store, city)
        jobs.ensure_queue(store)
        scopes = {
            "": city,
            **{f"district:{code}": area_city.narrow(store, city, f"district:{code}") for code in area_city.DISTRICTS},
        }
        runs: dict[str, dict[str, int]] = {}
        for name, scope in scopes.items():
            runs[name] = {}
            for service, values in RUNS:
                with suppress(InvalidParams):
                    runs[name][service] = execute(store, scope, service, values)
        waiting = {name: jobs.submit(store, scope, "hotspots", {"lattice_m": 400}).id for name, scope in scopes.items()}
        yield House(store, city, runs, waiting)
        store.close()


def text_of(answer: httpx.Response) -> str:
    """Return all that an answer says, headers too."""
    said = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    return f"{said}\n{answer.content.decode('utf-8', errors='replace')}"
