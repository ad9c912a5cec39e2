"""Jobs: the same question is the same job, and a job ends once whatever happens to its worker."""

import datetime as dt
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from gis import runs
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import InvalidParams, NotFound, StoreUnavailable
from gis.store import cities, jobs, results
from gis.store.jobs import queue, worker
from gis.store.jobs.claim import MAX_ATTEMPTS, Cancelled, Interrupted, Reporter, claim
from gis.store.tables import JOBS, RUNS
from tests.support.hatchery import hatched, small_worker
from tests.support.rows import fill

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
SLOW = {"steps": 60, "pause_s": 0.1}
pytestmark = pytest.mark.usefixtures("cell_counts")


def incident(i):
    at = START + dt.timedelta(hours=i)
    return {
        "geom": f"POINT({120.6 + i / 50} 31.3)",
        "occurred_at": at,
        "category": "theft",
        "origin": "import",
        "location_withheld": False,
    }


@pytest.fixture(autouse=True)
def incidents(store, city):
    return fill(store, city, "incidents", [incident(i) for i in range(10)])


def submit(store, city, **params):
    return jobs.submit(store, city, "cell_counts", params)


def entries(store):
    """Return the queue's entries as (job, status)."""
    table = sa.table("procrastinate_jobs", sa.column("id"), sa.column("lock"), sa.column("status"), schema="queue")
    with store.transaction(cities.NO_CITY, as_owner=True) as connection:
        query = sa.select(table.c.lock, sa.cast(table.c.status, sa.Text)).order_by(table.c.id)
        return [tuple(row) for row in connection.execute(query)]


