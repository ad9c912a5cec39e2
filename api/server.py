"""The server process: a port of its own, uvicorn, an orderly end."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.console import err
from api.settings import ServerSettings, server_settings
from gis.errors import Conflict

GRACE_S: Final = 5
"""Requests that are under way have so long to end."""


def claim(host: str, port: int) -> socket.socket:
    """Return a socket bound to a port, not yet listening; `Conflict` says what to do when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
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


def configured(app: FastAPI, settings: ServerSettings) -> uvicorn.Config:
    """Return how uvicorn serves the application; what a proxy forwards is believed of the settings' proxies alone."""
    proxies = [str(network) for network in settings.trusted_proxies]
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies,
        timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=1000,
        h11_max_incomplete_event_size=64 * 1024,
    )


def run_server(listening: socket.socket, settings: ServerSettings | None = None) -> None:
    """Serve until SIGINT or SIGTERM; requests that are under way are finished."""
    settings = settings or server_settings()
    _Announced(configured(create_app(settings=settings), settings)).run(sockets=[listening])
