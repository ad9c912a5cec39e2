"""Vector tiles over HTTP: ours under scope and row-level security, against the barest route there is and against tipg.

Everything runs in one city and one run: our server as ``wangge serve`` starts it, once without a cache and once with
one; a route that runs one prepared ST_AsMVT through the same driver and does nothing else; tipg. The tiles are those in
which incidents lie, eight connections ask, and what the tiles hold is compared before anything is timed.
"""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bench.harness import Contest, Disagreement, main
from bench.serving import http, servers
from bench.serving.city import QUICK, BigCity, big_city
from bench.serving.http import Request, Tally
from bench.serving.mvt import count_inside
from gis.store.tables import FRAME_TABLES

Address = tuple[int, int, int]
"""z, x, y."""
MOST: Final = 10_000
"""Features that the others put into a tile; more they leave out."""
KINDS: Final = (("incidents", 16), ("incidents", 14), ("incidents", 12), ("grids", 14), ("grids", 12))
QUICK_KINDS: Final = (("incidents", 14), ("grids", 12))
RAW_TARGET: Final = 0.8
TIPG_TARGET: Final = 2.0
CROWD_ZOOM: Final = 10


@dataclass(frozen=True, slots=True)
class Field:
    """Who runs, and what each is asked for a tile."""

    uncached: str
    cached: str
    bare: str
    tipg: str
    headers: dict[str, str]

    def ours(self, layer: str, at: Address) -> Request:
        """Return what our server is asked."""
        z, x, y = at
        return Request(f"/collections/{layer}/tiles/WebMercatorQuad/{z}/{y}/{x}", headers=self.headers)

    @staticmethod
    def raw(layer: str, at: Address) -> Request:
        """Return what the bare route is asked."""
        z, x, y = at
        return Request(f"/{layer}/{z}/{y}/{x}")

    @staticmethod
    def theirs(layer: str, at: Address) -> Request:
        """Return what tipg is asked."""
        z, x, y = at
        return Request(f"/collections/city.{layer}/tiles/WebMercatorQuad/{z}/{x}/{y}")


def addresses(big: BigCity, zoom: int, count: int) -> list[Address]:
    """Return the tiles of a zoom in which the first incidents lie, each once and then all over again, up to a count."""
    table = FRAME_TABLES["incidents"]
    place = sa.select(sa.func.ST_X(table.c.geom), sa.func.ST_Y(table.c.geom)).order_by(table.c.id).limit(4 * count)
    with big.store.transaction(big.city.scope, read_only=True) as connection:
        found = dict.fromkeys(_tile(lon, lat, zoom) for lon, lat in connection.execute(place))
    distinct = list(found)[:count]
    return (distinct * math.ceil(count / len(distinct)))[:count]


def _tile(lon: float, lat: float, zoom: int) -> Address:
    side = 2**zoom
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * side
    return zoom, int((lon + 180) / 360 * side), int(y)