def until(condition, what, seconds=60):
    """Wait for a condition and return what it gave."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"never: {what}")


def reached(store, city, job, *states):
    return until(lambda: (now := jobs.get(store, city, job.id)).state in states and now, f"job {job.id} {states}")


@contextmanager
def working(store, execute=runs.execute):
    """A worker in a thread."""
    stop = threading.Event()
    thread = threading.Thread(target=worker.work, args=(store, execute), kwargs={"stop": stop})
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


# The book


def test_a_job_is_written_down_and_queued_together(store, city):
    job = submit(store, city, cell_m=700)
    assert (job.state, job.progress_share, job.run_id, job.attempts, job.is_done) == ("accepted", 0, None, 0, False)
    assert job.parameters == {"cell_m": 700, "steps": 1, "pause_s": 0.0, "fail": ""}
    assert jobs.get(store, city, job.id) == job
    assert entries(store) == [(f"job-{job.id}", "todo")]


def test_what_cannot_run_is_refused_at_once(store, city):
    with pytest.raises(InvalidParams) as caught:
        submit(store, city, cell_m=-1, colour="red")
    assert {p.field for p in caught.value.problems} == {"cell_m", "colour"}
    with pytest.raises(NotFound):
        jobs.submit(store, city, "person_scores", {})
    assert jobs.list_(store, city) == []
    assert entries(store) == []


def test_the_same_question_is_the_same_job(store, city):
    first = submit(store, city)
    assert submit(store, city, cell_m=500).id == first.id  # the default, said aloud
    assert submit(store, city, cell_m=501).id != first.id
    other = cities.create(store, CityProfile("other", Text("他城", "Other"), "EPSG:4549", "UTC"))
    assert submit(store, other).id != first.id
    fill(store, city, "posts", [{"geom": "POINT(120.6 31.3)", "kind": "patrol"}])  # no input of this service
    assert submit(store, city).id == first.id
    fill(store, city, "incidents", [incident(11)])
    assert submit(store, city).id != first.id


def test_many_ask_at_once_and_get_one_job(store, city):
    with ThreadPoolExecutor(6) as pool:
        ids = {job.id for job in pool.map(lambda _: submit(store, city), range(24))}
    assert len(ids) == 1
    assert len(entries(store)) == 1


def test_another_city_does_not_see_a_job(store, city):
    job = submit(store, city)
    other = cities.create(store, CityProfile("other", Text("他城", "Other"), "EPSG:4549", "UTC"))
    for call in (jobs.get, jobs.dismiss):
        with pytest.raises(NotFound):
            call(store, other, job.id)
    assert jobs.list_(store, other) == []


def test_jobs_are_listed_the_newest_first(store, city):
    ids = [submit(store, city, cell_m=m).id for m in (100, 200, 300)]
    assert [job.id for job in jobs.list_(store, city)] == ids[::-1]
    assert [job.id for job in jobs.list_(store, city, limit=2)] == ids[:0:-1]


def test_a_waiting_job_is_dismissed_and_can_be_asked_again(store, city):
    job = submit(store, city)
    assert jobs.dismiss(store, city, job.id).state == "dismissed"
    assert entries(store) == []
    assert claim(store, job.id) is None
    assert submit(store, city).id != job.id


# One attempt


def test_an_attempt_that_is_no_longer_the_jobs_own_changes_nothing(store, city):
    job = submit(store, city)
    first, second = claim(store, job.id), claim(store, job.id)
    assert (first.attempt, second.attempt) == (1, 2)
    with pytest.raises(Cancelled):
        first.report(store, 0.5, "half")
    with pytest.raises(Cancelled):
        runs.execute(store, city, "cell_counts", job.parameters, finish=first.finish)
    first.fail(store, {"title": "late"})
    first.release(store, counts=True)
    assert jobs.get(store, city, job.id).state == "running"
    run_id = runs.execute(store, city, "cell_counts", job.parameters, finish=second.finish)
    done = jobs.get(store, city, job.id)
    assert (done.state, done.run_id, done.progress_share) == ("successful", run_id, 1.0)
    assert [run.id for run in results.list_(store, city)] == [run_id]
    assert claim(store, job.id) is None


def test_progress_is_written_now_and_then(store, city):
    job = submit(store, city)
    reporter = Reporter(store, claim(store, job.id), threading.Event())
    reporter.progress(0.25, "a quarter")
    reporter.progress(0.5, "too soon to be written")
    now = jobs.get(store, city, job.id)
    assert (now.progress_share, now.message) == (0.25, "a quarter")


def test_a_dismissed_job_stops_at_its_next_word_and_leaves_nothing(store, city):
    job = submit(store, city)
    mine = claim(store, job.id)
    jobs.dismiss(store, city, job.id)
    with pytest.raises(Cancelled):
        Reporter(store, mine, threading.Event()).progress(0.5, "half")
    with pytest.raises(Cancelled):
        runs.execute(store, city, "cell_counts", job.parameters, finish=mine.finish)
    assert results.list_(store, city) == []
    assert jobs.get(store, city, job.id).state == "dismissed"


def test_a_job_goes_back_when_the_worker_stops(store, city):
    job = submit(store, city)
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        Reporter(store, claim(store, job.id), stop).progress(0.5, "half")
    worker.attempt(store, runs.execute, job.id, stop)
    back = jobs.get(store, city, job.id)
    assert (back.state, back.attempts) == ("accepted", 1)  # the first claim of this test is still counted
    assert entries(store) == [(f"job-{job.id}", "todo")]


def test_a_job_that_ends_its_workers_is_given_up(store, city):
    job = submit(store, city)
    for _ in range(MAX_ATTEMPTS):
        assert claim(store, job.id) is not None
    assert claim(store, job.id) is None
    failed = jobs.get(store, city, job.id)
    assert failed.state == "failed"
    assert "cut off" in failed.problem["title"]


@pytest.mark.parametrize(
    ("how", "title", "said"),
    [
        ("infeasible", "satisfies the limits", {"zh": "没有足够小的格", "en": "no cell is small enough"}),
        ("bug", "failed unexpectedly", None),
    ],
)
def test_a_failure_says_why_and_no_more(store, city, how, title, said):
    job = submit(store, city, fail=how)
    worker.attempt(store, runs.execute, job.id, threading.Event())
    failed = jobs.get(store, city, job.id)
    assert failed.state == "failed"
    assert failed.finished_at is not None
    assert title in failed.problem["title"]
    assert (said["en"] if said else "the worker's log") in failed.problem["detail"]
    assert failed.problem.get("message") == said
    assert "secret" not in str(failed.problem)
    assert submit(store, city, fail=how).id != job.id  # one may try again


def test_wrong_input_is_a_failure_that_names_it(store, city):
    with store.transaction(city.scope) as connection:
        connection.execute(sa.schema.DDL("DELETE FROM city.incidents"))
    job = submit(store, city)
    worker.attempt(store, runs.execute, job.id, threading.Event())
    problem = jobs.get(store, city, job.id).problem
    assert [p["field"] for p in problem["problems"]] == ["incidents"]


def test_a_database_that_is_away_puts_the_job_back(store, city):
    def unlucky(*_, **__):
        raise StoreUnavailable("the query took too long")

    job = submit(store, city)
    worker.attempt(store, unlucky, job.id, threading.Event())
    back = jobs.get(store, city, job.id)
    assert (back.state, back.attempts) == ("accepted", 1)
    assert entries(store) == [(f"job-{job.id}", "todo")]


# The queue


def test_the_queue_is_made_once_and_again_when_it_is_lost(store, city):
    job = submit(store, city)
    queue.ensure_queue(store)
    assert entries(store) == [(f"job-{job.id}", "todo")]
    with store.transaction(cities.NO_CITY, as_owner=True) as connection:
        connection.execute(sa.schema.DropSchema("queue", cascade=True))
    queue.ensure_queue(store)
    assert entries(store) == []
    assert queue.enqueue_lost(store) == [job.id]
    assert queue.enqueue_lost(store) == []
    assert entries(store) == [(f"job-{job.id}", "todo")]


def test_several_processes_may_make_the_queue_at_once(store):
    with store.transaction(cities.NO_CITY, as_owner=True) as connection:
        connection.execute(sa.schema.DropSchema("queue", cascade=True))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: queue.ensure_queue(store), range(4)))
    assert entries(store) == []


# The worker


def test_a_worker_runs_what_waits_and_what_comes(store, city):
    waiting = submit(store, city, cell_m=100)
    assert not jobs.has_worker(store)
    with working(store):
        done = reached(store, city, waiting, "successful")
        assert done.started_at <= done.finished_at
        assert results.get(store, city, done.run_id).provenance["parameters"]["cell_m"] == 100
        later = submit(store, city, cell_m=200)
        assert reached(store, city, later, "successful").run_id > done.run_id
        assert jobs.has_worker(store)
    until(lambda: entries(store) == [], "an empty queue")
    assert submit(store, city, cell_m=100).run_id == done.run_id


def test_a_long_job_does_not_keep_a_short_one_waiting(store, city):
    with working(store):
        long = submit(store, city, **SLOW)
        reached(store, city, long, "running")
        reached(store, city, submit(store, city), "successful")
        assert jobs.get(store, city, long.id).state == "running"
        jobs.dismiss(store, city, long.id)


def test_a_running_job_is_dismissed(store, city):
    job = submit(store, city, **SLOW)
    with working(store):
        running = until(lambda: (now := jobs.get(store, city, job.id)).progress_share > 0 and now, "progress")
        assert running.state == "running"
        jobs.dismiss(store, city, job.id)
        after = submit(store, city)
        reached(store, city, after, "successful")
    assert jobs.get(store, city, job.id).state == "dismissed"
    assert [run.id for run in results.list_(store, city)] == [jobs.get(store, city, after.id).run_id]


def test_a_stopping_worker_gives_its_job_to_the_next(store, city):
    job = submit(store, city, **SLOW)
    with working(store):
        reached(store, city, job, "running")
    assert jobs.get(store, city, job.id).state == "accepted"
    with working(store):
        assert reached(store, city, job, "successful").attempts == 1


def test_a_job_that_was_never_queued_is_found(store, city):
    with store.transaction(city.scope) as connection:
        connection.execute(JOBS.insert().values(city_id=city.id, service="cell_counts", parameters={}, key="lost"))
        (job_id,) = connection.scalars(sa.select(JOBS.c.id))
    with working(store):
        reached(store, city, jobs.get(store, city, job_id), "successful")


def test_a_worker_lives_through_lost_connections(store, city):
    job = submit(store, city, steps=30, pause_s=0.1)
    everybody_else = sa.table("pg_stat_activity", sa.column("pid"), sa.column("datname"))
    with working(store):
        until(lambda: jobs.get(store, city, job.id).progress_share > 0.15, "at work")
        with store.transaction(cities.NO_CITY, as_owner=True) as connection:
            pids = everybody_else.c.pid
            others = (everybody_else.c.datname == sa.func.current_database()) & (pids != sa.func.pg_backend_pid())
            cut = connection.execute(sa.select(sa.func.pg_terminate_backend(pids)).where(others)).all()
        assert len(cut) > 1
        reached(store, city, job, "successful")
        reached(store, city, submit(store, city), "successful")
    assert len(results.list_(store, city)) == 2


# Killed


@contextmanager
def worker_process(store):
    """A worker in a process of its own; killed at the end."""
    process = hatched(small_worker, queue.address(store))
    try:
        yield process
    finally:
        process.kill()
        process.join()


@pytest.mark.chaos
def test_a_job_survives_its_killed_workers_and_ends_once(store, city):
    job = submit(store, city, steps=50, pause_s=0.1)
    for kill in (1, 2):
        with worker_process(store):
            until(
                lambda k=kill: (n := jobs.get(store, city, job.id)).attempts == k and n.progress_share > 0.15, "at work"
            )
        assert jobs.get(store, city, job.id).state == "running"
    with worker_process(store):
        done = reached(store, city, job, "successful")
    assert done.attempts == 3
    with store.transaction(city.scope) as connection:
        assert connection.scalars(sa.select(RUNS.c.id)).all() == [done.run_id]
    features = results.read(store, city, done.run_id).features
    assert features["incidents_count"].sum() == 10


@pytest.mark.chaos
def test_a_worker_that_was_thought_dead_cannot_double_a_result(store, city):
    job = submit(store, city, steps=40, pause_s=0.1)
    with worker_process(store) as frozen:
        until(lambda: jobs.get(store, city, job.id).progress_share > 0.15, "at work")
        os.kill(frozen.pid, signal.SIGSTOP)
        with worker_process(store):
            done = reached(store, city, job, "successful")
            os.kill(frozen.pid, signal.SIGCONT)
            after = submit(store, city)
            reached(store, city, after, "successful")
            until(lambda: entries(store) == [], "an empty queue")
    assert jobs.get(store, city, job.id) == done
    assert len(results.list_(store, city)) == 2
