"""One feature at a time: added, changed or removed in one transaction, with the version of its frame.

A row has a version of its own; whoever changes it may say which version they mean. What is written must be visible to
whoever writes it, so nobody can put a row where they could not see it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import shapely
import sqlalchemy as sa
from geoalchemy2.shape import from_shape
from sqlalchemy.dialects import postgresql as pg

from gis.city.codebook import codebooks
from gis.contract.frame import FrameSpec
from gis.errors import Conflict, Forbidden, NotFound
from gis.files.feature import Row
from gis.files.intake import Rules
from gis.files.plan import Plan
from gis.store import audit
from gis.store.audit import Entry
from gis.store.cities import CityRow
from gis.store.engine import Scope, Store
from gis.store.frames import raise_version
from gis.store.ingest.detect import city_area
from gis.store.ingest.edited import remember
from gis.store.placing import area_of_one
from gis.store.relations import Relation
from gis.store.spatial import SRID
from gis.store.tables import IMPORT_BATCHES, WRITE_KEYS

SOURCE: Final = "api"
"""Source of the rows that were added here; each gets a random identifier within it."""
KEYS_KEPT: Final = dt.timedelta(days=1)
"""So long a request that is sent again under its idempotency key is known."""
FIRST_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Retry:
    """What tells a request that is sent again from a new one.

    Attributes
    ----------
    body_sha256
        Of all that the request says: the same key for something else is a mistake.
    """

    account_id: int
    key_sha256: bytes
    body_sha256: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """A row that was added or changed.

    Attributes
    ----------
    is_new
        False for a request that had been answered before.
    """

    key: int
    version: int
    is_new: bool = True


def rules(store: Store, city: CityRow, spec: FrameSpec) -> Rules:
    """Return what the features of a frame are held against: what the rows of a file are."""
    return Rules(
        spec=spec,
        profile=city.profile,
        codes=codebooks(),
        plan=Plan({}, {}, "content", ()),
        crs="wgs84",
        # Where the city is, not where the writer's areas are: the two are refused in words of their own.
        area=city_area(store, CityRow(city.id, city.profile), spec),
        zone=ZoneInfo(city.profile.time_zone),
    )


def create(store: Store, scope: Scope, relation: Relation, row: Row, *, retry: Retry | None = None) -> Written:
    """Add a row.

    Raises
    ------
    Forbidden
        The row lies where the writer may not see it.
    Conflict
        The idempotency key was used for something else.
    """
    with store.transaction(scope) as connection:
        if retry is not None and (before := _answered(connection, scope, relation, retry)) is not None:
            return before
        key = insert(connection, scope, relation, row, source=SOURCE, source_id=str(uuid.uuid4()))
        if retry is not None:
            mine = (WRITE_KEYS.c.account_id == retry.account_id, WRITE_KEYS.c.key_sha256 == retry.key_sha256)
            connection.execute(WRITE_KEYS.update().where(*mine).values(row_id=key))
        audit.record(connection, _told(scope, relation, key, "added"))
    return Written(key, FIRST_VERSION)


def insert(
    connection: sa.Connection, scope: Scope, relation: Relation, row: Row, *, source: str, source_id: str
) -> int:
    """Add a row in a transaction of its caller's, and return its key."""
    relation = relation.within(scope)
    table, spec = relation.source.table, relation.source.spec
    values = {
        "city_id": scope.city_id,
        "source": source,
        spec.key: source_id,
        "batch_id": _batch(connection, scope, spec, source),
        **_content(connection, scope, spec, row),
    }
    key = int(connection.execute(table.insert().values(values).returning(table.c.id)).scalar_one())
    _must_be_visible(connection, scope, relation, key)
    raise_version(connection, scope.city_id, spec.id)
    return key


def change(
    store: Store,
    scope: Scope,
    relation: Relation,
    key: int,
    *,
    merge: Callable[[Row], Row],
    check: Callable[[int], None],
) -> Written:
    """Change a row; nothing is touched where the change changes nothing.

    Parameters
    ----------
    merge
        From the row as it is to the row as it is to be.
    check
        Is given the version of the row, and raises where the caller meant another one.

    Raises
    ------
    NotFound
        There is no such row in the scope.
    Forbidden
        The row would lie where the writer may not see it.
    """
    relation = relation.within(scope)
    table, spec = relation.source.table, relation.source.spec
    with store.transaction(scope) as connection:
        version, before = _held(connection, scope, relation, key)
        check(version)
        after = merge(before)
        if after == before:
            return Written(key, version, is_new=False)
        content = _content(connection, scope, spec, after)
        _remember(connection, scope, relation, key, is_removed=False)
        connection.execute(table.update().where(table.c.id == key).values(version=version + 1, **content))
        _must_be_visible(connection, scope, relation, key)
        raise_version(connection, scope.city_id, spec.id)
        audit.record(connection, _told(scope, relation, key, "changed"))
    return Written(key, version + 1)


def remove(store: Store, scope: Scope, relation: Relation, key: int, *, check: Callable[[int], None]) -> None:
    """Take a row out.

    Raises
    ------
    NotFound
        There is no such row in the scope.
    """
    relation = relation.within(scope)
    table = relation.source.table
    with store.transaction(scope) as connection:
        version, _ = _held(connection, scope, relation, key)
        check(version)
        _remember(connection, scope, relation, key, is_removed=True)
        connection.execute(table.delete().where(table.c.id == key))
        raise_version(connection, scope.city_id, relation.source.spec.id)
        audit.record(connection, _told(scope, relation, key, "removed"))


