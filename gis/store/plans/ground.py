"""What plans of a city stand on: its blocks with their borders and what lies in them, kept while it is current."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa
from pyproj import Transformer

from gis.crs import LONLAT
from gis.plans.graph import Blocks, blocks_of
from gis.plans.ground import Ground, ground_of
from gis.plans.policy import policy
from gis.plans.workload import Counts, counts_of
from gis.store import wire
from gis.store.cities import CityRow
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.frames import read_frame, today, versions
from gis.store.tables import FRAME_TABLES

_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "rentals": (),
    "key_units": ("source_id", "kind"),
    "posts": ("source_id", "kind", "name_zh", "name_en"),
    "water_areas": (),
    "segments": ("road_class",),
}
"""What plans ask of each frame beside the places themselves."""
_BLOCKS: Final = ("code", "grid_code", "community_code", "households_count", "residents_count")
_INCIDENTS: Final = "incidents"
FRAMES: Final = ("blocks", "grids", _INCIDENTS, *_PLACES)
SECONDS_PER_DAY: Final = 86_400.0

V = TypeVar("V")


class Kept(Generic[V]):
    """The few newest of something that takes long to make, each made once however many ask for it at the same time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[Hashable, V] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """Return what is known under a key, made now if it is not."""
        with self._lock:
            if key not in self._known:
                self._known[key] = make()
                while len(self._known) > self._most:
                    del self._known[next(iter(self._known))]
            # Used last: at the end of the order in which things leave.
            self._known[key] = self._known.pop(key)
            return self._known[key]


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Frames of a city in metres as plans ask for them; None where the city has no rows.

    Attributes
    ----------
    open_incidents
        Those of the last days that there are any of, see the policy.
    """

    ground: Ground
    rentals: gpd.GeoDataFrame | None
    key_units: gpd.GeoDataFrame | None
    incidents: gpd.GeoDataFrame | None
    open_incidents: gpd.GeoDataFrame | None
    posts: gpd.GeoDataFrame | None


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Laid:
    """Blocks (n,) of one or several plans, with all that does not change when they change hands.

    Attributes
    ----------
    frame : (n,) rows
        The blocks in EPSG:4326, in the order of `blocks`, with ``id`` of the city's own block where it is that, -1
        where the plan has cut or moved it.
    counts
        What lies in each.
    sheet
        Plain lists of what a page draws and counts with, see `gis.store.plans.desk.board`.
    """

    frame: gpd.GeoDataFrame
    blocks: Blocks
    counts: Counts
    sheet: Mapping[str, Mapping[str, Any]]


_places: Final[Kept[Places]] = Kept(2)
_city_blocks: Final[Kept[gpd.GeoDataFrame]] = Kept(2)
_laid: Final[Kept[Laid]] = Kept(4)


def now(store: Store, city: CityRow) -> tuple[Hashable, ...]:
    """Return a key that changes whenever a frame that plans stand on does, and with the day."""
    with store.transaction(city.scope, read_only=True) as connection:
        found = versions(connection, city.id, FRAMES)
    return (store.url, city.id, city.profile.metric_crs, today(city), tuple(found.items()))


def places(store: Store, city: CityRow, key: tuple[Hashable, ...]) -> Places:
    """Return the places of a city as they are at `key`."""
    *rest, found = key
    mine = tuple(pair for pair in dict(found).items() if pair[0] not in ("blocks", "grids"))  # type: ignore[call-overload]
    return _places.get((*rest, mine), lambda: _read_places(store, city))


def city_blocks(store: Store, city: CityRow, key: tuple[Hashable, ...]) -> gpd.GeoDataFrame:
    """Return the city's own blocks in EPSG:4326 as a plan without shapes of its own has them; by code."""
    return _city_blocks.get(key, lambda: _read_city_blocks(store, city))


def laid(
    store: Store, city: CityRow, key: tuple[Hashable, ...], name: Hashable, read: Callable[[], gpd.GeoDataFrame]
) -> Laid:
    """Return blocks laid out.

    Parameters
    ----------
    name
        Tells these blocks from others of the same city at the same time.
    read
        Gives them as `gis.store.plans.blocks.plan_blocks`; asked only when they are not known yet.
    """
    return _laid.get((key, name), lambda: _made(store, city, key, read()))


def _read_places(store: Store, city: CityRow) -> Places:
    crs, rules = city.profile.metric_crs, policy()
    frames: dict[str, gpd.GeoDataFrame | None] = {}
    for name, columns in _PLACES.items():
        rows = read_frame(store, city, name, only=columns)
        frames[name] = None if rows.empty else rows.to_crs(crs)
    ground = ground_of(rules, water_areas=frames.pop("water_areas"), segments=frames.pop("segments"))
    incidents, recent = _read_incidents(store, city, open_days=rules.open_days)
    return Places(ground, incidents=incidents, open_incidents=recent, **frames)


