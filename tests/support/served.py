"""A server of ours as its users start it: a command, a port, an answer."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest

from api.visitors import CSRF_COOKIE, CSRF_HEADER
from gis.store.engine import Store
from tests.support.desks import Desks, role_for

START_S = 240
STOP_S = 30


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get_json(address: str) -> Any:
    """Return the JSON at an address, asked by a desk that may ask it."""
    return send_json("GET", address)


def send_json(method: str, address: str, body: object = None, *, role: str | None = None) -> Any:
    """Return the JSON answer of a server of ours, asked by a desk that may ask it, or by the one that is said."""
    server, path = re.match(r"(https?://[^/]+)(.*)", address).groups()
    headers = {"Content-Type": "application/json", **signed_in(server, role or role_for(method, path))}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, method=method, data=data, headers=headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def signed_in(server: str, role: str) -> dict[str, str]:
    """Return what a request in a role says: a token where the test has the server's database, else a demo login's."""
    if role == "public" or server not in _SERVED:
        return {}
    desks = _SERVED[server]
    if desks is not None:
        return desks.headers(role)
    cookies = demo_cookies(server, role)
    said = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return {"Cookie": said, CSRF_HEADER: cookies[CSRF_COOKIE]}


@cache
def demo_cookies(server: str, role: str, account: str = "") -> dict[str, str]:
    """Return the cookies that a demo gives to whoever takes the account of a role, or another one of that role."""
    request = urllib.request.Request(  # noqa: S310 - our own server
        f"{server}/auth/demo",
        data=json.dumps({"role": role, "account": account}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        texts = answer.headers.get_all("set-cookie")
    return {name: morsel.value for text in texts for name, morsel in SimpleCookie(text).items()}


_SERVED: dict[str, Desks | None] = {}
"""Address of a server -> the desks of its database; None where it is the demo, which gives accounts away itself."""


@contextmanager
def served(command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """Run a command of ours with a ``--port`` of its own; give its address once it answers, stop it at the end.

    What is asked of it by `get_json`, and by the pages of `tests.support.map_page`, is asked by somebody signed in.
    """
    port = free_port()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    address = f"http://127.0.0.1:{port}"
    url = environment.get("WANGGE_DATABASE_URL")
    store = Store(url) if url else None
    _SERVED[address] = Desks(store) if store else None
    try:
        _wait(address, process, log)
        yield address
    finally:
        del _SERVED[address]
        if store:
            store.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/?f=json", timeout=10):  # noqa: S310 - our own server
                pass
        except OSError:
            time.sleep(0.3)
        else:
            return
    process.kill()
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")
