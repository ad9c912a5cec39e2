"""Many people at once: tiles, pages of features and descriptions in three roles, from 1 to 64 connections.

One server as ``wangge serve`` runs it, in the city of a million incidents; each request is drawn at random, most of
them tiles where incidents lie, as a map asks for them. The table says how many answers came a second, how late, and how
many were no answer; the claim is that the server holds no more memory at the end than at half of the run, within a
tenth. The whole run rewrites the table in ``bench/README.md``.
"""

from __future__ import annotations

import random
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.harness import Quality, main
from bench.serving import http, servers
from bench.serving.city import EAST, NORTH, QUICK, SOUTH, WEST, big_city
from bench.serving.http import Request, Tally
from bench.tiles import addresses
from gis.contract.roles import Role
from layers.engine.catalog import catalog

README: Final = Path(__file__).with_name("README.md")
START, END = "<!-- load: written by python -m bench.load -->", "<!-- end of load -->"
CONNECTIONS: Final = (1, 8, 32, 64)
SECONDS, QUICK_SECONDS = 30.0, 4.0
ROLES: Final[tuple[Role, ...]] = ("officer", "analyst", "supervisor")
LAYERS: Final = ("incidents", "rentals", "grids", "key_units")
ZOOMS: Final = (10, 12, 14, 16)
SIDE_DEG: Final = 0.02
GROWTH_SHARE: Final = 0.1
"""Growth that counts as none: of what the server held before."""
ANSWERS: Final = frozenset({200, 204})


@dataclass(frozen=True, slots=True)
class Row:
    """What became of the requests of one kind at one number of connections."""

    connections: int
    kind: str
    tally: Tally

    def markdown(self) -> str:
        """Return the row of the table."""
        tally = self.tally
        failed = sum(count for status, count in tally.statuses.items() if status not in ANSWERS)
        latencies = " | ".join(f"{tally.percentile_ms(share):.0f}" for share in (0.5, 0.95, 0.99))
        answers = f"{len(tally.seconds):,} | {tally.per_s:.0f}"
        return f"| {self.connections} | {self.kind} | {answers} | {latencies} | {failed} |"


def contests(*, quick: bool) -> Iterator[Quality]:
    """Yield the claim about memory; print the table, and keep that of the whole run."""
    with ExitStack() as stack:
        big = stack.enter_context(big_city(share=QUICK if quick else 1))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wangge-load-")))
        server = stack.enter_context(servers.wangge(big, folder, cache_bytes=32_000_000))
        admin = servers.token(big, "admin")
        tokens = {role: servers.token(big, role) for role in ROLES}
        tiles = {zoom: addresses(big, zoom, 400) for zoom in ZOOMS}
        requests = _requests(tokens, tiles)
        seconds = QUICK_SECONDS if quick else SECONDS
        rows: list[Row] = []
        held = [_memory_mb(server, admin)]
        for connections in CONNECTIONS:
            found = http.ask_for(server, requests, connections=connections, seconds=seconds)
            rows += [Row(connections, kind, tally) for kind, tally in sorted(found.items())]
            held.append(_memory_mb(server, admin))
        text = _table(rows, held)
        print(text, flush=True)
        if not quick:
            _keep(text)
        asked = sum(len(row.tally.seconds) for row in rows)
        failed = sum(n for row in rows for status, n in row.tally.statuses.items() if status not in ANSWERS)
        said = f"{asked:,} requests, {failed} failed; {' -> '.join(f'{mb:.0f}' for mb in held)} MB"
        allowed = held[2] * (1 + GROWTH_SHARE)
        yield Quality(
            name="memory_flat",
            n=asked,
            measure=lambda: (held[-1], allowed, said),
            anchor_name="what it held at half of the run, and a tenth",
            unit="MB",
            target=1.0,
        )


def _requests(tokens: dict[str, dict[str, str]], tiles: dict[int, list[tuple[int, int, int]]]) -> Iterator[Request]:
    draw = random.Random(20261125)  # noqa: S311 - no secret, the same in each run
    while True:
        role = draw.choice(sorted(tokens))
        headers = tokens[role]
        kind = draw.random()
        if kind < 0.8:
            z, x, y = draw.choice(tiles[draw.choice(ZOOMS)])
            layer = draw.choice([layer for layer in LAYERS if role in catalog()[layer].roles])
            yield Request(f"/collections/{layer}/tiles/WebMercatorQuad/{z}/{y}/{x}", "tile", headers)
        elif kind < 0.95:
            west, south = draw.uniform(WEST, EAST - SIDE_DEG), draw.uniform(SOUTH, NORTH - SIDE_DEG)
            box = f"{west:.4f},{south:.4f},{west + SIDE_DEG:.4f},{south + SIDE_DEG:.4f}"
            yield Request(f"/collections/incidents/items?limit=50&bbox={box}", "items in a box", headers)
        else:
            yield Request("/collections?f=json", "collections", headers)


def _memory_mb(server: str, headers: dict[str, str]) -> float:
    request = urllib.request.Request(f"{server}/metrics", headers=headers)  # noqa: S310 - our own machine
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        lines = answer.read().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("process_resident_memory_bytes")) / 1e6


def _table(rows: list[Row], held: list[float]) -> str:
    head = [
        "| connections | asked for | answers | a second | p50 ms | p95 ms | p99 ms | failed |",
        "|--:|---|--:|--:|--:|--:|--:|--:|",
    ]
    said = ", ".join(f"{mb:.0f}" for mb in held)
    memory = f"Memory of the server before, and after each number of connections: {said} MB."
    return "\n".join([*head, *(row.markdown() for row in rows), "", memory])


def _keep(text: str) -> None:
    before, _, rest = README.read_text(encoding="utf-8").partition(START)
    README.write_text(f"{before}{START}\n{text}\n{END}{rest.partition(END)[2]}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(contests, title="Many people at once"))
