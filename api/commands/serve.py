"""``wangge serve`` and ``wangge worker``: the two processes of a server."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8000,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. Beyond loopback put a proxy with TLS before it: browsers keep no login without."
        ),
    ] = "127.0.0.1",
) -> None:
    """Serve the city in use: map, OGC API, processes. Runs need `wangge worker` beside it.

    **Example:** `wangge serve --port 8080`
    """
    from api.logs import configure
    from api.server import claim, run_server

    configure()
    run_server(claim(host, port))


def worker(
    *,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Stop when standard input closes.", hidden=True)
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Log warnings and errors only.")] = False,
) -> None:
    """Take jobs and run services, until stopped. Start as many as there are processors to spare.

    **Example:** `wangge worker`
    """
    from api.worker import main

    main(with_parent=with_parent, quiet=quiet)
