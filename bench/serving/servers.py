"""Servers to compare on loopback: ours as ``wangge serve`` runs it, tipg, pygeoapi, and a bare route."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from bench.serving.city import BigCity
from gis.contract.roles import Role
from gis.store import accounts

PROJECT: Final = Path(__file__).parents[2]
START_S: Final = 60.0
UNLIMITED: Final = {"WANGGE_REQUESTS_PER_S": "1000000", "WANGGE_REQUESTS_BURST": "1000000"}
COLLECTIONS: Final = {
    "incidents": ("occurred_at", "occurred_until_at", "category", "origin", "address", "grid_code"),
    "grids": ("code", "name_zh", "name_en", "kind", "households_count", "positions_count", "valid_from"),
}
"""Table -> columns that all servers give; what our layers give, near enough."""


@contextmanager
def started(command: Sequence[str], environment: Mapping[str, str], port: int, *, log: Path, at: str) -> Iterator[str]:
    """Run a server; give its address once it answers at a path, end it afterwards."""
    address = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=PROJECT, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_S
        while not _answers(address + at):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - our own machine
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def wangge(big: BigCity, folder: Path, *, cache_bytes: int = 256_000_000) -> Iterator[str]:
    """Give our server as its command starts it; without a cache where that has no bytes."""
    port = free_port()
    environment = {
        **UNLIMITED,
        "WANGGE_DATABASE_URL": big.url,
        "WANGGE_DATA_DIR": str(folder),
        "WANGGE_TILE_CACHE_BYTES": str(cache_bytes),
    }
    command = [sys.executable, "-m", "api.cli", "serve", "--port", str(port)]
    with started(command, environment, port, log=folder / f"wangge-{port}.log", at="/livez") as address:
        yield address


@contextmanager
def bare(big: BigCity, folder: Path) -> Iterator[str]:
    """Give the anchor: a route that runs one prepared ST_AsMVT through asyncpg and sends the bytes, nothing else."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.serving.bare:app", "--port", str(port), "--no-access-log"]
    environment = {"BARE_DATABASE_URL": big.url}
    with started(command, environment, port, log=folder / "bare.log", at="/") as address:
        yield address


@contextmanager
def tipg(big: BigCity, folder: Path) -> Iterator[str]:
    """Give tipg on the same tables and indexes, with the columns of our layers."""
    port = free_port()
    tables = {
        f"TIPG_TABLE_CONFIG__city_{table}__{name}": value
        for table, columns in COLLECTIONS.items()
        for name, value in {"geomcol": "geom", "pk": "id", "properties": json.dumps(columns)}.items()
    }
    environment = {
        "DATABASE_URL": big.url,
        "TIPG_DB_SCHEMAS": '["city"]',
        "TIPG_DB_TABLES": json.dumps([f"city.{table}" for table in COLLECTIONS]),
        "TIPG_DB_SPATIAL_EXTENT": "FALSE",
        "TIPG_DB_DATETIME_EXTENT": "FALSE",
        "TIPG_CATALOG_TTL": "100000",
        "TIPG_TILE_BUFFER": "64",
        **tables,
    }
    command = [sys.executable, "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--no-access-log"]
    with started(command, environment, port, log=folder / "tipg.log", at="/healthz") as address:
        yield address


@contextmanager
def pygeoapi(big: BigCity, folder: Path) -> Iterator[str]:
    """Give pygeoapi's features of the same tables, on Starlette."""
    port = free_port()
    config = folder / "pygeoapi.json"
    config.write_text(json.dumps(_pygeoapi_config(big, port)))
    openapi = folder / "pygeoapi-openapi.json"
    environment = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(openapi)}
    generate = [str(Path(sys.executable).with_name("pygeoapi")), "openapi", "generate", str(config), "--format", "json"]
    with openapi.open("wb") as output:
        subprocess.run(
            generate, env={**os.environ, **environment}, check=True, stdout=output, stderr=subprocess.DEVNULL
        )
    command = [sys.executable, "-m", "uvicorn", "pygeoapi.starlette_app:APP", "--port", str(port), "--no-access-log"]
    with started(command, environment, port, log=folder / "pygeoapi.log", at="/conformance?f=json") as address:
        yield address


def _pygeoapi_config(big: BigCity, port: int) -> dict[str, object]:
    url = urlsplit(big.url)
    data = {
        "host": url.hostname,
        "port": url.port,
        "dbname": url.path[1:],
        "user": url.username,
        "password": url.password,
        "search_path": ["city", "public"],
    }
    address = f"http://127.0.0.1:{port}"
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port},
            "url": address,
            "mimetype": "application/json",
            "encoding": "utf-8",
            "languages": ["en-US"],
            "limits": {"default_items": 100, "max_items": 10_000, "on_exceed": "throttle"},
            "map": {"url": address, "attribution": "none"},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {
                "title": "bench",
                "description": "bench",
                "keywords": ["bench"],
                "terms_of_service": address,
                "url": address,
            },
            "license": {"name": "none", "url": address},
            "provider": {"name": "bench", "url": address},
            "contact": {"name": "bench"},
        },
        "resources": {
            table: {
                "type": "collection",
                "title": table,
                "description": table,
                "keywords": [table],
                "extents": {"spatial": {"bbox": [-180, -90, 180, 90]}},
                "providers": [
                    {
                        "type": "feature",
                        "name": "PostgreSQL",
                        "data": data,
                        "id_field": "id",
                        "table": table,
                        "geom_field": "geom",
                        "properties": list(columns),
                    }
                ],
            }
            for table, columns in COLLECTIONS.items()
        },
    }


def token(big: BigCity, role: Role) -> dict[str, str]:
    """Return the header of an account that acts in a role, made for it."""
    account = accounts.create(big.store, f"bench-{role}-{free_port()}")
    accounts.grant(big.store, account.name, role, big.city)
    made = accounts.issue(big.store, account.id, big.city.id, title="bench", role=role, days=1)
    return {"authorization": f"Bearer {made}"}
