"""Where and when the features of a layer are; computed once a version, since it reads every row."""

from __future__ import annotations

from dataclasses import replace

from api.cache import Cache
from api.sources import relation_of, version_of
from api.watch import Moment
from gis.errors import NotFound
from gis.store import items
from gis.store.boxes import Bounds
from gis.store.engine import Store
from gis.store.items import DIGITS, Extent
from layers.engine.catalog import catalog
from layers.engine.layer import Layer

NOWHERE = Extent(None, None, 0)
KEPT = 200
OUTLINES = ("districts", "streets", "communities", "grids", "blocks", "incidents")
"""Layers that tell where a city is, the first one with a feature wins."""


class Extents:
    """The extents of the layers of one server."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: Cache[Extent] = Cache(KEPT)

    async def of(self, layer: Layer, moment: Moment) -> Extent:
        """Return the extent of a layer at a moment; nowhere, when it has no features."""
        city, relation = moment.city, relation_of(layer, moment)
        if city is None or relation is None:
            return NOWHERE

        async def read() -> Extent:
            found = await items.extent(self._store, city.scope, relation)
            return replace(found, bounds=found.bounds and _rounded(found.bounds))

        try:
            return await self._kept.get((layer.id, version_of(layer, moment), city.scope.hash), read)
        except NotFound:
            return NOWHERE

    async def city(self, moment: Moment) -> Bounds | None:
        """Return where the city in use is: the box of its largest areas."""
        for id_ in OUTLINES:
            if id_ in catalog() and (bounds := (await self.of(catalog()[id_], moment)).bounds) is not None:
                return bounds
        return None


def _rounded(bounds: Bounds) -> Bounds:
    west, south, east, north = (round(side, DIGITS) for side in bounds)
    return west, south, east, north
