"""Pages of features over HTTP: ours under scope, row-level security and audit log, against tipg and pygeoapi.

All in one city and one run, eight connections, the same table and indexes. Ours counts up to 10,000 and writes a row of
the audit log before each answer goes out; the others count everything, and write none.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from bench.harness import Contest, Disagreement, main
from bench.serving import http, servers
from bench.serving.city import QUICK, big_city
from bench.serving.http import Request, Tally

BOX: Final = "120.70,31.30,120.80,31.38"
COUNTED: Final = 10_000
PAGES: Final = (
    # name, what is asked, targets against tipg and pygeoapi
    ("100", "limit=100", 20.0, 8.0),
    ("bbox_100", f"limit=100&bbox={BOX}", 3.0, 8.0),
)
REQUESTS: Final = 96
QUICK_REQUESTS: Final = 40


def contests(*, quick: bool) -> Iterator[Contest]:
    """Yield every claim."""
    with ExitStack() as stack:
        big = stack.enter_context(big_city(share=QUICK if quick else 1))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wangge-bench-")))
        ours = stack.enter_context(servers.wangge(big, folder))
        rivals = {
            "tipg": (stack.enter_context(servers.tipg(big, folder)), "city.incidents", "&f=geojson"),
            "pygeoapi": (stack.enter_context(servers.pygeoapi(big, folder)), "incidents", "&f=json"),
        }
        headers = servers.token(big, "analyst")
        count = QUICK_REQUESTS if quick else REQUESTS
        for name, asked, *targets in PAGES:
            request = Request(f"/collections/incidents/items?{asked}", headers=headers)
            for (rival, (server, collection, form)), target in zip(rivals.items(), targets, strict=True):
                theirs = Request(f"/collections/{collection}/items?{asked}{form}")
                yield Contest(
                    name=f"items_{name}_{rival}",
                    n=count,
                    ours=_ask(ours, [request] * count),
                    anchor=_ask(server, [theirs] * count),
                    anchor_name=rival,
                    target=target,
                    agree=_alike(ours, request, server, theirs),
                )


def _ask(server: str, requests: Sequence[Request]) -> Callable[[], Tally]:
    def ask() -> Tally:
        tally = http.ask(server, requests)
        if set(tally.statuses) != {200}:
            raise Disagreement(f"{server} answers {dict(tally.statuses)}")
        return tally

    return ask


def _alike(ours: str, request: Request, server: str, theirs: Request) -> Callable[[object, object], str]:
    def agree(_: object, __: object) -> str:
        mine = json.loads(http.bodies(ours, [request])[request.path])
        other = json.loads(http.bodies(server, [theirs])[theirs.path])
        if mine["numberReturned"] != other["numberReturned"] or mine["numberReturned"] != len(mine["features"]):
            raise Disagreement(f"{mine['numberReturned']} against {other['numberReturned']} features")
        matched = mine.get("numberMatched")
        if matched is None and other["numberMatched"] <= COUNTED:
            raise Disagreement(f"ours counts no {other['numberMatched']}")
        if matched is not None and matched != other["numberMatched"]:
            raise Disagreement(f"{matched} against {other['numberMatched']} matched")
        return f"{mine['numberReturned']} features of {other['numberMatched']:,}"

    return agree


if __name__ == "__main__":
    sys.exit(main(contests, title="Pages of features over HTTP, 8 connections (n = requests)"))
