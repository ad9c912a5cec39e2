"""From a checked filter to a SQL expression; every literal is a bound value, every column one of the source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.types import TypeEngine

from gis.store import spatial
from gis.store.cql2.filter import Kind, Node, parameter
from gis.store.relations import Source

Condition = sa.ColumnElement[bool]
Value = sa.ColumnElement[Any]

_INSTANT: Final = sa.DateTime(timezone=True)
_TYPES: Final[Mapping[Kind, TypeEngine[Any]]] = MappingProxyType(
    {
        "text": sa.Text(),
        "number": sa.Float(53),
        "whole": sa.BigInteger(),
        "boolean": sa.Boolean(),
        "instant": _INSTANT,
        "date": sa.Date(),
        "shape": sa.LargeBinary(),
        "texts": sa.ARRAY(sa.Text()),
        "numbers": sa.ARRAY(sa.Float(53)),
    }
)
_COMPARED: Final[Mapping[str, Callable[[Value, Value], Condition]]] = MappingProxyType(
    {
        "=": lambda a, b: a == b,
        "<>": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
)
_FLOAT: Final = sa.Float(53)
_ARITHMETIC: Final[Mapping[str, Callable[[Value, Value], Value]]] = MappingProxyType(
    {
        "+": lambda a, b: sa.cast(a, sa.Numeric) + sa.cast(b, sa.Numeric),
        "-": lambda a, b: sa.cast(a, sa.Numeric) - sa.cast(b, sa.Numeric),
        "*": lambda a, b: sa.cast(a, sa.Numeric) * sa.cast(b, sa.Numeric),
        # Divided by nothing is nothing, not an error in the middle of a query.
        "/": lambda a, b: sa.cast(a, _FLOAT) / func.nullif(sa.cast(b, _FLOAT), 0),
        "div": lambda a, b: func.trunc(sa.cast(a, _FLOAT) / func.nullif(sa.cast(b, _FLOAT), 0)),
        "%": lambda a, b: sa.cast(a, sa.Numeric) % func.nullif(sa.cast(b, sa.Numeric), 0),
    }
)
_SPATIAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "s_contains": "ST_Contains",
        "s_within": "ST_Within",
        "s_touches": "ST_Touches",
        "s_crosses": "ST_Crosses",
        "s_overlaps": "ST_Overlaps",
        "s_equals": "ST_Equals",
    }
)


class _Span:
    """First and last of a time."""

    __slots__ = ("first", "last")

    def __init__(self, first: Value, last: Value) -> None:
        self.first = first
        self.last = last


_TEMPORAL: Final[Mapping[str, Callable[[_Span, _Span], Condition]]] = MappingProxyType(
    {
        "=": lambda a, b: sa.and_(a.first >= b.first, a.last <= b.last),
        "<>": lambda a, b: sa.not_(sa.and_(a.first >= b.first, a.last <= b.last)),
        "<": lambda a, b: a.last < b.first,
        "<=": lambda a, b: a.last <= b.last,
        ">": lambda a, b: a.first > b.last,
        ">=": lambda a, b: a.first >= b.first,
        "t_after": lambda a, b: a.first > b.last,
        "t_before": lambda a, b: a.last < b.first,
        "t_contains": lambda a, b: sa.and_(a.first < b.first, a.last > b.last),
        "t_disjoint": lambda a, b: sa.or_(a.first > b.last, a.last < b.first),
        "t_during": lambda a, b: sa.and_(a.first > b.first, a.last < b.last),
        "t_equals": lambda a, b: sa.and_(a.first == b.first, a.last == b.last),
        "t_finishedBy": lambda a, b: sa.and_(a.first < b.first, a.last == b.last),
        "t_finishes": lambda a, b: sa.and_(a.first > b.first, a.last == b.last),
        "t_intersects": lambda a, b: sa.and_(a.first <= b.last, a.last >= b.first),
        "t_meets": lambda a, b: a.last == b.first,
        "t_metBy": lambda a, b: a.first == b.last,
        "t_overlappedBy": lambda a, b: sa.and_(a.first > b.first, a.first < b.last, a.last > b.last),
        "t_overlaps": lambda a, b: sa.and_(a.first < b.first, a.last > b.first, a.last < b.last),
        "t_startedBy": lambda a, b: sa.and_(a.first == b.first, a.last > b.last),
        "t_starts": lambda a, b: sa.and_(a.first == b.first, a.last < b.last),
    }
)


def clause(source: Source, node: Node) -> Condition:
    """Return the condition of a checked filter on the rows of a source; a literal is the parameter of its number."""
    operator, *operands = node
    if operator in ("and", "or"):
        joined = sa.and_ if operator == "and" else sa.or_
        return joined(*(clause(source, one) for one in operands))
    if operator == "not":
        return sa.not_(clause(source, operands[0]))
    if operator in ("true", "false"):
        return sa.true() if operator == "true" else sa.false()
    if operator == "property":
        return source.table.c[operands[0]].is_(sa.true())
    if operator == "null":
        return _value(source, operands[0]).is_(None)
    return _TESTS[operator](source, *operands)


def _compare(source: Source, operator: str, left: Node, right: Node) -> Condition:
    return _COMPARED[operator](_value(source, left), _value(source, right))


def _like(source: Source, value: Node, pattern: Node) -> Condition:
    return _value(source, value).like(_value(source, pattern))


def _one_of(source: Source, value: Node, listed: Node) -> Condition:
    return _value(source, value) == sa.any_(_value(source, listed))


def _temporal(source: Source, operator: str, left: Node, right: Node) -> Condition:
    sides = [_Span(*(_value(source, end) for end in side[1:])) for side in (left, right)]
    return _TEMPORAL[operator](*sides)


def _spatially(source: Source, operator: str, left: Node, right: Node) -> Condition:
    one, other = _value(source, left), _value(source, right)
    if operator == "s_intersects":
        return spatial.intersects(one, other)
    if operator == "s_disjoint":
        return sa.not_(spatial.intersects(one, other))
    # All others ask for a common point: the box test first, as it is what an index answers.
    return sa.and_(one.op("&&")(other), getattr(func, _SPATIAL[operator])(one, other))


_TESTS: Final[Mapping[str, Callable[..., Condition]]] = MappingProxyType(
    {"compare": _compare, "like": _like, "in": _one_of, "temporal": _temporal, "spatial": _spatially}
)


def _value(source: Source, node: Node) -> Value:
    operator, *operands = node
    if operator == "property":
        return source.table.c[operands[0]]
    if operator == "geometry":
        return source.geom
    if operator == "value":
        number, kind = operands
        bound: Value = sa.bindparam(parameter(number), type_=_TYPES[kind])
        return func.geometry(bound) if kind == "shape" else bound
    if operator == "casei":
        return func.lower(_value(source, operands[0]))
    if operator == "arithmetic":
        name, left, right = operands
        return _ARITHMETIC[name](_value(source, left), _value(source, right))
    end: Value = sa.literal_column("'-infinity'" if operator == "least" else "'infinity'")
    return sa.cast(end, _INSTANT if operands[0] == "instant" else sa.Date)
