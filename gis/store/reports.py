"""Reports of the public: taken without a name, decided on by a desk, asked about by a token that only its holder has.

The database keeps digests of the token and of the name it stands for, so nobody who reads the table could ask as the
one who reported. A report that was decided on is deleted after the days of the policy.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import shapely
import sqlalchemy as sa

from gis.city import codebook
from gis.city.public_reports import ReportPolicy, report_policy
from gis.errors import Conflict, InvalidInput, NotFound, Problem
from gis.files.feature import Row, Value
from gis.files.shapes import Area
from gis.store import audit, writes
from gis.store.audit import Entry
from gis.store.cities import CityRow
from gis.store.engine import Scope, Store
from gis.store.ingest.detect import city_area
from gis.store.placing import covering
from gis.store.relations import frame_relation, within_areas
from gis.store.spatial import SRID, intersects
from gis.store.tables import FRAME_TABLES, REPORTS

State = Literal["waiting", "accepted", "rejected"]
REASONS: Final = "report_reasons"
ORIGIN: Final = "public_report"
TOKEN_BYTES: Final = 16
DIGITS: Final = 5
"""Decimals of a degree that are kept: about a metre."""
LISTED: Final = 500


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody saw.

    Attributes
    ----------
    place
        Longitude and latitude in degrees of WGS84.
    """

    category: str
    seen_at: dt.datetime
    place: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the holder of a token may know of a report.

    Attributes
    ----------
    name
        Under which it was asked for.
    reason
        Of the codebook ``report_reasons``, where it was not taken up.
    """

    name: str
    category: str
    state: State
    reason: str | None
    reported_at: dt.datetime
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report as a desk sees it.

    Attributes
    ----------
    twin_id
        An earlier report that may be of the same matter.
    """

    id: int
    category: str
    state: State
    seen_at: dt.datetime
    reported_at: dt.datetime
    place: tuple[float, float]
    twin_id: int | None
    reason: str | None
    incident_id: int | None


def request_name(token: str) -> str:
    """Return the name under which a report is asked for; it follows from the token, and the token not from it."""
    return _letters(hashlib.sha256(f"wangge report {token}".encode()).digest()[:TOKEN_BYTES])


def add(store: Store, city: CityRow, report: Report, *, now: dt.datetime | None = None) -> str:
    """Keep a report, and return its token, which is told once.

    Raises
    ------
    InvalidInput
        Names everything that is wrong with it.
    """
    policy, now = report_policy(), now or dt.datetime.now(dt.UTC)
    scope = Scope(city.id)  # whoever reports does so anywhere in the city
    area = city_area(store, CityRow(city.id, city.profile), frame_relation("incidents").source.spec)
    _refuse(report, policy, area, now)
    report = replace(report, place=(round(report.place[0], DIGITS), round(report.place[1], DIGITS)))
    token = _letters(secrets.token_bytes(TOKEN_BYTES))
    with store.transaction(scope) as connection:
        _forget(connection, city.id, policy)
        id_ = connection.scalar(
            REPORTS.insert()
            .values(
                city_id=city.id,
                token_sha256=_digest(token),
                request_sha256=_digest(request_name(token)),
                category=report.category,
                seen_at=report.seen_at,
                geom=_point(report.place),
                twin_id=_twin(city.id, report, policy, now),
                area_id=covering(_point(report.place), city.id, only_points=True),
            )
            .returning(REPORTS.c.id)
        )
        _tell(connection, city, id_, what="reported")
    return token


def has_token(store: Store, city: CityRow, token: str) -> bool:
    """Return whether a token belongs to a report."""
    mine = (REPORTS.c.city_id == city.id, REPORTS.c.token_sha256 == _digest(token))
    with store.transaction(Scope(city.id), read_only=True) as connection:
        return connection.scalar(sa.select(REPORTS.c.id).where(*mine)) is not None


