"""``wangge serve`` and ``wangge worker``: the two processes of a server."""

from __future__ import annotations

import socket
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.console import err
from api.logs import configure
from api.settings import server_settings
from gis.errors import Conflict

GRACE_S = 5


def serve(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1; 0 takes a free one.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on. There is no sign-in yet: anything but loopback is your own risk.")
    ] = "127.0.0.1",
) -> None:
    """Serve the city in use: map, OGC API, processes. Runs need `wangge worker` beside it.

    **Example:** `wangge serve --port 8080`
    """
    run_server(claim(host, port))


def worker(
    *,
    with_parent: Annotated[
        bool, typer.Option("--with-parent", help="Stop when standard input closes.", hidden=True)
    ] = False,
) -> None:
    """Take jobs and run services, until stopped. Start as many as there are processors to spare.

    **Example:** `wangge worker`
    """
    from api.worker import main

    main(with_parent=with_parent)


def claim(host: str, port: int) -> socket.socket:
    """Return a listening socket; `Conflict` says what to do when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(1024)
    except OSError as error:
        bound.close()
        raise Conflict(
            f"port {port} on {host} cannot be had ({error.strerror}): is wangge already running? "
            f"Take another one with --port {port + 1}"
        ) from None
    return bound


class _Announced(uvicorn.Server):
    """A server that says where it is once it answers."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            err.print(f"wangge is at [bold]http://{host}:{port}[/bold]   (Ctrl-C stops it)")


def run_server(listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; requests that are under way are finished."""
    configure()
    config = uvicorn.Config(
        create_app(),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=1000,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server_settings()
    _Announced(config).run(sockets=[listening])