def _told(scope: Scope, relation: Relation, key: int, what: str) -> Entry:
    """Return what the audit log says of one row: which one, and not what it holds."""
    object_ = f"collections/{relation.source.spec.id}/items/{key}"
    return Entry("change", object_, scope.city_id, rows_count=1, detail={"what": what})


def _held(connection: sa.Connection, scope: Scope, relation: Relation, key: int) -> tuple[int, Row]:
    """Return the version of a row and the row, which nobody else changes before the transaction ends."""
    table, spec = relation.source.table, relation.source.spec
    names = [name for name in spec.names if name != spec.key]
    found = connection.execute(
        sa.select(
            table.c.version,
            *(table.c[name] for name in names),
            sa.func.ST_AsBinary(table.c.geom, type_=sa.LargeBinary).label("wkb"),
        )
        .where(table.c.id == key, *relation.source.fixed)
        .with_for_update(),
        relation.values(scope),
    ).one_or_none()
    if found is None:
        raise NotFound(f"there is no feature {key}")
    have = dict(found._mapping)  # noqa: SLF001 - the public name of it
    shape = None if have["wkb"] is None else shapely.from_wkb(bytes(have["wkb"]))
    return have["version"], Row({name: _utc(have[name]) for name in names}, shape)


def _utc(value: Any) -> Any:
    return value.astimezone(dt.UTC) if isinstance(value, dt.datetime) else value


def _content(connection: sa.Connection, scope: Scope, spec: FrameSpec, row: Row) -> dict[str, Any]:
    """Return what is written of a row; Forbidden where it lies in none of the writer's areas."""
    shape = row.geometry
    ewkb = None if shape is None else shapely.to_wkb(shapely.set_srid(shape, SRID), include_srid=True)
    area_id = area_of_one(connection, scope.city_id, spec.id, ewkb, row.values.get("grid_code"))
    if scope.areas is not None and area_id not in scope.areas:
        raise _out_of_sight()
    return {**row.values, "geom": None if shape is None else from_shape(shape, srid=SRID), "area_id": area_id}


def _must_be_visible(connection: sa.Connection, scope: Scope, relation: Relation, key: int) -> None:
    table = relation.source.table
    seen = sa.select(table.c.id).where(table.c.id == key, *relation.source.fixed)
    if connection.execute(seen, relation.values(scope)).one_or_none() is None:
        raise _out_of_sight()


def _out_of_sight() -> Forbidden:
    return Forbidden(
        "you could not see it there: it lies outside your area, or before the days you see",
        zh="超出您可见的范围：不在您的辖区，或早于您可查看的时段",
    )


def _remember(connection: sa.Connection, scope: Scope, relation: Relation, key: int, *, is_removed: bool) -> None:
    table, spec = relation.source.table, relation.source.spec
    if connection.scalar(sa.select(table.c.source).where(table.c.id == key)) != SOURCE:
        remember(connection, scope.city_id, spec, key, is_removed=is_removed)


def _batch(connection: sa.Connection, scope: Scope, spec: FrameSpec, source: str) -> int:
    """Return the batch that the rows added one by one belong to; every row belongs to one."""
    mine = (
        IMPORT_BATCHES.c.city_id == scope.city_id,
        IMPORT_BATCHES.c.frame == spec.id,
        IMPORT_BATCHES.c.content_sha256 == source,
    )
    new = pg.insert(IMPORT_BATCHES).values(
        city_id=scope.city_id,
        frame=spec.id,
        source=source,
        content_sha256=source,
        options={},
        state="applied",
        applied_at=sa.func.now(),
    )
    connection.execute(new.on_conflict_do_nothing())
    return int(connection.execute(sa.select(IMPORT_BATCHES.c.id).where(*mine)).scalar_one())


def _answered(connection: sa.Connection, scope: Scope, relation: Relation, retry: Retry) -> Written | None:
    """Return what a request was answered with before; None for a new one, whose key is taken from now on."""
    columns = WRITE_KEYS.c
    connection.execute(WRITE_KEYS.delete().where(columns.made_at < sa.func.now() - KEYS_KEPT))
    taken = connection.execute(
        # A second one waits here until the first one's transaction has ended.
        pg.insert(WRITE_KEYS)
        .values(
            account_id=retry.account_id,
            key_sha256=retry.key_sha256,
            city_id=scope.city_id,
            frame=relation.source.spec.id,
            body_sha256=retry.body_sha256,
            row_id=0,
        )
        .on_conflict_do_nothing()
        .returning(columns.row_id)
    ).one_or_none()
    if taken is not None:
        return None
    mine = (columns.account_id == retry.account_id, columns.key_sha256 == retry.key_sha256)
    before = connection.execute(sa.select(WRITE_KEYS).where(*mine)).one()
    same = (before.city_id, before.frame) == (scope.city_id, relation.source.spec.id)
    if not same or bytes(before.body_sha256) != retry.body_sha256:
        raise Conflict(
            "this idempotency key was used for another request", zh="此幂等键（Idempotency-Key）已用于另一请求"
        )
    table = relation.source.table
    version = connection.scalar(sa.select(table.c.version).where(table.c.id == before.row_id))
    return Written(before.row_id, version or FIRST_VERSION, is_new=False)


def digest(*parts: bytes) -> bytes:
    """Return one digest of several parts, each as long as it is."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()
