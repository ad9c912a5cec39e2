"""Server, worker and database killed in the middle of an import, a job, an edit and a publication.

Twelve drills on one house that keeps what it has acknowledged. What was acknowledged is there afterwards, once; what
was not is there whole or not at all. The deeper drills of single parts stand beside those parts: test_import_chaos,
test_plan_chaos, test_jobs, test_cluster, test_audit.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from collections import Counter
from contextlib import suppress

import httpx
import numpy as np
import pytest
import sqlalchemy as sa

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import StoreUnavailable
from gis.store import cities, jobs, plans, postmaster
from gis.store.cluster import Cluster
from gis.store.engine import Store
from gis.store.frames import read_frame
from gis.store.tables import FRAME_TABLES, IMPORT_BATCHES, JOBS, PLAN_LINEAGE, RUNS
from tests.support.databases import DURABLE_OPTIONS, kept_folder, make_template
from tests.support.desks import Desks, role_for
from tests.support.hatchery import hatched, server_process, worker_process
from tests.support.little_city import settle_city
from tests.support.rows import fill
from tests.support.served import free_port

VICTIMS = ("server", "worker", "database")
KILLS = 2
ROWS = 400
PATIENCE_S = 120
pytestmark = [pytest.mark.chaos, pytest.mark.parametrize("victim", VICTIMS)]


class House:
    """A durable database with a city, a server and a worker, each a process that can be killed."""

    def __init__(self, folder):
        self.folder = folder
        self.cluster = Cluster(folder, options=DURABLE_OPTIONS)
        self.cluster.start()
        self.url = self.cluster.url.set(database=make_template(self.cluster))
        self.store = Store(self.url)
        jobs.ensure_queue(self.store)
        profile = CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai")
        self.city = cities.create(self.store, profile)
        settle_city(self.store, self.city)
        self.desks = Desks(self.store)
        self.port = free_port()
        self.processes = {}
        self.start("server")
        self.start("worker")
        self.ask("GET", "/plans")

    def start(self, victim):
        text = self.url.set(drivername="postgresql").render_as_string(hide_password=False)
        if victim == "server":
            self.processes[victim] = hatched(server_process, text, str(self.folder), self.port)
        elif victim == "worker":
            self.processes[victim] = hatched(worker_process, text, str(self.folder))
        else:
            self.cluster.start()

    def kill(self, victim):
        if victim == "database":
            os.kill(self.cluster.status().pid, signal.SIGKILL)
            assert postmaster.wait_until_gone(self.cluster.data, 10)
            return
        self.processes[victim].kill()
        self.processes[victim].join()

    def once(self, method, path, headers=None, **more):
        """Return the answer to one request, None where nobody knows what became of it."""
        headers = {**self.headers(method, path), **(headers or {})}
        with suppress(httpx.TransportError):
            answer = httpx.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=30, **more)
            assert answer.status_code < 500 or answer.status_code == 503, answer.text
            return None if answer.status_code == 503 else answer
        time.sleep(0.05)
        return None

    def headers(self, method, path):
        while True:
            with suppress(StoreUnavailable):
                if headers := self.desks.headers(role_for(method, path)):
                    return headers

    def ask(self, method, path, *, wait_for=(200, 201), **more):
        """Ask again and again until there is an answer with one of the statuses."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            answer = self.once(method, path, **more)
            if answer is not None and answer.status_code in wait_for:
                return answer
            assert time.monotonic() < deadline, f"no answer to {method} {path}: {answer and answer.text}"

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.join()
        self.store.close()


@pytest.fixture(scope="module")
def house():
    with kept_folder() as folder:
        house = House(folder)
        yield house
        house.close()


class Killing(threading.Thread):
    """Kills a victim now and then, and starts it again."""

    def __init__(self, house, victim, seed):
        super().__init__()
        self.house, self.victim, self.rng, self.failed = house, victim, np.random.default_rng(seed), None

    def run(self):
        try:
            for _ in range(KILLS):
                time.sleep(0.1 + 0.5 * self.rng.random())
                self.house.kill(self.victim)
                self.house.start(self.victim)
        except BaseException as error:  # noqa: BLE001 - told by the thread that waits for this one
            self.failed = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.join()
        if self.failed is not None:
            raise self.failed

    @property
    def done(self):
        return not self.is_alive()


