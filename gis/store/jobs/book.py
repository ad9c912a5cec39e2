"""The book of jobs: what was asked for and how far it is. The same question is the same job."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, get_args

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.city.policy_rows import policy_digests
from gis.contract.roles import Role
from gis.contract.service import Service, service
from gis.errors import Conflict, NotFound
from gis.store import audit
from gis.store.audit import Entry
from gis.store.cities import CityRow
from gis.store.engine import NO_CITY, Store
from gis.store.frames import versions
from gis.store.jobs import queue
from gis.store.relations import untold
from gis.store.tables import JOBS

State = Literal["accepted", "running", "successful", "failed", "dismissed"]

_GIVEN_UP: Final = ("failed", "dismissed")
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Job:
    """A run that was asked for.

    Attributes
    ----------
    parameters
        All of them, defaults included.
    progress_share
        0 to 1.
    problem
        Why it failed: ``title``, ``detail`` and ``problems``.
    run_id
        The run with its result, once successful.
    attempts
        How often a worker has begun it.
    """

    id: int
    city_id: int
    service: str
    parameters: Mapping[str, Any]
    state: State
    progress_share: float
    message: str
    problem: Mapping[str, Any] | None
    run_id: int | None
    attempts: int
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None

    @property
    def is_done(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state in ("successful", "failed", "dismissed")


def counts(store: Store) -> dict[str, int]:
    """Return how many jobs of all cities are in each state; every state is there."""
    tally = sa.select(JOBS.c.state, sa.func.count().label("n")).group_by(JOBS.c.state)
    with store.transaction(NO_CITY, read_only=True, as_owner=True) as connection:
        found = {row.state: row.n for row in connection.execute(tally)}
    return {state: found.get(state, 0) for state in get_args(State)}


COLUMNS: Final = tuple(JOBS.c[name] for name in Job.__slots__)


@dataclass(frozen=True, slots=True)
class By:
    """Who asks for a run: whether they still may is asked again when it begins."""

    account_id: int
    role: Role


def submit(store: Store, city: CityRow, service_id: str, params: Mapping[str, Any], *, by: By | None = None) -> Job:
    """Take a run into the queue and return its job, which sees what the scope of `city` sees.

    The same service, version, parameters, inputs, policies and scope give the same job, whoever asks and however
    often, unless the earlier one failed or was dismissed.

    Parameters
    ----------
    by
        None for whoever sits at the machine itself.

    Raises
    ------
    NotFound
        There is no such service.
    InvalidParams
        Names every wrong parameter, and every one that asks for places which the scope does not see.
    """
    definition = service(service_id)
    parameters = definition.parse(params).model_dump(mode="json")
    definition.must_not_tell(parameters, city.unseen)
    without = definition.withheld(city.unseen)
    given = {wanted.frame.id for wanted in definition.inputs} - set(without)
    for _ in range(_TRIES):
        with store.transaction(city.scope) as connection:
            key = _key(connection, city, definition, parameters)
            insert = pg.insert(JOBS).values(
                city_id=city.id,
                service=service_id,
                parameters=parameters,
                key=key,
                areas=None if city.areas is None else list(city.areas),
                since=city.since,
                tells=list(definition.told(parameters, given)),
                without=list(without),
                account_id=by and by.account_id,
                role=by and by.role,
            )
            row = connection.execute(insert.on_conflict_do_nothing().returning(*COLUMNS)).one_or_none()
            if row is not None:
                # In the transaction of the job: neither is ever there without the other.
                queue.enqueue(connection, row.id)
                # Which parameters were chosen, not what they are: some of them are places.
                told = {"job": row.id, "chosen": sorted(params)}
                audit.record(connection, Entry("run", f"processes/{service_id}", city.id, detail=told))
                return job_of(row)
            same = sa.select(*COLUMNS).where(JOBS.c.key == key, JOBS.c.state.not_in(_GIVEN_UP))
            row = connection.execute(same).one_or_none()
            if row is not None:
                return job_of(row)
        # The same job was given up between the two statements: ask again.
    raise Conflict("the same job is being cancelled again and again; try later")


def get(store: Store, city: CityRow, job_id: int) -> Job:
    """Return a job; NotFound when the city has none of that id."""
    with store.transaction(city.scope, read_only=True) as connection:
        row = connection.execute(sa.select(*COLUMNS).where(*_seen(city), JOBS.c.id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no job {job_id}")
    return job_of(row)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs to list; None is all of them.

    Attributes
    ----------
    created
        First and last instant at which it was asked for, both included.
    lasted_s
        Least and greatest time from its beginning to its end, or until now while it runs, in seconds, both included.
        One that has not begun has no such time.
    """

    services: Sequence[str] | None = None
    states: Sequence[str] | None = None
    created: tuple[dt.datetime | None, dt.datetime | None] = (None, None)
    lasted_s: tuple[int | None, int | None] = (None, None)

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return what holds of the jobs that are wanted."""
        held: list[sa.ColumnElement[bool]] = []
        if self.services is not None:
            held.append(JOBS.c.service.in_(self.services))
        if self.states is not None:
            held.append(JOBS.c.state.in_(self.states))
        lasted = sa.extract("epoch", sa.func.coalesce(JOBS.c.finished_at, sa.func.now()) - JOBS.c.started_at)
        # An instant is told in milliseconds, and asked for as it was told.
        created = sa.func.date_trunc("milliseconds", JOBS.c.created_at)
        for value, (least, greatest) in ((created, self.created), (lasted, self.lasted_s)):
            if least is not None:
                held.append(value >= least)
            if greatest is not None:
                held.append(value <= greatest)
        if self.lasted_s != (None, None):
            # One that waits for another try has the beginning of the last.
            held.append(JOBS.c.state != "accepted")
        return held


EVERY_JOB: Final = Wanted()


def list_(store: Store, city: CityRow, wanted: Wanted = EVERY_JOB, *, limit: int = 100) -> list[Job]:
    """Return the latest jobs of a city, the newest first."""
    newest = sa.select(*COLUMNS).where(*_seen(city), *wanted.conditions()).order_by(JOBS.c.id.desc()).limit(limit)
    with store.transaction(city.scope, read_only=True) as connection:
        return [job_of(row) for row in connection.execute(newest)]


def dismiss(store: Store, city: CityRow, job_id: int) -> Job:
    """Give a job up and return it; a running one stops at its next word of progress, and leaves nothing.

    A job that is done is forgotten: the same question will be computed again. Its run stays.

    Raises
    ------
    NotFound
        The city has no such job.
    """
    with store.transaction(city.scope) as connection:
        row = connection.execute(
            JOBS.update()
            .where(*_seen(city), JOBS.c.id == job_id)
            .values(state="dismissed", finished_at=sa.func.coalesce(JOBS.c.finished_at, sa.func.now()))
            .returning(*COLUMNS)
        ).one_or_none()
        if row is None:
            raise NotFound(f"there is no job {job_id}")
        queue.withdraw(connection, job_id)
        audit.record(connection, Entry("change", f"jobs/{job_id}", city.id, detail={"what": "dismissed"}))
    return job_of(row)


def _seen(city: CityRow) -> list[sa.ColumnElement[bool]]:
    """Return what holds of the jobs that a scope covers."""
    mine: list[sa.ColumnElement[bool]] = [JOBS.c.city_id == city.id, *untold(JOBS, city.unseen)]
    if city.areas is not None:
        mine.append(JOBS.c.areas.op("<@")(sa.cast(list(city.areas), pg.ARRAY(sa.Integer))))
    return mine


def job_of(row: sa.Row[Any]) -> Job:
    """Return the job of a row of `COLUMNS`."""
    return Job(*tuple(row))


def _key(connection: sa.Connection, city: CityRow, definition: Service, parameters: Mapping[str, Any]) -> str:
    inputs = versions(connection, city.id, [wanted.frame.id for wanted in definition.inputs])
    # Who does not see a frame that plays no part here asks the same question as who does.
    scope = replace(city.scope, unseen=definition.withheld(city.unseen))
    policies = policy_digests(definition.policies)
    question = [definition.id, definition.version, parameters, inputs, scope.hash, policies]
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
