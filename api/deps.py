"""What routes are given: the store, the moment, the city in use, the reader's language."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from api import recording
from api.cache import Cache
from api.extents import Extents
from api.pages import language_of
from api.visitors import visitor_of
from api.watch import Moment, Watch
from gis.contract.text import Language
from gis.errors import NotFound
from gis.store.cities import CityRow
from gis.store.engine import Store

NO_CITY: Final = (
    "no city is in use; make one with 'wangge demo', or with 'wangge city create NAME --metric-crs EPSG:N "
    "--time-zone TZ' and 'wangge import'"
)


def store_of(request: Request) -> Store:
    """Return the database this server works on."""
    store: Store = request.app.state.store
    return store


def watch_of(request: Request) -> Watch:
    """Return the look-out of this server."""
    watch: Watch = request.app.state.watch
    return watch


def cache_of(request: Request) -> Cache[bytes]:
    """Return the cache of tiles and pages of this server."""
    cache: Cache[bytes] = request.app.state.cache
    return cache


def counts_of(request: Request) -> Cache[int]:
    """Return how many features passed a filter, by layer, version, scope and filter."""
    counts: Cache[int] = request.app.state.counts
    return counts


def extents_of(request: Request) -> Extents:
    """Return the extents of this server's layers."""
    extents: Extents = request.app.state.extents
    return extents


async def moment_of(request: Request) -> Moment:
    """Return what is true of the city in use at this moment, as whoever asks may see it."""
    moment = await watch_of(request).seen_by(visitor_of(request))
    recording.within(request, moment)
    request.state.moment = moment  # every page names its city, and says when it is synthetic
    return moment


def city_of(moment: Moment) -> CityRow:
    """Return the city in use; NotFound says how to make one."""
    if moment.city is None:
        raise NotFound(NO_CITY)
    return moment.city


def reader_language(request: Request, moment: Moment) -> Language:
    """Return the reader's language, by default the first one of the city."""
    return language_of(request, moment.city.profile.languages[0] if moment.city else "zh")


# Coroutines all of them: what is none goes to a thread and back for each request.
async def _city(moment: Annotated[Moment, Depends(moment_of)]) -> CityRow:
    return city_of(moment)


async def _language(request: Request, moment: Annotated[Moment, Depends(moment_of)]) -> Language:
    return reader_language(request, moment)


async def _store(request: Request) -> Store:
    return store_of(request)


async def _extents(request: Request) -> Extents:
    return extents_of(request)


ExtentsDep = Annotated[Extents, Depends(_extents)]
StoreDep = Annotated[Store, Depends(_store)]
MomentDep = Annotated[Moment, Depends(moment_of)]
CityDep = Annotated[CityRow, Depends(_city)]
LanguageDep = Annotated[Language, Depends(_language)]
