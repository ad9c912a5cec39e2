"""A server of ours as its users start it: a command, a port, an answer."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

START_S = 240
STOP_S = 30


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get_json(address: str) -> Any:
    """Return the JSON at an address."""
    with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - our own server
        return json.load(answer)


@contextmanager
def served(command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """Run a command of ours with a ``--port`` of its own; give its address once it answers, stop it at the end."""
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
    try:
        _wait(address, process, log)
        yield address
    finally:
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
            get_json(f"{address}/?f=json")
        except OSError:
            time.sleep(0.3)
        else:
            return
    process.kill()
    pytest.fail(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")
