"""Results of runs: features in a table a service version, numbers and provenance in ``city.runs``.

A run appears whole or not at all; deleting it (or its city) deletes its features.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.contract.result import InputRecord, LeftOut, Provenance, Result
from gis.contract.service import Service, mark, service, services
from gis.errors import NotFound
from gis.store import changes, wire
from gis.store.cities import CityRow
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.relations import is_published, run_covered, untold
from gis.store.result_tables import ensure_table, result_table
from gis.store.tables import RUNS


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a service: its numbers and where they came from; the features are read by `read`."""

    id: int
    service: str
    service_version: int
    summary: Mapping[str, Any]
    provenance: Mapping[str, Any]
    created_at: dt.datetime


def write(
    store: Store,
    city: CityRow,
    result: Result,
    *,
    also: Callable[[sa.Connection, int], None] | None = None,
) -> int:
    """Keep a result and return the id of its run.

    Parameters
    ----------
    also
        Called with the connection and the run's id in the same transaction; an error in it undoes the run.
    """
    definition = _definition(result.service, result.provenance.version)
    table = result_table(definition)
    ensure_table(store, table)
    given = [record.frame for record in result.provenance.inputs]
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S) as connection:
        row = RUNS.insert().values(
            city_id=city.id,
            service=result.service,
            service_version=result.provenance.version,
            summary=json_ready(result.summary),
            provenance=json_ready(result.provenance.as_dict()),
            areas=None if city.areas is None else list(city.areas),
            since=city.since,
            tells=list(definition.told(result.provenance.parameters, given)),
            without=list(definition.withheld(city.unseen)),
        )
        run_id = int(connection.execute(row.returning(RUNS.c.id)).scalar_one())
        count = len(result.features)
        if count:
            keys = {
                "run_id": pa.array(np.full(count, run_id, dtype=np.int64)),
                "id": pa.array(np.arange(1, count + 1, dtype=np.int64)),
            }
            wire.insert(connection, table, keys | wire.arrow(definition.output, result.features))
        if also is not None:
            also(connection, run_id)
        changes.tell(connection)
    return run_id


def read(store: Store, city: CityRow, run_id: int) -> Result:
    """Return a run's result as the service gave it.

    Raises
    ------
    NotFound
        The city has no such run, or it is of a version of the service that is no longer there.
    """
    run = get(store, city, run_id)
    definition = _definition(run.service, run.service_version)
    table = result_table(definition)
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S, read_only=True) as connection:
        features = wire.read(connection, definition.output, table, table.c.run_id == run_id)
    mark(features, city.profile)
    return Result(run.service, features, run.summary, _provenance(run.provenance), city.profile)