def standings(store: Store, city: CityRow, names: Sequence[str]) -> list[Standing]:
    """Return how the reports of some names stand, in the order of the names; of a name that is none nothing."""
    by_digest = {_digest(name): name for name in names}
    mine = (REPORTS.c.city_id == city.id, REPORTS.c.request_sha256.in_(list(by_digest)))
    with store.transaction(Scope(city.id), read_only=True) as connection:
        found = {bytes(row.request_sha256): row for row in connection.execute(sa.select(REPORTS).where(*mine))}
    return [
        Standing(name, row.category, row.state, row.reason, row.reported_at, row.decided_at or row.reported_at)
        for digest, name in by_digest.items()
        if (row := found.get(digest)) is not None
    ]


def listed(store: Store, city: CityRow, *, state: State | None = "waiting", limit: int = LISTED) -> list[Waiting]:
    """Return reports in the scope, the longest waiting first; of decided ones the latest first."""
    lon, lat = sa.func.ST_X(REPORTS.c.geom).label("lon"), sa.func.ST_Y(REPORTS.c.geom).label("lat")
    order = REPORTS.c.id if state == "waiting" else REPORTS.c.id.desc()
    mine = (REPORTS.c.city_id == city.id, *within_areas(REPORTS, city.areas))
    query = sa.select(REPORTS, lon, lat).where(*mine).order_by(order).limit(limit)
    if state is not None:
        query = query.where(REPORTS.c.state == state)
    with store.transaction(city.scope, read_only=True) as connection:
        return [
            Waiting(
                row.id, row.category, row.state, row.seen_at, row.reported_at, (row.lon, row.lat), row.twin_id,
                row.reason, row.incident_id,
            )
            for row in connection.execute(query)
        ]  # fmt: skip


def accept(store: Store, city: CityRow, id_: int, *, account_id: int | None, category: str | None = None) -> int:
    """Take a report up as an incident, and return the incident's key.

    Parameters
    ----------
    category
        What the desk says it is, where that is not what was reported.

    Raises
    ------
    NotFound
        There is no such report in the scope.
    Conflict
        It has been decided on already.
    """
    if category is not None:
        _check_code("incident_categories", category, "category")
    relation = frame_relation("incidents")
    with store.transaction(city.scope) as connection:
        row = _to_decide(connection, city.scope, id_)
        point = shapely.from_wkb(bytes(row.wkb))
        values: dict[str, Value] = dict.fromkeys(set(relation.source.spec.names) - {relation.source.spec.key})
        values |= {
            "occurred_at": row.seen_at,
            "reported_at": row.reported_at,
            "category": category or row.category,
            "origin": ORIGIN,
            "grid_code": _grid_code(connection, city, point),
            "location_withheld": False,
        }
        # An identifier of its own: nothing that the one who reported holds leads to the incident.
        key = writes.insert(
            connection, city.scope, relation, Row(values, point), source=writes.SOURCE, source_id=str(uuid.uuid4())
        )
        _decide(connection, id_, account_id, state="accepted", incident_id=key)
        _tell(connection, city, id_, what="accepted", incident=key)
    return key


def reject(store: Store, city: CityRow, id_: int, reason: str, *, account_id: int | None) -> None:
    """Turn a report down for a reason of the codebook.

    Raises
    ------
    NotFound
        There is no such report in the scope.
    Conflict
        It has been decided on already.
    InvalidInput
        There is no such reason.
    """
    _check_code(REASONS, reason, "reason")
    with store.transaction(city.scope) as connection:
        _to_decide(connection, city.scope, id_)
        _decide(connection, id_, account_id, state="rejected", reason=reason)
        _tell(connection, city, id_, what="rejected", reason=reason)


