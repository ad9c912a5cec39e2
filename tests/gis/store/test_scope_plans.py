"""Under row-level security each spatial reading of the store still goes through the spatial index."""

from __future__ import annotations

import asyncio
import json

import pytest
import sqlalchemy as sa

from gis.city import FRAMES
from gis.contract.profile import CityProfile
from gis.contract.service import service
from gis.contract.text import Text
from gis.store import cities, cql2, export, items, migrate, tiles, wire
from gis.store.engine import NO_CITY, READING_ROLE, WORKER_TIMEOUT_S, Store, _Single, _with_scope
from gis.store.query import ItemQuery
from gis.store.relations import frame_relation, result_relation
from gis.store.result_tables import ensure_table, result_table
from gis.store.statement import Statement
from tests.support import area_city
from tests.support.databases import fresh_database

POINTS = 30_000
WEST, SOUTH, SIDE = area_city.WEST, area_city.SOUTH, area_city.SIDE
X, Y = WEST + 0.5 * SIDE, SOUTH + 0.5 * SIDE
BOX = (X, Y, X + 0.03 * SIDE, Y + 0.03 * SIDE)
TILE = (18, 218_892, 106_619)
RING = ", ".join(f"{x} {y}" for x, y in ((X, Y), (BOX[2], Y), (BOX[2], BOX[3]), (X, BOX[3]), (X, Y)))
POLYGON = f"POLYGON(({RING}))"
SPATIAL = ("s_intersects", "s_within", "s_contains", "s_equals", "s_touches", "s_crosses", "s_overlaps")

FILL = """
    INSERT INTO city.posts (city_id, source, source_id, kind, batch_id, geom, area_id)
    SELECT p.city_id, 'many', i::text, p.kind, p.batch_id, ST_SetSRID(ST_MakePoint(x, y), 4326),
        (SELECT min(a.area_id) FROM city.communities a WHERE ST_Covers(a.geom, ST_SetSRID(ST_MakePoint(x, y), 4326)))
    FROM generate_series(1, {count}) i,
        LATERAL (SELECT {west} + 4 * {side} * random() AS x, {south} + 2 * {side} * random() AS y WHERE i > 0) AS place,
        LATERAL (SELECT * FROM city.posts ORDER BY id LIMIT 1) AS p
"""


@pytest.fixture(scope="module")
def city(cluster, template):
    """A store, the city as its western district sees it, and a run of that district's; many points in both."""
    with fresh_database(cluster, template) as url:
        store = Store(url)
        profile = CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai")
        whole = cities.create(store, profile)
        area_city.populate(store, whole, rows=2)
        west = area_city.narrow(store, whole, "district:WEST")
        ensure_table(store, result_table(service("near_repeat")))
        with store.transaction(NO_CITY, timeout_s=WORKER_TIMEOUT_S, as_owner=True) as connection:
            connection.exec_driver_sql(FILL.format(count=POINTS, west=WEST, south=SOUTH, side=SIDE))
            connection.exec_driver_sql("ANALYZE city.posts")
        yield store, west
        store.close()


class Seen:
    """The plans of all that the store asks, beside the asking."""

    def __init__(self, patch: pytest.MonkeyPatch, store: Store) -> None:
        self.plans: list[dict] = []
        plain, value_of, parts = Statement.row, Statement.value, wire.read_parts

        async def row(statement, connection, values):
            given = [statement.constants.get(name, values.get(name)) for name in statement.names]
            self.keep(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {statement.sql}", *given))
            return await plain(statement, connection, values)

        async def value(statement, store, scope, values, *, timeout_s, plan="each"):
            """Keep the plan; one that serves all values is the same for none at all."""
            sql = _with_scope(statement.sql, len(statement.names))
            async with store._connection(_Single(READING_ROLE, timeout_s, plan)) as connection:
                if plan == "each":
                    given = [*statement._places(values), str(scope.city_id), scope.covered]
                    self.keep(await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *given))
                else:
                    nothing = ", ".join(["NULL"] * (len(statement.names) + 2))
                    await connection.execute(f"PREPARE asked AS {sql}")
                    self.keep(await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE asked({nothing})"))
                    await connection.execute("DEALLOCATE asked")
            return await value_of(statement, store, scope, values, timeout_s=timeout_s, plan=plan)

        def read_parts(connection, spec, table, *where, values, only=None, part_rows):
            wanted = [column for column in spec.columns if only is None or column.name in only]
            query = wire._query(wanted, table, *where).compile(dialect=wire.BINARY)
            driver = connection.connection.driver_connection
            self.keep(driver.execute(f"EXPLAIN (FORMAT JSON) {query}", query.construct_params(values)).fetchone()[0])
            return parts(connection, spec, table, *where, values=values, only=only, part_rows=part_rows)

        def explain(_connection, cursor, statement, parameters, *_):
            if statement.startswith("SELECT") and "city.posts" in statement:
                self.keep(cursor.connection.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters).fetchone()[0])

        patch.setattr(Statement, "row", row)
        patch.setattr(Statement, "value", value)
        patch.setattr(wire, "read_parts", read_parts)
        sa.event.listen(store.engine, "before_cursor_execute", explain)
        self.stop = lambda: sa.event.remove(store.engine, "before_cursor_execute", explain)

    def keep(self, plan) -> None:
        self.plans += json.loads(plan) if isinstance(plan, str) else plan

    def scans(self) -> list[dict]:
        """Return every node that reads the points."""

        def walk(node):
            yield node
            for below in node.get("Plans", ()):
                yield from walk(below)

        nodes = [node for plan in self.plans for node in walk(plan["Plan"])]
        return [node for node in nodes if node.get("Relation Name") == "posts" or "posts" in node.get("Index Name", "")]


