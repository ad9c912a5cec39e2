"""``wangge demo``: everything at once, from nothing to the map."""

from __future__ import annotations

from typing import Annotated

import typer


def demo(
    *,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8000,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Drop the demo city and load it anew; other cities stay.")
    ] = False,
) -> None:
    """Start the embedded PostGIS, load the demo city, run the default services, and serve the map.

    The second start takes seconds: what is there is not loaded again. All data of the demo city are invented.

    **Example:** `wangge demo --port 8080`
    """
    from api.demo import show

    show(port, fresh=fresh)
