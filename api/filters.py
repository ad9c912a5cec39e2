"""From query parameters to a query of the store: the same filter for items and tiles."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final, get_args

from starlette.datastructures import QueryParams

from api import parameters, references
from api.catalogue import properties
from api.problems import BadQuery, bad_query
from api.purpose import PARAMETER
from gis.contract.profile import CityProfile
from gis.crs import Reference
from gis.errors import InvalidInput
from gis.store import cql2
from gis.store.cql2 import Filter
from gis.store.query import ItemQuery
from layers.engine.layer import Layer

FILTER: Final = ("filter", "filter-lang", "filter-crs")
ITEMS: Final = ("bbox", "bbox-crs", "crs", "limit", "after", *FILTER)
ITEM: Final = ("crs",)
EXPORT: Final = ("bbox", "bbox-crs", PARAMETER, "mask", *FILTER)
TILES: Final = ("v", *FILTER)
"""``v`` is ignored: it only makes a new address of new data."""


LANGUAGES: Final[tuple[cql2.Language, ...]] = get_args(cql2.Language)


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


EVERYTHING: Final = Asked(ItemQuery())
"""What is asked without any parameter."""


def allowed(layer: Layer, own: Collection[str]) -> tuple[str, ...]:
    """Return the parameters that an address of a layer takes."""
    time = ("datetime",) if layer.time is not None else ()
    run = ("run_id",) if layer.service is not None else ()
    return (*own, *time, *run, *(column.name for column in properties(layer)))


def asked(layer: Layer, query: QueryParams, *, own: Collection[str], profile: CityProfile) -> Asked:
    """Return what a request asks of a layer; `BadQuery` names everything that is wrong with it."""
    if not query:
        return EVERYTHING  # as most tiles are asked for
    given = parameters.known(query, allowed(layer, own))
    crs = references.asked("crs", given.get("crs"), profile)
    box_crs = references.asked("bbox-crs", given.get("bbox-crs"), profile)
    equals = {c.name: parameters.values(c, given[c.name]) for c in properties(layer) if c.name in given}
    with as_bad_query():
        found = ItemQuery(
            bbox=parameters.bbox(given.get("bbox")) if box_crs is None else None,
            interval=parameters.interval(given.get("datetime"), profile.time_zone),
            equals=equals,
            limit=parameters.limit(given.get("limit")),
            after=given.get("after"),
            where=_where(layer, given, profile, box_crs),
            crs=crs,
        )
    return Asked(found, _run_id(given))


def condition(
    layer: Layer, text: str, profile: CityProfile, *, language: str = "cql2-text", crs: Reference | None = None
) -> Filter:
    """Return the checked filter of a text in CQL2; it reads what leaves the server and nothing else.

    Raises
    ------
    InvalidInput
        Names everything that is wrong with it.
    """
    spoken = next((one for one in LANGUAGES if one == language), None)
    if spoken is None:
        raise bad_query("filter-lang", f"must be {' or '.join(LANGUAGES)}")
    tree = cql2.parse(text, spoken)
    return cql2.check(tree, properties(layer), time_zone=profile.time_zone, crs=crs)


def _where(layer: Layer, given: Mapping[str, str], profile: CityProfile, box_crs: Reference | None) -> Filter | None:
    """Return the filter, together with a box whose sides are not those of a box in degrees."""
    parts = []
    if "bbox" in given and box_crs is not None:
        inside = {
            "op": "s_intersects",
            "args": [{"property": cql2.GEOMETRY}, {"bbox": list(parameters.box(given["bbox"]))}],
        }
        with _named("bbox"):
            parts.append(cql2.check(inside, (), time_zone=profile.time_zone, crs=box_crs))
    if "filter" in given:
        language = given.get("filter-lang", LANGUAGES[0])
        crs = references.asked("filter-crs", given.get("filter-crs"), profile)
        parts.append(condition(layer, given["filter"], profile, language=language, crs=crs))
    elif orphans := [name for name in ("filter-lang", "filter-crs") if name in given]:
        raise bad_query(orphans[0], "says something about a filter, and there is none")
    return cql2.joined(*parts) if parts else None


@contextmanager
def _named(parameter: str) -> Iterator[None]:
    """Let problems of a filter that was made here bear the name of the parameter it came from."""
    try:
        yield
    except InvalidInput as error:
        raise InvalidInput(error.message, [replace(p, field=parameter) for p in error.problems]) from None


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