def _read_incidents(
    store: Store, city: CityRow, *, open_days: float
) -> tuple[gpd.GeoDataFrame | None, gpd.GeoDataFrame | None]:
    """Return when and where each incident was, in metres, and those that count as open with their names.

    By the hundred thousand: the places come as two numbers each, a line or an area as a point on it.
    """
    table, crs = FRAME_TABLES[_INCIDENTS], city.profile.metric_crs
    point = sa.case(
        (sa.func.ST_Dimension(table.c.geom) == 0, table.c.geom), else_=sa.func.ST_PointOnSurface(table.c.geom)
    )
    second = sa.cast(sa.extract("epoch", table.c.occurred_at), sa.Float)
    mine = table.c.city_id == city.id
    query = sa.select(second, sa.func.ST_X(point), sa.func.ST_Y(point)).where(mine).order_by(table.c.id)
    named = sa.select(table.c.source_id).where(mine).order_by(table.c.id)
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S, read_only=True) as connection:
        rows = np.array(wire.fetch(connection, query), dtype=np.float64).reshape(-1, 3)
        if not len(rows):
            return None, None
        recent = rows[:, 0] > rows[:, 0].max() - open_days * SECONDS_PER_DAY
        since = sa.func.to_timestamp(float(rows[recent, 0].min()))
        names = [row[0] for row in wire.fetch(connection, named.where(table.c.occurred_at >= since))]
    there = ~np.isnan(rows[:, 1])
    shapes = np.full(len(rows), None, dtype=object)
    to_metres = Transformer.from_crs(LONLAT, crs, always_xy=True)
    shapes[there] = shapely.points(*to_metres.transform(rows[there, 1], rows[there, 2]))
    times = pd.to_datetime(rows[:, 0], unit="s", utc=True)
    every = gpd.GeoDataFrame({"occurred_at": times}, geometry=gpd.GeoSeries(shapes, crs=crs))
    return every, every[recent].assign(source_id=names)


def _read_city_blocks(store: Store, city: CityRow) -> gpd.GeoDataFrame:
    rows = read_frame(store, city, "blocks", only=_BLOCKS)
    ordered = rows.assign(id=rows.index).sort_values("code", kind="stable", ignore_index=True)
    return ordered.assign(parent_code=None, own_shape=False)


def _made(store: Store, city: CityRow, key: tuple[Hashable, ...], frame: gpd.GeoDataFrame) -> Laid:
    around = places(store, city, key)
    # Which grid they belong to is not theirs to say: other plans of the same blocks lie here, too.
    rows = frame.assign(source_id=frame["code"], grid_code=None)
    rows = rows.sort_values("code", kind="stable", ignore_index=True)
    blocks = blocks_of(rows, crs=city.profile.metric_crs, ground=around.ground)
    counts = counts_of(blocks, rentals=around.rentals, key_units=around.key_units, incidents=around.incidents)
    own = city_blocks(store, city, key)
    ids = dict(zip(own["code"], own["id"], strict=True))
    cut = rows["own_shape"].to_numpy(dtype=bool)
    keyed = rows.assign(id=[-1 if c else ids.get(code, -1) for code, c in zip(rows["code"], cut, strict=True)])
    return Laid(keyed, blocks, counts, _sheet(keyed, blocks, counts))


def _sheet(frame: gpd.GeoDataFrame, blocks: Blocks, counts: Counts) -> dict[str, dict[str, Any]]:
    shapes, amounts = frame.geometry.to_numpy(), counts.amounts
    middle = shapely.point_on_surface(shapes)
    communities, community = np.unique(blocks.communities.astype(str), return_inverse=True)
    ends, shared_m = blocks.graph.pairs()
    n = len(blocks)
    open_ends = blocks.open_graph.pairs()[0]
    barrier = ~np.isin(ends[:, 0] * n + ends[:, 1], open_ends[:, 0] * n + open_ends[:, 1])
    return {
        "communities": {"code": communities.tolist()},
        "blocks": {
            "id": [None if i < 0 else int(i) for i in frame["id"]],
            "code": blocks.codes.tolist(),
            "community": community.tolist(),
            "households": blocks.households.tolist(),
            "rentals": amounts["rentals"].astype(int).tolist(),
            "key_units": amounts["key_units"].astype(int).tolist(),
            "incidents": amounts["incidents_per_year"].round(1).tolist(),
            "area_m2": blocks.graph.area_m2.round(1).tolist(),
            "perimeter_m": blocks.graph.perimeter_m.round(2).tolist(),
            "lon": shapely.get_x(middle).round(7).tolist(),
            "lat": shapely.get_y(middle).round(7).tolist(),
            "bbox": shapely.bounds(shapes).round(7).tolist(),
        },
        "neighbours": {
            "a": ends[:, 0].tolist(),
            "b": ends[:, 1].tolist(),
            "shared_m": shared_m.round(2).tolist(),
            "barrier": barrier.tolist(),
        },
    }
