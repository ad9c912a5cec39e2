"""Whole processes: the server, the worker beside it, and the demo, started and stopped as a user does."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pyogrio
import pytest

from api.demo_city import DESK_RUNS, RUNS
from api.settings import DEMO
from api.supervisor import Worker
from gis.store import jobs
from tests.support.databases import kept_folder
from tests.support.served import demo_cookies, free_port, served, signed_in

WANGGE = (sys.executable, "-m", "api.cli")
FRAMES = ("districts", "communities", "grids", "incidents")
ROWS = 3000
PATIENCE_S = 60


def until(there, patience=PATIENCE_S):
    """Wait for something to be true."""
    deadline = time.monotonic() + patience
    while not there():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.fixture
def address(filled, store, tmp_path):
    """The address of `wangge serve` on this test's database."""
    del filled
    jobs.ensure_queue(store)
    url = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    environment = {"WANGGE_DATABASE_URL": url, "WANGGE_DATA_DIR": str(tmp_path)}
    with served([*WANGGE, "serve"], environment=environment, log=tmp_path / "log") as at:
        yield at


@pytest.fixture
def gdal(address):
    """The address, of which GDAL asks with a token in the header, as its users do."""
    token = signed_in(address, "analyst")["Authorization"].removeprefix("Bearer ")
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": "BEARER", "GDAL_HTTP_BEARER": token})
    yield address
    pyogrio.set_gdal_config_options({"GDAL_HTTP_AUTH": None, "GDAL_HTTP_BEARER": None})


def test_gdal_reads_a_page_as_geojson(gdal):
    address = gdal
    frame = pyogrio.read_dataframe(f"{address}/collections/incidents/items?limit=1000")
    assert len(frame) == 250
    assert frame.crs.to_epsg() == 4326
    assert set(frame["category"]) == {"theft", "burglary", "assault"}
    grids = pyogrio.read_dataframe(f"{address}/collections/grids/items", bbox=(120.6, 31.28, 120.605, 31.285))
    assert len(grids) >= 1


def test_gdal_opens_the_server_as_ogc_features(gdal):
    address = gdal
    layers = {name for name, _ in pyogrio.list_layers(f"OAPIF:{address}")}
    assert {"grids", "incidents"} <= layers
    whole = pyogrio.read_dataframe(f"OAPIF:{address}", layer="incidents", PAGE_SIZE="40")
    assert len(whole) == 250
    assert whole.crs.to_authority() in (("OGC", "CRS84"), ("EPSG", "4326"))
    thefts = pyogrio.read_dataframe(f"OAPIF:{address}", layer="incidents", where="category = 'theft'")
    assert len(thefts) == 84
    box = pyogrio.read_dataframe(f"OAPIF:{address}", layer="grids", bbox=(120.601, 31.281, 120.605, 31.285))
    assert len(box) == 1


def test_a_port_that_is_taken_is_said_so(address):
    port = address.rsplit(":", 1)[1]
    done = subprocess.run([*WANGGE, "serve", "--port", port], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_that_dies_is_started_again_and_ends_in_order():
    sleeper = (sys.executable, "-c", "import sys; sys.stdin.read()")
    with Worker(sleeper, first_pause_s=0.05) as worker:
        first = worker.pid
        os.kill(first, signal.SIGKILL)
        until(lambda: worker.pid not in (None, first))
        second = worker.pid
        assert worker.starts == 2
    until(lambda: not is_alive(second))


def test_a_worker_whose_parent_was_killed_ends_too(store):
    url = store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    parent = (
        "import time; from api.supervisor import Worker\nwith Worker() as w: print(w.pid, flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", parent], stdout=subprocess.PIPE, env={**os.environ, "WANGGE_DATABASE_URL": url}
    ) as process:
        worker = int(process.stdout.readline())
        until(lambda: jobs_has_worker(store))
        process.kill()
        until(lambda: not is_alive(worker))


def jobs_has_worker(store):
    jobs.ensure_queue(store)
    return jobs.has_worker(store)


def small_demo(folder):
    """Write a demo city of few incidents."""
    folder.mkdir()
    (folder / "city.toml").write_text((DEMO / "city.toml").read_text())
    for frame in FRAMES:
        table = pq.read_table(DEMO / f"{frame}.parquet")
        pq.write_table(table.slice(0, ROWS), folder / f"{frame}.parquet")


def answers(process, home):
    assert process.poll() is None, "the demo ended by itself"
    try:
        return httpx.get(f"{home}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def get(address):
    """Return the JSON at an address of the demo, as its analyst sees it."""
    home = address.split("/", 3)
    said = demo_cookies("/".join(home[:3]), "analyst")
    answer = httpx.get(address, timeout=30, headers={"Cookie": "; ".join(f"{k}={v}" for k, v in said.items())})
    assert answer.status_code == 200, answer.text
    return answer.json()


def of_a_district(home):
    """Return the services of which the desk of one district has a run of its own."""
    page = httpx.get(f"{home}/signin").text
    name = re.search(r"demo-officer-[a-z0-9]+", page)[0]
    said = demo_cookies(home, "officer", name)
    answer = httpx.get(f"{home}/runs", headers={"Cookie": "; ".join(f"{k}={v}" for k, v in said.items())})
    assert answer.status_code == 200, answer.text
    return {run["service"] for run in answer.json()["runs"]}


def test_the_demo_starts_serves_and_leaves_nothing_behind(tmp_path):
    small_demo(tmp_path / "demo")
    log = tmp_path / "log"
    with kept_folder() as folder:
        environment = {**os.environ, "WANGGE_DATA_DIR": str(folder), "WANGGE_DEMO_DIR": str(tmp_path / "demo")}
        for _ in range(2):  # the second start finds everything there
            port = free_port()
            home = f"http://127.0.0.1:{port}"
            with log.open("wb") as lines:
                command = [*WANGGE, "demo", "--port", str(port)]
                process = subprocess.Popen(command, env=environment, stdout=lines, stderr=lines)
            try:
                until(partial(answers, process, home), 120)
                assert {c["id"] for c in get(f"{home}/collections")["collections"]} >= set(FRAMES)
                assert get(f"{home}/collections/incidents/items?limit=1")["numberMatched"] == ROWS
                done = [job["status"] for job in get(f"{home}/jobs")["jobs"]]
                assert done == ["successful"] * (len(RUNS) + len(DESK_RUNS))
                assert "hotspots" in of_a_district(home), "an officer of one district opens a map with results"
                assert get(f"{home}/collections/hotspots/items?limit=1")["numberMatched"] > 0
                assert httpx.get(f"{home}/collections/incidents/items").status_code == 404, "nobody has signed in"
            finally:
                process.send_signal(signal.SIGTERM)
                code = process.wait(PATIENCE_S)
            assert code == 0, log.read_text()
            assert f"wangge is at {home}" in log.read_text()
            status = subprocess.run([*WANGGE, "db", "status"], env=environment, capture_output=True, check=False)
            assert b"stopped" in status.stdout