def contests(*, quick: bool) -> Iterator[Contest]:
    """Yield every claim."""
    with ExitStack() as stack:
        big = stack.enter_context(big_city(share=QUICK if quick else 1))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wangge-bench-")))
        field = Field(
            uncached=stack.enter_context(servers.wangge(big, folder, cache_bytes=0)),
            cached=stack.enter_context(servers.wangge(big, folder)),
            bare=stack.enter_context(servers.bare(big, folder)),
            tipg=stack.enter_context(servers.tipg(big, folder)),
            headers=servers.token(big, "analyst"),
        )
        count = 100 if quick else 400
        for layer, zoom in QUICK_KINDS if quick else KINDS:
            at = addresses(big, zoom, count if zoom > 12 else count // 4)
            ours = _ask(field.uncached, [field.ours(layer, one) for one in at])
            for name, server, of, target in (
                ("raw", field.bare, field.raw, RAW_TARGET),
                ("tipg", field.tipg, field.theirs, TIPG_TARGET),
            ):
                yield Contest(
                    name=f"{layer}_z{zoom}_{name}",
                    n=len(at),
                    ours=ours,
                    anchor=_ask(server, [of(layer, one) for one in at]),
                    anchor_name={"raw": "bare route, ST_AsMVT, asyncpg", "tipg": "tipg 1.6.1"}[name],
                    target=target,
                    agree=_alike(field, server, layer, at, of),
                )
        yield from _crowds(big, field, quick=quick)
        yield from _warm(big, field, quick=quick)


def _ask(server: str, requests: Sequence[Request]) -> Callable[[], Tally]:
    def ask() -> Tally:
        tally = http.ask(server, requests)
        if set(tally.statuses) - {200, 204, 304}:
            raise Disagreement(f"{server} answers {dict(tally.statuses)}")
        return tally

    return ask


def _alike(
    field: Field, server: str, layer: str, at: Sequence[Address], of: Callable[[str, Address], Request]
) -> Callable[[object, object], str]:
    """Return the comparison of what our tiles and others hold."""

    def agree(_: object, __: object) -> str:
        some = list(dict.fromkeys(at))[:20]
        ours = http.bodies(field.uncached, [field.ours(layer, one) for one in some])
        theirs = http.bodies(server, [of(layer, one) for one in some])
        name = layer if server == field.bare else "default"
        mine = [count_inside(ours[field.ours(layer, one).path], layer) for one in some]
        other = [count_inside(theirs[of(layer, one).path], name) for one in some]
        dropped = 0
        for one, have, they in zip(some, mine, other, strict=True):
            if have > they > MOST * 0.5:
                dropped += have - they
            elif abs(have - they) > max(3, 0.01 * they):
                raise Disagreement(f"{layer} {one}: {have} against {they}")
        return f"{sum(mine):,} features in {len(some)} tiles" + (f", they drop {dropped:,}" if dropped else "")

    return agree


def _crowds(big: BigCity, field: Field, *, quick: bool) -> Iterator[Contest]:
    """Yield the claim about a small scale, where nothing may be left out."""
    count = 40 if quick else 60
    at = addresses(big, CROWD_ZOOM, count)
    table = FRAME_TABLES["incidents"]

    def complete(_: object, __: object) -> str:
        with big.store.transaction(big.city.scope, read_only=True) as connection:
            rows = connection.scalar(sa.select(sa.func.count()).select_from(table))
            sides = connection.execute(
                sa.select(
                    *(
                        getattr(sa.func, f"ST_{side}")(sa.func.ST_Extent(table.c.geom))
                        for side in ("XMin", "YMin", "XMax", "YMax")
                    )
                )
            ).one()
        (_, west, north), (_, east, south) = (
            _tile(sides[0], sides[3], CROWD_ZOOM),
            _tile(sides[2], sides[1], CROWD_ZOOM),
        )
        every = [(CROWD_ZOOM, x, y) for x in range(west, east + 1) for y in range(north, south + 1)]
        ours = http.bodies(field.uncached, [field.ours("incidents", one) for one in every])
        theirs = http.bodies(field.tipg, [field.theirs("incidents", one) for one in every])
        mine, other = (
            sum(count_inside(body, name) for body in bodies.values())
            for bodies, name in ((ours, "incidents"), (theirs, "default"))
        )
        if mine != rows:
            raise Disagreement(f"{mine} of {rows} rows")
        return f"ours {mine:,} of {rows:,} rows, tipg {other:,}"

    yield Contest(
        name=f"incidents_z{CROWD_ZOOM}_tipg",
        n=len(at),
        ours=_ask(field.uncached, [field.ours("incidents", one) for one in at]),
        anchor=_ask(field.tipg, [field.theirs("incidents", one) for one in at]),
        anchor_name="tipg 1.6.1",
        target=25,
        agree=complete,
    )


def _warm(big: BigCity, field: Field, *, quick: bool) -> Iterator[Contest]:
    """Yield the claims about tiles that are in memory: the tiles of a map that somebody zooms into."""
    each = 20 if quick else 60
    mixed = [(layer, at) for layer, zoom in (*KINDS, ("incidents", CROWD_ZOOM)) for at in addresses(big, zoom, each)]
    mixed = mixed[::7] + [one for i, one in enumerate(mixed) if i % 7]
    requests = [field.ours(layer, at) for layer, at in mixed]
    for name, headers in (("cached", {}), ("revalidated", _etags(field, requests))):
        known = [Request(one.path, headers={**one.headers, **headers.get(one.path, {})}) for one in requests]
        yield Contest(
            name=f"mixed_{name}_uncached",
            n=len(requests),
            ours=_ask(field.cached, known),
            anchor=_ask(field.uncached, requests),
            anchor_name="the same without a cache",
            target=10,
            agree=_same_bytes(field, requests),
        )


def _etags(field: Field, requests: Sequence[Request]) -> dict[str, dict[str, str]]:
    return {path: {"if-none-match": headers["etag"]} for path, headers in http.heads(field.cached, requests).items()}


def _same_bytes(field: Field, requests: Sequence[Request]) -> Callable[[object, object], str]:
    def agree(_: object, __: object) -> str:
        if http.bodies(field.cached, requests) != http.bodies(field.uncached, requests):
            raise Disagreement("a tile in memory is another one")
        return f"{len({one.path for one in requests})} tiles, same bytes"

    return agree


if __name__ == "__main__":
    sys.exit(main(contests, title="Vector tiles over HTTP, 8 connections (n = tiles)"))
