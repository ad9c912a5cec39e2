"""Compile a query into the clauses of a statement: one compiler for items, tiles and exports.

The clauses hold named parameters, so a statement is compiled once a shape; `bound` gives their values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from gis.contract.frame import Kind
from gis.errors import InvalidInput, Problem
from gis.store import spatial
from gis.store.cql2.clause import clause
from gis.store.engine import Scope
from gis.store.query import MAX_KEY, ItemQuery, QueryShape, Value
from gis.store.relations import Relation, Source
from gis.store.tables import SQL_TYPES

_INSTANT: Final = sa.DateTime(timezone=True)
_SIDES: Final = ("west", "south", "east", "north")

_PYTHON_TYPES: Final[Mapping[Kind, tuple[type, ...]]] = MappingProxyType(
    {
        "text": (str,),
        "code": (str,),
        "integer": (int,),
        "real": (int, float),
        "boolean": (bool,),
        "instant": (dt.datetime,),
        "date": (dt.date,),
    }
)


def clauses(source: Source, shape: QueryShape) -> list[sa.ColumnElement[bool]]:
    """Return what a row must meet: the source's fixed clause and the filter, without the position."""
    found = list(source.fixed)
    if shape.boxes:
        boxes = (spatial.box([_number(f"{side}_{i}") for side in _SIDES]) for i in range(shape.boxes))
        found.append(sa.or_(*(spatial.intersects(source.geom, box) for box in boxes)))
    if source.time is not None and shape.start:
        found.append(source.time >= sa.bindparam("start", type_=_INSTANT))
    if source.time is not None and shape.end:
        found.append(source.time <= sa.bindparam("end", type_=_INSTANT))
    for name in shape.equals:
        # An array, so that one statement serves any number of values.
        values = sa.bindparam(f"is_{name}", type_=sa.ARRAY(_sql_type(source, name)))
        found.append(source.table.c[name] == sa.any_(values))
    if shape.where is not None:
        found.append(clause(source, shape.where))
    return found


def bound(relation: Relation, scope: Scope, query: ItemQuery, columns: Sequence[str]) -> dict[str, object]:
    """Return the values of the parameters in `clauses`.

    Parameters
    ----------
    columns
        The properties that leave the server; a filter may name no other one.

    Raises
    ------
    InvalidInput
        The filter names another property, or a value is not of the property's kind.
    """
    problems = [problem for name, have in query.equals.items() for problem in _problems(relation, name, have, columns)]
    read = query.where.properties if query.where is not None else frozenset()
    problems += [problem for name in sorted(read) for problem in _problems(relation, name, (), columns)]
    if problems:
        raise InvalidInput("the filter is not valid", problems)
    values = relation.values(scope)
    for i, box in enumerate(query.boxes):
        values |= {f"{side}_{i}": value for side, value in zip(_SIDES, box, strict=True)}
    start, end = query.interval or (None, None)
    values |= {"start": _utc(start), "end": _utc(end)}
    values |= {
        f"is_{name}": [_utc(value) if isinstance(value, dt.datetime) else value for value in have]
        for name, have in query.equals.items()
    }
    if query.where is not None:
        values |= query.where.bound
    return values


def _problems(relation: Relation, name: str, values: Sequence[Value], columns: Sequence[str]) -> list[Problem]:
    if name not in columns:
        return [Problem("unknown_property", f"there is no such property; there are: {', '.join(columns)}", name)]
    kind = relation.source.spec.column(name).kind
    if not all(_is_kind(kind, value) for value in values):
        return [Problem("wrong_kind", f"not a valid value of kind {kind}", name)]
    return []


def _is_kind(kind: Kind, value: Value) -> bool:
    """Return whether a value can be compared with a column of `kind`; what the driver would refuse is refused here."""
    if isinstance(value, bool):
        return kind == "boolean"
    if isinstance(value, dt.datetime):
        return kind == "instant" and value.tzinfo is not None
    return isinstance(value, _PYTHON_TYPES[kind]) and not (isinstance(value, int) and abs(value) > MAX_KEY)


def _utc(at: dt.datetime | None) -> dt.datetime | None:
    if at is None:
        return None
    try:
        return at.astimezone(dt.UTC)
    except OverflowError:
        problem = Problem("bad_instant", "is outside the years 1 to 9999", "datetime")
        raise InvalidInput("the query is not valid", [problem]) from None


def _number(name: str) -> sa.BindParameter[float]:
    return sa.bindparam(name, type_=sa.Float(53))


def _sql_type(source: Source, name: str) -> TypeEngine[Any]:
    kind = source.spec.column(name).kind
    return sa.types.to_instance(SQL_TYPES[kind])
