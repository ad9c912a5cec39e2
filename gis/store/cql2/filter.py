"""A checked filter: what decides its SQL, and beside it the values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "text", "number", "whole", "boolean", "instant", "date", "shape", "texts", "numbers", "instants", "dates"
]
"""What a value is; the plural ones are lists that a property may be one of."""
Node = tuple[Any, ...]
"""``(operator, operand, ...)``; hashable, so that it can name a compiled statement. A literal is ``("value", i, kind)``
and stands for the i-th of the values, a column is ``("property", name)``."""


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition that has been checked against the columns of a layer.

    Attributes
    ----------
    node
        Its structure; two filters that differ in their values only have the same.
    values
        Of the literals, in the order of their numbers; of a shape its EWKB.
    properties
        The columns it reads.
    """

    node: Node
    values: tuple[object, ...]
    properties: frozenset[str]

    @property
    def digest(self) -> str:
        """Short name of the filter, for cache keys and page tokens."""
        kept = [(type(value).__name__, value) for value in self.values]
        return hashlib.sha256(repr((self.node, kept)).encode()).hexdigest()[:16]

    @property
    def bound(self) -> dict[str, object]:
        """The values by the name of their parameter in the clause."""
        # A list is what both drivers take as an array.
        values = (list(value) if isinstance(value, tuple) else value for value in self.values)
        return {parameter(number): value for number, value in enumerate(values)}


def joined(*filters: Filter) -> Filter:
    """Return the filter that holds where all of them hold."""
    if len(filters) == 1:
        return filters[0]
    nodes: list[Node] = []
    values: list[object] = []
    for one in filters:
        nodes.append(_moved(one.node, len(values)))
        values += one.values
    return Filter(("and", *nodes), tuple(values), frozenset().union(*(one.properties for one in filters)))


def _moved(node: Node, by: int) -> Node:
    """Return a node whose literals are numbered from `by` on."""
    if node[0] == "value":
        return ("value", node[1] + by, node[2])
    return tuple(_moved(part, by) if isinstance(part, tuple) else part for part in node)


def parameter(number: int) -> str:
    """Return the name under which the value of a literal is bound."""
    return f"cql_{number}"