def get(store: Store, city: CityRow, run_id: int) -> Run:
    """Return a run; NotFound when the city has none of that id."""
    with store.transaction(city.scope, read_only=True) as connection:
        row = connection.execute(RUNS.select().where(*_seen(city), RUNS.c.id == run_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no run {run_id}")
    return _run(row)


def list_(store: Store, city: CityRow, *, services: Sequence[str] | None = None, limit: int = 100) -> list[Run]:
    """Return the latest runs of a city, the newest first; of some services, or of all."""
    query = RUNS.select().where(*_seen(city)).order_by(RUNS.c.id.desc()).limit(limit)
    if services is not None:
        query = query.where(RUNS.c.service.in_(services))
    with store.transaction(city.scope, read_only=True) as connection:
        return [_run(row) for row in connection.execute(query)]


def latest(store: Store, city: CityRow, service_id: str) -> Run | None:
    """Return the newest run of a service in its present version and of just this scope; None when it never ran."""
    newest = (
        RUNS.select()
        .where(
            *_own(city),
            RUNS.c.service == service_id,
            RUNS.c.service_version == service(service_id).version,
        )
        .order_by(RUNS.c.id.desc())
        .limit(1)
    )
    with store.transaction(city.scope, read_only=True) as connection:
        row = connection.execute(newest).one_or_none()
    return None if row is None else _run(row)


def latest_ids(store: Store, city: CityRow) -> dict[str, int]:
    """Return the id of the newest run of each service in its present version and of just this scope.

    A service that never ran is absent.
    """
    newest = (
        sa.select(RUNS.c.service, RUNS.c.service_version, sa.func.max(RUNS.c.id).label("id"))
        .where(*_own(city))
        .group_by(RUNS.c.service, RUNS.c.service_version)
    )
    with store.transaction(city.scope, read_only=True) as connection:
        rows = connection.execute(newest).all()
    present = {definition.id: definition.version for definition in services().values()}
    return {row.service: row.id for row in rows if present.get(row.service) == row.service_version}


def latest_id(store: Store, city: CityRow, service_id: str) -> int:
    """Return the id of the newest run of a service; NotFound says how to make one."""
    run = latest(store, city, service_id)
    if run is None:
        raise NotFound(f"'{service_id}' has no results yet; compute them with 'wangge run {service_id}'")
    return run.id


def delete(store: Store, city: CityRow, run_id: int) -> None:
    """Remove a run with its features and its job; NotFound when the city has none of that id."""
    mine = [*untold(RUNS, city.unseen), *([] if city.areas is None else [RUNS.c.areas.op("<@")(_array(city.areas))])]
    gone = RUNS.delete().where(RUNS.c.city_id == city.id, *mine, RUNS.c.id == run_id).returning(RUNS.c.id)
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S) as connection:
        if connection.execute(gone).one_or_none() is None:
            raise NotFound(f"there is no run {run_id}")
        changes.tell(connection)


def _seen(city: CityRow) -> list[sa.ColumnElement[bool]]:
    """Return what holds of the runs that a scope covers; those of a published service over the whole city besides."""
    mine: list[sa.ColumnElement[bool]] = [RUNS.c.city_id == city.id, *untold(RUNS, city.unseen)]
    return mine if city.areas is None else [*mine, run_covered(_array(city.areas))]


def _own(city: CityRow) -> list[sa.ColumnElement[bool]]:
    """Return what holds of the runs of just a scope, of which the newest is shown.

    Who sees all events is not shown a run of the last 90 days, nor who sees all frames one that was not given some of
    them; who sees less is shown either. Published services have
    one newest run for everybody, that of the whole city.
    """
    areas: sa.ColumnElement[bool] = RUNS.c.areas.is_(None)
    if city.areas is not None:
        areas = sa.or_(RUNS.c.areas == _array(city.areas), sa.and_(areas, is_published()))
        areas = sa.and_(areas, sa.or_(RUNS.c.areas.is_(None), ~is_published()))
    since = () if city.since is not None else (RUNS.c.since.is_(None),)
    whole = RUNS.c.without.op("<@")(sa.cast(list(city.unseen), pg.ARRAY(sa.Text)))
    return [RUNS.c.city_id == city.id, areas, *since, *untold(RUNS, city.unseen), whole]


def _array(areas: Sequence[int]) -> sa.ColumnElement[Any]:
    return sa.cast(list(areas), pg.ARRAY(sa.Integer))


def json_ready(value: Any) -> Any:
    """Return plain values that JSON can hold: numpy's numbers as Python's, what is not finite as None.

    Examples
    --------
    >>> json_ready({"z": np.float64("nan"), "n": (np.int64(3), True)})
    {'z': None, 'n': [3, True]}
    """
    if isinstance(value, Mapping):
        return {str(key): json_ready(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [json_ready(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, dt.date) else value


def _definition(service_id: str, version: int) -> Service:
    found = service(service_id)
    if found.version != version:
        raise NotFound(
            f"this result is of version {version} of '{service_id}', which is now at version {found.version}"
        )
    return found


def _run(row: sa.Row[Any]) -> Run:
    return Run(row.id, row.service, row.service_version, row.summary, row.provenance, row.created_at)


def _provenance(have: Mapping[str, Any]) -> Provenance:
    period = have["period"]
    return Provenance(
        **{
            **have,
            "inputs": tuple(InputRecord(**entry) for entry in have["inputs"]),
            "left_out": tuple(LeftOut(**entry) for entry in have["left_out"]),
            "period": None if period is None else (period[0], period[1]),
        }
    )