def _letters(raw: bytes) -> str:
    """Return bytes as small letters and digits, without those that are taken for one another on paper."""
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _point(place: tuple[float, float]) -> sa.ColumnElement[Any]:
    """Return the SQL of a point in degrees."""
    return sa.func.ST_SetSRID(sa.func.ST_MakePoint(*place), SRID)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _refuse(report: Report, policy: ReportPolicy, area: Area, now: dt.datetime) -> None:
    problems = []
    if report.category not in policy.services:
        codes = ", ".join(policy.services)
        problems.append(
            Problem(
                "unknown_code", f"cannot be reported here; there are: {codes}", "service_code", zh="此类别不在此处受理"
            )
        )
    west, south, east, north = area.bounds
    lon, lat = report.place
    if not (west <= lon <= east and south <= lat <= north):
        problems.append(Problem("outside_area", f"outside {area.words}", "lat", zh="不在本市范围内"))
    if not now - policy.seen_within <= report.seen_at <= now + dt.timedelta(minutes=5):
        days = policy.seen_within.days
        problems.append(
            Problem(
                "bad_instant", f"must lie within the last {days} days", "attribute[seen_at]", zh=f"须在最近 {days} 天内"
            )
        )
    if problems:
        raise InvalidInput("the report cannot be taken", problems, zh="无法受理该上报")


def _forget(connection: sa.Connection, city_id: int, policy: ReportPolicy) -> None:
    """Delete the reports that were decided on long ago."""
    old = REPORTS.c.decided_at < sa.func.now() - policy.kept
    connection.execute(REPORTS.delete().where(REPORTS.c.city_id == city_id, old))


def _twin(city_id: int, report: Report, policy: ReportPolicy, now: dt.datetime) -> sa.ScalarSelect[Any]:
    """Return the first report near in place and time of the same category."""
    here = _point(report.place)
    circle = sa.func.geometry(sa.func.ST_Buffer(sa.func.geography(here), policy.twin_within_m))
    return (
        sa.select(REPORTS.c.id)
        .where(
            REPORTS.c.city_id == city_id,
            REPORTS.c.category == report.category,
            REPORTS.c.state != "rejected",
            REPORTS.c.reported_at >= now - policy.twin_within,
            intersects(REPORTS.c.geom, circle),
        )
        .order_by(REPORTS.c.id)
        .limit(1)
        .scalar_subquery()
    )


def _check_code(book: str, code: str, field: str) -> None:
    known = codebook(book)
    if code not in known:
        problem = Problem("unknown_code", f"must be one of {', '.join(known)}", field)
        raise InvalidInput("the decision is not valid", [problem])


def _to_decide(connection: sa.Connection, scope: Scope, id_: int) -> Any:
    """Return a report that waits, which nobody else decides on before the transaction ends."""
    wkb = sa.func.ST_AsBinary(REPORTS.c.geom, type_=sa.LargeBinary).label("wkb")
    mine = (REPORTS.c.id == id_, REPORTS.c.city_id == scope.city_id, *within_areas(REPORTS, scope.areas))
    row = connection.execute(sa.select(REPORTS, wkb).where(*mine).with_for_update(of=REPORTS)).one_or_none()
    if row is None:
        raise NotFound(f"there is no report {id_}")
    if row.state != "waiting":
        raise Conflict(f"report {id_} has been {row.state} already", zh=f"上报 {id_} 已经处理")
    return row


def _decide(connection: sa.Connection, id_: int, account_id: int | None, **what: Any) -> None:
    connection.execute(
        REPORTS.update()
        .where(REPORTS.c.id == id_)
        .values(decided_at=sa.func.now(), decided_account_id=account_id, **what)
    )


def _tell(connection: sa.Connection, city: CityRow, id_: int | None, **detail: Any) -> None:
    """Write what was done into the audit log; of whoever reports it knows as little as the report."""
    audit.record(connection, Entry("change", f"reports/{id_}", city.id, rows_count=1, detail=detail))


def _grid_code(connection: sa.Connection, city: CityRow, point: shapely.Point) -> str | None:
    """Return the code of the grid in force in which a point lies."""
    grids = frame_relation("grids").within(city.scope)
    table = FRAME_TABLES["grids"]
    here = intersects(table.c.geom, _point((point.x, point.y)))
    query = sa.select(table.c.code).where(*grids.source.fixed, here).order_by(table.c.id)
    code: str | None = connection.scalar(query.limit(1), grids.values(city.scope))
    return code
