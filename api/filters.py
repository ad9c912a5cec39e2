"""From query parameters to a query of the store: the same filter for items and tiles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import QueryParams

from api import parameters
from api.catalogue import properties
from api.problems import BadQuery, bad_query
from gis.errors import InvalidInput
from gis.store.query import ItemQuery
from layers.engine.layer import Layer

ITEMS: Final = ("bbox", "bbox-crs", "crs", "limit", "after")
TILES: Final = ("v",)
"""``v`` is ignored: it only makes a new address of new data."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks of a layer.

    Attributes
    ----------
    run_id
        A run of the layer's service; None for the latest, and for a layer of a frame.
    """

    query: ItemQuery
    run_id: int | None = None


def allowed(layer: Layer, own: Collection[str]) -> tuple[str, ...]:
    """Return the parameters that an address of a layer takes."""
    time = ("datetime",) if layer.time is not None else ()
    run = ("run_id",) if layer.service is not None else ()
    return (*own, *time, *run, *(column.name for column in properties(layer)))


def asked(layer: Layer, query: QueryParams, *, own: Collection[str], time_zone: str) -> Asked:
    """Return what a request asks of a layer; `BadQuery` names everything that is wrong with it."""
    given = parameters.known(query, allowed(layer, own))
    for name in ("crs", "bbox-crs"):
        parameters.crs84(name, given.get(name))
    equals = {c.name: parameters.values(c, given[c.name]) for c in properties(layer) if c.name in given}
    with as_bad_query():
        found = ItemQuery(
            bbox=parameters.bbox(given.get("bbox")),
            interval=parameters.interval(given.get("datetime"), time_zone),
            equals=equals,
            limit=parameters.limit(given.get("limit")),
            after=given.get("after"),
        )
    return Asked(found, _run_id(given))


def _run_id(given: Mapping[str, str]) -> int | None:
    if "run_id" not in given:
        return None
    run_id = parameters.key(given["run_id"])
    if run_id is None:
        raise bad_query("run_id", "must be the number of a run")
    return run_id


@contextmanager
def as_bad_query() -> Iterator[None]:
    """Let what the store refuses in a query be a 400: here its values all come from query parameters."""
    try:
        yield
    except BadQuery:
        raise
    except InvalidInput as error:
        raise BadQuery(error.message, error.problems) from None