def condition(text: str):
    return cql2.check(cql2.parse(text), FRAMES["posts"].columns, time_zone="UTC")


async def _page(store, west, query):
    await items.page(store, west.scope, frame_relation("posts"), ("kind",), query)


async def _tile(store, west, query, **how):
    await tiles.tile(store, west.scope, frame_relation("posts"), ("kind",), *TILE, query, "posts", **how)


CALLS = {
    "items in a box": lambda store, west: _page(store, west, ItemQuery(bbox=BOX)),
    "tile of points": lambda store, west: _tile(store, west, ItemQuery()),
    "tile of cells": lambda store, west: _tile(store, west, ItemQuery(), cap=0),
    "tile of shapes": lambda store, west: _tile(store, west, ItemQuery(), drawn="polygon"),
    "tile with a box": lambda store, west: _tile(store, west, ItemQuery(bbox=BOX)),
    **{
        f"items {name}": lambda store, west, name=name: _page(
            store, west, ItemQuery(where=condition(f"{name}(geometry, {POLYGON})"))
        )
        for name in SPATIAL
    },
}


def looked_at(store, patch, ask) -> list[dict]:
    seen = Seen(patch, store)
    try:
        ask()
    finally:
        seen.stop()
    return seen.scans()


def asynchronously(store, west, call):
    async def both():
        try:
            await CALLS[call](store, west)
        finally:
            await store.aclose()

    return lambda: asyncio.run(both())


def exported(store, west):
    def write():
        query = ItemQuery(bbox=BOX)
        with export.matching(store, west, frame_relation("posts"), ("kind",), query) as rows:
            assert sum(len(chunk) for chunk in rows.chunks) > 0

    return write


def goes_through_the_index(scans: list[dict]) -> bool:
    """Return whether the box finds the rows, and nothing else but their keys does."""
    by_box = [scan for scan in scans if "&&" in scan.get("Index Cond", "")]
    by_key = [scan for scan in scans if scan.get("Index Name") == "pk_posts"]
    # A bitmap is walked in two nodes, and may be joined with that of the areas.
    others = [s for s in scans if not s["Node Type"].startswith("Bitmap") and s not in by_box and s not in by_key]
    return bool(by_box) and not others


@pytest.mark.parametrize("call", [*CALLS, "export"])
def test_spatial_plans(city, monkeypatch, call):
    store, west = city
    ask = exported(store, west) if call == "export" else asynchronously(store, west, call)
    scans = looked_at(store, monkeypatch, ask)
    assert goes_through_the_index(scans), json.dumps(scans, indent=1)


def test_a_lost_flag_would_be_seen(city, monkeypatch):
    """The control: without the flag the same questions read every row in the area, and the check says so."""
    store, west = city
    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql(f"ALTER FUNCTION {migrate.BOX_TEST} NOT LEAKPROOF")
    try:
        scans = looked_at(store, monkeypatch, asynchronously(store, west, "items in a box"))
        assert scans
        assert not goes_through_the_index(scans)
    finally:
        migrate.ensure(store)


def test_a_tile_of_a_run_goes_through_the_index_of_results(city, monkeypatch):
    """Results are under the policy of their runs; the run stands first in the index."""
    store, west = city
    table = result_table(service("near_repeat"))
    seen = Seen(monkeypatch, store)

    async def look():
        try:
            relation = result_relation(service("near_repeat"), 1)
            await tiles.tile(store, west.scope, relation, (), *TILE, ItemQuery(), "t", drawn="polygon")
        finally:
            await store.aclose()

    with store.transaction(NO_CITY, as_owner=True) as connection:
        connection.exec_driver_sql(f"ANALYZE {table.fullname}")
    asyncio.run(look())
    seen.stop()
    assert "&&" in json.dumps(seen.plans)
