"""Filters in CQL2 (OGC 21-065r2), as text or JSON: an allow-listed part of the language as bound SQL expressions.

The library ``cql2`` parses; nothing of what it could make SQL of is used. `check` lets through only the properties,
operators and functions named here, with every literal a bound value, and `clause` builds the expression.
"""

from gis.store.cql2.checking import GEOMETRY, check
from gis.store.cql2.clause import clause
from gis.store.cql2.filter import Filter, joined
from gis.store.cql2.parsing import Language, parse

__all__ = ["GEOMETRY", "Filter", "Language", "check", "clause", "joined", "parse"]
