"""Area scope under row-level security: what a policy costs beside the condition, and what it costs without the flag.

One city of a million points in 200 clusters over ten districts. Each question is asked by the store's own statement, as
the database role of the server. The first contest asks under the policies against the same statement, which holds the
condition itself, as the login that no policy binds: at most twice as long. The second is the control: the same question
while ``&&`` is not marked LEAKPROOF, as a restore or an update of the extension leaves it.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from bench.databases import own_store
from bench.harness import Contest, Disagreement, main
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.store import cities, engine, placing
from gis.store.engine import NO_CITY, WORKER_TIMEOUT_S, Scope, Store
from gis.store.items import page
from gis.store.query import ItemQuery
from gis.store.relations import frame_relation

POINTS, QUICK_POINTS = 1_000_000, 250_000
ASKED: Final = 100
"""Boxes that a call asks for, one after the other."""
SIDE_DEG: Final = 0.01
LEAKPROOF: Final = "ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF"
NOT_LEAKPROOF: Final = "ALTER FUNCTION geometry_overlaps(geometry, geometry) NOT LEAKPROOF"

DISTRICTS: Final = """
    WITH batch AS (
        INSERT INTO city.import_batches (city_id, frame, source, content_sha256, options, state)
        VALUES (%(city)s, 'districts', 'bench', 'bench', '{}', 'applied') RETURNING id
    )
    INSERT INTO city.districts (city_id, source, source_id, code, batch_id, geom)
    SELECT %(city)s, 'bench', d::text, 'd' || d, batch.id,
        ST_MakeEnvelope(west, south, west + 0.34, south + 0.68, 4326)
    FROM generate_series(0, 9) AS d, batch,
        LATERAL (SELECT 120 + 0.34 * (d %% 5) AS west, 31 + 0.68 * (d / 5) AS south) AS corner
"""
"""Ten districts, 160 by 150 km together."""
POINTS_SQL: Final = """
    INSERT INTO city.posts (city_id, source, source_id, kind, batch_id, geom, area_id)
    SELECT %(city)s, 'bench', i::text, 'other', (SELECT min(id) FROM city.import_batches), middle,
        (SELECT min(p.area_id) FROM city.area_pieces p WHERE p.geom && middle AND ST_Covers(p.geom, middle))
    FROM generate_series(1, %(count)s) AS i, LATERAL (
        SELECT ST_SetSRID(ST_MakePoint(
            120 + 1.7 * ((c * 7919) %% 200) / 200.0 + 0.025 * sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()),
            31 + 1.36 * ((c * 104729) %% 200) / 200.0 + 0.025 * sqrt(-2 * ln(1 - random())) * sin(2 * pi() * random())
        ), 4326) AS middle FROM (SELECT i %% 200 AS c) AS cluster OFFSET 0
    ) AS point
"""


def fill(store: Store, count: int) -> Scope:
    """Make the city, place its points, and return the scope of one district."""
    city = cities.create(store, CityProfile("bench", Text("测试", "Bench"), "EPSG:4549", "Asia/Shanghai"))
    given = {"city": city.id, "count": count}
    with store.transaction(NO_CITY, timeout_s=WORKER_TIMEOUT_S, as_owner=True) as connection:
        connection.exec_driver_sql("SELECT setseed(0.5)")
        connection.exec_driver_sql(DISTRICTS, given)
        placing.place(connection, city.id, ["districts"])
        connection.exec_driver_sql(POINTS_SQL, given)
        connection.exec_driver_sql("ANALYZE city.posts")
        area = connection.exec_driver_sql("SELECT id FROM city.areas WHERE code = 'd2'").scalar()
    return Scope(city.id, areas=(int(area or 0),))


class Asking:
    """Asks for boxes of about a kilometre in one district, on one connection of one loop."""

    def __init__(self, store: Store, scope: Scope) -> None:
        self._store, self._scope = store, scope
        self._runner = asyncio.Runner()
        steps = [(i * 0.618034 % 1, i * 0.754878 % 1) for i in range(1, ASKED + 1)]
        self._boxes = [(120.68 + 0.33 * x, 31 + 0.67 * y) for x, y in steps]

    def under_policies(self, count: int = ASKED) -> list[int]:
        """Return how many points each box holds, as the server asks."""
        return self._runner.run(self._ask(count))

    def above_policies(self) -> list[int]:
        """Return the same as the login that no policy binds: the condition in the statement alone."""
        role = engine.READING_ROLE
        vars(engine)["READING_ROLE"] = engine.NO_ROLE
        try:
            return self._runner.run(self._ask(ASKED))
        finally:
            vars(engine)["READING_ROLE"] = role

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._store.aclose())
        self._runner.close()

    async def _ask(self, count: int) -> list[int]:
        relation, found = frame_relation("posts"), []
        for west, south in self._boxes[:count]:
            query = ItemQuery(bbox=(west, south, west + SIDE_DEG, south + SIDE_DEG), limit=1_000)
            found.append((await page(self._store, self._scope, relation, ("kind",), query)).returned)
        return found


def same(ours: Any, anchor: Any) -> str:
    """Return how many points were found; both must find the same."""
    if ours != anchor:
        raise Disagreement(f"{sum(ours)} points under the policies, {sum(anchor)} without")
    return f"{sum(ours):,} points in {len(ours)} boxes"


def flagged(store: Store, statement: str) -> Callable[[], None]:
    """Return what sets the flag of ``&&``."""

    def set_flag() -> None:
        with store.transaction(NO_CITY, as_owner=True) as connection:
            connection.exec_driver_sql(statement)

    return set_flag


def contests(*, quick: bool) -> Iterator[Contest]:
    """Yield the claim and its control."""
    with own_store() as store:
        count = QUICK_POINTS if quick else POINTS
        asking = Asking(store, fill(store, count))
        yield Contest(
            name="scope_policy_beside_condition",
            n=count,
            ours=asking.under_policies,
            anchor=asking.above_policies,
            anchor_name="condition alone",
            target=0.5,
            agree=same,
            repeats=5,
        )
        few = 5 if quick else 10
        lost, found = flagged(store, NOT_LEAKPROOF), flagged(store, LEAKPROOF)

        def without_flag() -> list[int]:
            lost()
            try:
                return asking.under_policies(few)
            finally:
                found()

        yield Contest(
            name="scope_flag_lost",
            n=count,
            ours=lambda: asking.under_policies(few),
            anchor=without_flag,
            anchor_name="&& not leakproof",
            target=10,
            agree=same,
        )
        asking.close()


if __name__ == "__main__":
    sys.exit(main(contests, title="One district of ten under row-level security, boxes of a kilometre"))