def rows_of(house, *sources):
    """Return how many incidents each source has, and how many different ones."""
    table = FRAME_TABLES["incidents"]
    query = sa.select(table.c.source, sa.func.count(), sa.func.count(table.c.source_id.distinct()))
    with house.store.transaction(house.city.scope, read_only=True) as connection:
        found = connection.execute(query.where(table.c.source.in_(sources)).group_by(table.c.source)).all()
    return {source: (many, different) for source, many, different in found}


@pytest.mark.asvs("2.3.3")
def test_imports(house, victim):
    def incidents(number):
        at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        lines = [
            f"{number}-{i},{(at + dt.timedelta(minutes=i)).isoformat()},theft,120.6{i:03},31.301" for i in range(ROWS)
        ]
        return "\n".join(["source_id,occurred_at,category,lon,lat", *lines]).encode()

    names = []
    with Killing(house, victim, seed=1) as killing:
        while not killing.done or len(names) < KILLS:
            names.append(f"{victim}-{len(names)}")
            sent = {"files": {"file": ("a.csv", incidents(names[-1]))}, "data": {"crs": "wgs84", "source": names[-1]}}
            house.ask("POST", "/imports/incidents", **sent)
    assert rows_of(house, *names) == dict.fromkeys(names, (ROWS, ROWS))
    with house.store.transaction(house.city.scope, read_only=True) as connection:
        states = connection.scalars(sa.select(IMPORT_BATCHES.c.state).where(IMPORT_BATCHES.c.source.in_(names))).all()
    assert states == ["applied"] * len(names)


def test_jobs(house, victim):
    at = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    place = [f"POINT({120.601 + i / 2000} 31.301)" for i in range(50)]
    same = {"category": "theft", "origin": "import", "location_withheld": False}
    if victim == VICTIMS[0]:
        rows = [{"geom": where, "occurred_at": at + dt.timedelta(days=i), **same} for i, where in enumerate(place)]
        fill(house.store, house.city, "incidents", rows)
    begin, asked = VICTIMS.index(victim) * 1000, {}
    with Killing(house, victim, seed=2) as killing:
        while not killing.done or len(asked) < 2 * KILLS:
            seed = begin + len(asked)
            inputs = {"json": {"inputs": {"seed": seed, "draws": 19}}, "headers": {"Prefer": "respond-async"}}
            asked[seed] = int(house.ask("POST", "/processes/eighty_twenty/execution", **inputs).json()["jobID"])
            time.sleep(0.05)
    assert len(set(asked.values())) == len(asked)
    deadline = time.monotonic() + PATIENCE_S
    while {jobs.get(house.store, house.city, job).state for job in asked.values()} != {"successful"}:
        assert time.monotonic() < deadline, [jobs.get(house.store, house.city, job) for job in asked.values()]
        time.sleep(0.1)
    with house.store.transaction(house.city.scope, read_only=True) as connection:
        told = connection.execute(sa.select(JOBS.c.parameters, JOBS.c.run_id).where(JOBS.c.service == "eighty_twenty"))
        of_jobs = {row.run_id: row.parameters["seed"] for row in told if begin <= row.parameters["seed"] < begin + 1000}
        runs = connection.scalars(sa.select(RUNS.c.id).where(RUNS.c.service == "eighty_twenty")).all()
    assert sorted(of_jobs.values()) == sorted(asked)
    assert set(of_jobs) <= set(runs)
    assert len(runs) == len(set(runs))
    assert len([run for run in runs if run in of_jobs]) == len(asked)


