"""From the tree of a filter to a checked one: only columns, operators and functions that are allowed, of fitting kinds.

Everything that is wrong is named at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from gis.contract.frame import Column
from gis.contract.frame import Kind as ColumnKind
from gis.crs import Reference
from gis.errors import Problem
from gis.store.cql2 import literals
from gis.store.cql2.filter import Filter, Kind, Node
from gis.store.cql2.parsing import refused

GEOMETRY: Final = "geometry"
"""The name of the geometry in a filter, as in the queryables."""
MAX_NODES: Final = 1_000
MAX_LISTED: Final = 1_000

COMPARISONS: Final = frozenset({"=", "<>", "<", "<=", ">", ">="})
SPATIAL: Final = frozenset(
    {
        *("s_intersects", "s_disjoint", "s_contains", "s_within"),
        *("s_touches", "s_crosses", "s_overlaps", "s_equals"),
    }
)
TEMPORAL: Final = frozenset(
    {
        *("t_after", "t_before", "t_contains", "t_disjoint", "t_during", "t_equals", "t_finishedBy", "t_finishes"),
        *("t_intersects", "t_meets", "t_metBy", "t_overlappedBy", "t_overlaps", "t_startedBy", "t_starts"),
    }
)
ARITHMETIC: Final = frozenset({"+", "-", "*", "/", "%", "div"})
_NAMES: Final = MappingProxyType({name.lower(): name for name in (*SPATIAL, *TEMPORAL)})
_ANY_CASE: Final = MappingProxyType({"isnull": "isNull", "and": "and", "or": "or", "not": "not"})

_FAMILY: Final[Mapping[ColumnKind, str]] = MappingProxyType(
    {
        "text": "text",
        "code": "text",
        "integer": "number",
        "real": "number",
        "boolean": "boolean",
        "instant": "instant",
        "date": "date",
    }
)
_TEMPORAL_FAMILIES: Final = frozenset({"instant", "date"})
_OF_COLLECTIONS: Final = frozenset({"s_intersects", "s_disjoint"})
_NOWHERE: Final[Node] = ("false",)
"""Stands for what was refused, so that the rest is looked at too."""


def check(
    tree: Any, columns: Sequence[Column], *, time_zone: str, geometry: bool = True, crs: Reference | None = None
) -> Filter:
    """Return the filter of a tree in CQL2-JSON.

    Parameters
    ----------
    columns
        Those that a filter may read.
    time_zone
        Of the city: a day begins and ends there.
    geometry
        Whether the features have one.
    crs
        Of the coordinates in the filter; degrees of WGS84, east before north, by default.

    Raises
    ------
    InvalidInput
        Names every property, operator, function and value that cannot be used.

    Examples
    --------
    >>> from gis.contract.text import Text
    >>> rooms = Column("rooms_count", "integer", Text("房间数", "Rooms"))
    >>> check({"op": ">", "args": [{"property": "rooms_count"}, 3.0]}, [rooms], time_zone="UTC").node
    ('compare', '>', ('property', 'rooms_count'), ('value', 0, 'whole'))
    """
    looking = _Check({column.name: column for column in columns}, ZoneInfo(time_zone), geometry=geometry, crs=crs)
    node = looking.condition(tree)
    if looking.problems:
        raise refused(*dict.fromkeys(looking.problems))
    return Filter(node, tuple(looking.values), frozenset(looking.properties))


class _Check:
    """One walk over a tree."""

    def __init__(self, columns: Mapping[str, Column], zone: ZoneInfo, *, geometry: bool, crs: Reference | None) -> None:
        self.columns = columns
        self.zone = zone
        self.geometry = geometry
        self.crs = crs
        self.values: list[object] = []
        self.properties: set[str] = set()
        self.problems: list[Problem] = []
        self.seen = 0

    def condition(self, tree: Any) -> Node:
        """Return the node of something that is true or false."""
        if isinstance(tree, bool):
            return ("true",) if tree else ("false",)
        if isinstance(tree, dict) and "property" in tree:
            found = self.column(tree)
            if found is not None and found.kind != "boolean":
                self.wrong("wrong_kind", f"'{found.name}' is not true or false by itself; compare it with a value")
            return ("property", found.name) if found is not None else _NOWHERE
        operator, operands = self.operation(tree)
        makers: Mapping[str, Callable[[str, list[Any]], Node]] = {
            **dict.fromkeys(("and", "or"), self.junction),
            "not": self.negation,
            **dict.fromkeys(COMPARISONS, self.comparison),
            "like": self.like,
            "between": self.between,
            "in": self.listed,
            "isNull": self.is_null,
            **dict.fromkeys(SPATIAL, self.spatial),
            **dict.fromkeys(TEMPORAL, self.temporal),
        }
        if operator in makers:
            return makers[operator](operator, operands)
        if operator:
            self.wrong("unknown_function", f"'{operator}' cannot be used here; there are: {', '.join(sorted(makers))}")
        return _NOWHERE

    def junction(self, operator: str, operands: list[Any]) -> Node:
        """Return all or any of several conditions."""
        if len(operands) < 2:  # noqa: PLR2004 - one side and the other
            return self.wrong("bad_filter", f"'{operator}' needs two conditions")
        return (operator, *(self.condition(operand) for operand in operands))

    def negation(self, _: str, operands: list[Any]) -> Node:
        """Return what holds where a condition does not."""
        return ("not", self.condition(operands[0])) if self.counted("not", operands, 1) else _NOWHERE

    def comparison(self, operator: str, operands: list[Any]) -> Node:
        """Return a comparison of two values of one kind."""
        if not self.counted(operator, operands, 2):
            return _NOWHERE
        (left, right), family = self.values_of(operands)
        if family in _TEMPORAL_FAMILIES:
            return ("temporal", operator, self.span(left, family), self.span(right, family))
        if family == "boolean" and operator not in ("=", "<>"):
            return self.wrong("wrong_kind", f"'{operator}' does not compare true and false")
        return ("compare", operator, self.value(left, family), self.value(right, family))

    def between(self, _: str, operands: list[Any]) -> Node:
        """Return whether a value lies between two others, both included."""
        if not self.counted("between", operands, 3):
            return _NOWHERE
        parts, family = self.values_of(operands)
        if family in _TEMPORAL_FAMILIES:
            value, low, high = (self.span(part, family) for part in parts)
            return ("and", ("temporal", ">=", value, low), ("temporal", "<=", value, high))
        if family == "boolean":
            return self.wrong("wrong_kind", "'between' does not compare true and false")
        value, low, high = (self.value(part, family) for part in parts)
        return ("and", ("compare", ">=", value, low), ("compare", "<=", value, high))

    def like(self, _: str, operands: list[Any]) -> Node:
        r"""Return whether a text is like a pattern: % for any letters, _ for one, \ before either for itself."""
        if not self.counted("like", operands, 2):
            return _NOWHERE
        pattern = operands[1]
        folded = isinstance(pattern, dict) and pattern.get("op") == "casei"
        written = (pattern.get("args") or [None])[0] if folded else pattern
        if not isinstance(written, str):
            return self.wrong("wrong_kind", f"'like' needs a pattern as text, not {literals.shown(written)}")
        if (len(written) - len(written.rstrip("\\"))) % 2:
            return self.wrong("bad_filter", "a pattern must not end with a single \\")
        return ("like", self.value(operands[0], "text"), self.value(pattern, "text"))

    def listed(self, _: str, operands: list[Any]) -> Node:
        """Return whether a value is one of several."""
        if not self.counted("in", operands, 2) or not isinstance(operands[1], list) or not operands[1]:
            return self.wrong("bad_filter", "'in' needs a value and a list")
        value, listed = operands
        if len(listed) > MAX_LISTED:
            return self.wrong("filter_too_long", f"'in' takes at most {MAX_LISTED:,} values")
        family = self.family(value) or self.family(listed[0]) or "text"
        if family in _TEMPORAL_FAMILIES or any(isinstance(entry, dict) for entry in listed):
            return ("or", *(self.comparison("=", [value, one]) for one in listed))
        kept = [literals.scalar(one, family) for one in listed]
        if any(one is None for one in kept):
            return self.wrong("wrong_kind", f"'in' compares {family} here, and a value is none")
        kinds: Mapping[str, Kind] = {"text": "texts", "number": "numbers"}
        if family not in kinds:
            return self.wrong("wrong_kind", f"'in' does not compare values of kind {family}")
        values = tuple(float(one) if family == "number" else one for one in kept if one is not None)
        return ("in", self.value(value, family), self.literal(values, kinds[family]))

    def is_null(self, _: str, operands: list[Any]) -> Node:
        """Return whether a property is not there."""
        if not self.counted("isNull", operands, 1):
            return _NOWHERE
        if self.is_geometry(operands[0]):
            return ("null", ("geometry",))
        found = self.column(operands[0])
        return ("null", ("property", found.name)) if found is not None else _NOWHERE

    def spatial(self, operator: str, operands: list[Any]) -> Node:
        """Return how the geometry lies to another one."""
        if not self.counted(operator, operands, 2):
            return _NOWHERE
        if [self.is_geometry(operand) for operand in operands].count(True) != 1:
            return self.wrong("bad_filter", f"'{operator}' compares the property '{GEOMETRY}' with a geometry")
        sides = [("geometry",) if self.is_geometry(one) else self.shape(one, operator) for one in operands]
        return ("spatial", operator, *sides)

    def temporal(self, operator: str, operands: list[Any]) -> Node:
        """Return how a time lies to another one (Allen 1983)."""
        if not self.counted(operator, operands, 2):
            return _NOWHERE
        family = next((f for f in map(self.family, operands) if f in _TEMPORAL_FAMILIES), "instant")
        return ("temporal", operator, self.span(operands[0], family), self.span(operands[1], family))

    def values_of(self, operands: list[Any]) -> tuple[list[Any], str]:
        """Return the operands of a comparison and the kind they have in common: that of a column, if one is there."""
        families = [self.family(operand) for operand in operands]
        of_columns = [f for f, o in zip(families, operands, strict=True) if f and not literals.is_literal(o)]
        return operands, next(iter([*of_columns, *(f for f in families if f)]), "text")

    def value(self, tree: Any, family: str) -> Node:
        """Return the node of a text, a number, true or false."""
        if isinstance(tree, dict) and "property" in tree:
            found = self.column(tree)
            if found is None:
                return _NOWHERE
            if _FAMILY[found.kind] != family:
                return self.wrong("wrong_kind", f"'{found.name}' is {found.kind} and cannot be compared with {family}")
            return ("property", found.name)
        if isinstance(tree, dict) and "op" in tree:
            return self.computed(tree, family)
        kept = literals.scalar(tree, family)
        if kept is None:
            return self.wrong("wrong_kind", f"{literals.shown(tree)} is not a value of kind {family}")
        kind: Kind = "whole" if isinstance(kept, int) and family == "number" else family  # type: ignore[assignment]
        return self.literal(kept, kind)

    def computed(self, tree: Mapping[str, Any], family: str) -> Node:
        """Return a text without regard to capitals, or a sum."""
        operator, operands = self.operation(tree)
        if operator == "casei" and family == "text" and self.counted(operator, operands, 1):
            return ("casei", self.value(operands[0], "text"))
        if operator in ARITHMETIC and family == "number" and self.counted(operator, operands, 2):
            return ("arithmetic", operator, *(self.value(operand, "number") for operand in operands))
        if operator:
            there = ", ".join(("casei", *sorted(ARITHMETIC)))
            return self.wrong("unknown_function", f"'{operator}' makes no {family} here; there are: {there}")
        return _NOWHERE

    def span(self, tree: Any, family: str) -> Node:
        """Return ``("span", first, last)`` of a time: both the same for an instant, the ends of a day or interval."""
        if isinstance(tree, dict) and "property" in tree:
            found = self.column(tree)
            if found is not None and found.kind != family:
                self.wrong("wrong_kind", f"'{found.name}' is {found.kind} and cannot be compared with {family}")
            node: Node = ("property", found.name) if found is not None else _NOWHERE
            return ("span", node, node)
        if isinstance(tree, dict) and "interval" in tree:
            sides = tree["interval"]
            if not isinstance(sides, list) or len(sides) != 2:  # noqa: PLR2004 - from and to
                self.wrong("bad_filter", "an interval has two sides")
                return ("span", _NOWHERE, _NOWHERE)
            first, last = sides
            return (
                "span",
                ("least", family) if first == ".." else self.span(first, family)[1],
                ("greatest", family) if last == ".." else self.span(last, family)[2],
            )
        ends = literals.ends(tree, family, self.zone)
        if ends is None:
            word = "an instant as TIMESTAMP('2026-01-31T12:00:00Z') or a day as DATE('2026-01-31')"
            self.wrong("wrong_kind", f"{literals.shown(tree)} is no {family}; write {word}")
            return ("span", _NOWHERE, _NOWHERE)
        kind: Kind = "instant" if family == "instant" else "date"
        first_node = self.literal(ends[0], kind)
        return ("span", first_node, first_node if ends[0] == ends[1] else self.literal(ends[1], kind))

    def shape(self, tree: Any, operator: str) -> Node:
        """Return the node of a geometry."""
        if isinstance(tree, dict) and tree.get("type") == "GeometryCollection" and operator not in _OF_COLLECTIONS:
            return self.wrong("bad_geometry", f"'{operator}' takes no GeometryCollection")
        try:
            return self.literal(literals.shape(tree, self.crs), "shape")
        except ValueError as error:
            return self.wrong("bad_geometry", str(error))

    def operation(self, tree: Any) -> tuple[str, list[Any]]:
        """Return operator and operands; no operator where the tree is none, which is then named."""
        self.seen += 1
        if self.seen > MAX_NODES:
            if self.seen == MAX_NODES + 1:
                self.wrong("filter_too_long", f"has more than {MAX_NODES:,} conditions")
            return "", []
        if not isinstance(tree, dict) or not isinstance(tree.get("op"), str):
            self.wrong("bad_filter", f"{literals.shown(tree)} is no condition")
            return "", []
        name = tree["op"]
        operands = tree.get("args", [])
        name = _NAMES.get(name.lower(), _ANY_CASE.get(name.lower(), name))
        return name, operands if isinstance(operands, list) else [operands]

    def counted(self, operator: str, operands: list[Any], count: int) -> bool:
        """Return whether an operator has as many operands as it needs."""
        if len(operands) == count:
            return True
        self.wrong("bad_filter", f"'{operator}' needs {count} operand{'s' if count > 1 else ''}")
        return False

    def column(self, tree: Any) -> Column | None:
        """Return the column that is named; None where there is none, which is then said."""
        name = tree.get("property") if isinstance(tree, dict) else None
        if not isinstance(name, str) or name not in self.columns:
            there = ", ".join([*self.columns, *([GEOMETRY] if self.geometry else [])])
            self.wrong("unknown_property", f"there is no property {literals.shown(name)}; there are: {there}")
            return None
        self.properties.add(name)
        return self.columns[name]

    def is_geometry(self, tree: Any) -> bool:
        """Return whether the geometry of the features is meant."""
        return self.geometry and isinstance(tree, dict) and tree.get("property") == GEOMETRY

    def family(self, tree: Any) -> str | None:
        """Return which kind of value something is, None where that is open."""
        if isinstance(tree, dict) and "property" in tree:
            found = self.columns.get(tree["property"]) if isinstance(tree["property"], str) else None
            return _FAMILY[found.kind] if found is not None else None
        if isinstance(tree, dict) and "op" in tree:
            return "text" if tree["op"] == "casei" else "number" if tree["op"] in ARITHMETIC else None
        return literals.family(tree)

    def literal(self, value: object, kind: Kind) -> Node:
        """Keep a value and return what stands for it."""
        self.values.append(value)
        return ("value", len(self.values) - 1, kind)

    def wrong(self, code: str, message: str) -> Node:
        """Note a problem and go on."""
        self.problems.append(Problem(code, message, "filter"))
        return _NOWHERE