@pytest.mark.asvs("2.3.3", "2.3.4")
def test_edits(house, victim):
    plan = house.ask("POST", "/plans", json={"title": f"演练 {victim}"}).json()
    here = f"/plans/{plan['id']}"
    begun = house.ask("GET", f"{here}/assignment").json()["assignment"]
    revision, told, unknown = plan["revision"], [], 0
    with Killing(house, victim, seed=3) as killing:
        turn = 0
        while not killing.done or len(told) < 2 * KILLS:
            turn += 1
            body = {"revision": revision, "moves": {f"b{turn % 8}": None if turn // 8 % 2 == 0 else "g1"}}
            answer = house.once("PATCH", f"{here}/assignment", json=body)
            if answer is not None and answer.status_code == 200:
                revision = answer.json()["revision"]
                told.append((revision, body["moves"]))
                continue
            unknown += answer is None
            revision = house.ask("GET", here).json()["revision"]
    time.sleep(0.3)  # a process of the database that has lost its client may finish the one edit that was under way
    log = plans.edits(house.store, house.city, plan["id"], limit=100_000)
    assert [edit.seq for edit in log] == list(range(1, len(log) + 1))
    changing = {revision: moves for revision, moves in told if revision > plan["revision"]}
    assert len(set(changing)) <= len(log) <= len(changing) + unknown
    now = dict(begun)
    for edit in log:
        for code, value in edit.after["blocks"].items():
            assert now[code] == edit.before["blocks"][code]["grid"]
            now[code] = value["grid"]
    assert house.ask("GET", f"{here}/assignment").json()["assignment"] == now


def test_publications(house, victim):
    day = dt.datetime.now(dt.timezone(dt.timedelta(hours=8))).date().isoformat()
    published = []
    with Killing(house, victim, seed=4) as killing:
        while not killing.done or len(published) < KILLS:
            plan = house.ask("POST", "/plans", json={"title": f"公布 {victim}"}).json()
            here = f"/plans/{plan['id']}"
            block = ("b1", "b5")[len(published) % 2]
            grid = "g2" if house.ask("GET", f"{here}/assignment").json()["assignment"][block] == "g1" else "g1"
            for step, body, state in (
                ("assignment", {"moves": {block: grid}}, None),
                ("submit", {}, "review"),
                ("approve", {}, "approved"),
                ("publish", {"effective_on": day}, "effective"),
            ):
                reach(house, here, (step, body, state), (block, grid))
            published.append((plan["id"], block, grid))
    with house.store.transaction(house.city.scope, read_only=True) as connection:
        sources = connection.scalars(sa.select(IMPORT_BATCHES.c.source).where(IMPORT_BATCHES.c.frame == "grids")).all()
        lineage = connection.execute(
            sa.select(PLAN_LINEAGE.c.plan_id, sa.func.count()).group_by(PLAN_LINEAGE.c.plan_id)
        ).all()
        codes = connection.scalars(
            sa.select(FRAME_TABLES["grids"].c.code).where(FRAME_TABLES["grids"].c.valid_to.is_(None))
        ).all()
    written = Counter(sources)
    assert {written[f"plan-{plan}"] for plan, _, _ in published} == {1}
    assert {plan for plan, _, _ in published} <= {plan for plan, _ in lineage}
    assert sorted(codes) == ["g1", "g2"]
    last = {block: grid for _, block, grid in published}
    blocks = read_frame(house.store, house.city, "blocks").set_index("code")["grid_code"]
    assert {block: blocks[block] for block in last} == last


def reach(house, here, wanted, move):
    """Take one step with a plan, until it has been taken: said again only where it has not."""
    step, body, state = wanted
    deadline = time.monotonic() + PATIENCE_S
    while True:
        plan = house.ask("GET", here).json()
        block, grid = move
        taken = (
            house.ask("GET", f"{here}/assignment").json()["assignment"][block] == grid
            if state is None
            else plan["state"] == state
        )
        if taken:
            return
        method = "PATCH" if state is None else "POST"
        answer = house.once(method, f"{here}/{step}", json={"revision": plan["revision"], **body})
        assert answer is None or answer.status_code in (200, 409), answer.text
        assert time.monotonic() < deadline, (step, plan)
