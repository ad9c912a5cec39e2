"""Grids divided into beats, part of the city by part, as little away from the beats in force as is asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from scipy.optimize import linear_sum_assignment

from gis.city.beat_params import BeatsParams
from gis.city.beat_regions import NO_BEAT, PostPlaces, Regions, homes, shared_out
from gis.city.beat_work import Work
from gis.city.travel import Places, Travel
from gis.errors import InvalidParams, Problem
from gis.kernels.beat_search import Aim, centres_of, search, whole_start
from gis.kernels.block_graph import BlockGraph, Floats, Ints

MOST_TOGETHER = 2_500
"""Grids of which all travel times are held at once; streets, or a city, with more are refused."""
FAR = 2.0
"""In a large city ways are looked for up to this many radii of a mean beat, and five minutes more."""
DETOUR = 1.5
"""Ways are so much longer than straight lines."""
SLOW_KMH = {"drive": 20.0, "cycle": 10.0, "walk": 4.0}


@dataclass(frozen=True, slots=True, eq=False)
class BeatCity:
    """Everything that beats are made of: n grids."""

    grids: gpd.GeoDataFrame
    regions: Regions
    graph: BlockGraph
    work: Work
    present: Ints
    codes: np.ndarray
    posts: PostPlaces | None
    trips: Travel
    places: Places
    limit_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """Beats 0 to k - 1 of grids (n,), and the grid of each one's centre (k,)."""

    beat: Ints
    centre: Ints


def search_limit_s(params: BeatsParams, area_m2: Floats, beats_count: int) -> float:
    """Return how far ways are looked for, in seconds: everywhere, but in a large city."""
    if area_m2.size <= MOST_TOGETHER:
        return np.inf
    radius_m = float(np.sqrt(area_m2.sum() / max(params.beats_count or beats_count, 1) / np.pi))
    return 300.0 + FAR * radius_m * DETOUR / (SLOW_KMH[params.travel_mode] / 3.6)


def _beats_of_regions(params: BeatsParams, city: BeatCity, home: Ints) -> Ints:
    """Return how many beats each region (r,) gets."""
    count = len(city.regions.names)
    if city.posts is not None:
        return np.bincount(city.regions.of[np.unique(city.posts.grid)], minlength=count)
    if params.beats_count is not None:
        load = np.bincount(city.regions.of, city.work.load, minlength=count).astype(np.float64)
        return shared_out(params.beats_count, load, np.bincount(city.regions.of, minlength=count))
    if not len(city.codes):
        why = "no grid has a beat yet: say how many there should be"
        raise InvalidParams("beats: how many", [Problem("no_beats", why, "beats_count")])
    return np.maximum(np.bincount(home[home >= 0], minlength=count), 1)


def divided(
    params: BeatsParams, city: BeatCity, progress: Callable[[float, str], None]
) -> tuple[Division, Division | None]:
    """Return the proposed beats, and those in force with their centres; None where there are none."""
    load, of = city.work.load, city.regions.of
    home = homes(city.present, of, load, beats_count=len(city.codes))
    wanted = _beats_of_regions(params, city, home)
    beat, centre = np.full(len(load), NO_BEAT), np.zeros(int(wanted.sum()), np.int64)
    present_centre = np.zeros(len(city.codes), np.int64)
    first = 0
    for region, count in enumerate(wanted.tolist()):
        own = np.flatnonzero(of == region)
        if len(own) > MOST_TOGETHER:
            why = (
                f"{len(own):,} grids are divided together, at most {MOST_TOGETHER:,} can be; keep beats inside streets"
            )
            raise InvalidParams("beats: too many grids", [Problem("too_many_grids", why, "inside")])
        some = city.places.take(own)
        seconds = city.trips.matrix_s(some, some, limit_s=city.limit_s)
        aim = _aim(params, city, own, seconds, count=count, at_home=np.flatnonzero(home == region))
        start = None
        if aim.base is not None and (aim.base >= 0).all() and aim.posts is None:
            start = whole_start(city.graph.part(own), aim.load, aim.base, beats_count=count)

        def told(share: float, region: int = region) -> None:
            progress((region + share) / len(wanted), city.regions.names[region] or "divided")

        found = search(
            city.graph.part(own), aim, starts=() if start is None else (start,), seed=params.seed, progress=told
        )
        beat[own], centre[first : first + count] = first + found.beat, own[found.centre]
        first += count
        at_home = np.flatnonzero(home == region)
        local = _numbered(city.present[own], at_home)
        held = np.flatnonzero(local >= 0)
        middle = centres_of(local[held], aim.load[held], aim.known_s()[np.ix_(held, held)], beats_count=len(at_home))
        present_centre[at_home] = own[held[middle]]
    return Division(beat, centre), Division(city.present, present_centre) if len(city.codes) else None


def _aim(params: BeatsParams, city: BeatCity, own: Ints, seconds: Floats, *, count: int, at_home: Ints) -> Aim:
    """Return what the beats of one region (its grids, m) are measured by."""
    load = city.work.load[own]
    posts = None
    if city.posts is not None:
        posts = np.flatnonzero(np.isin(own, city.posts.grid))
        # A post continues the beat that it lies in; of several in one beat, the first.
        _, one = np.unique(city.present[own[posts]], return_index=True)
        names = np.full(count, -2)
        names[one] = city.present[own[posts[one]]]
    else:
        weight = np.array([load[city.present[own] == b].sum() for b in at_home])
        names = at_home[np.sort(np.argsort(-weight, kind="stable")[:count])]
    return Aim(
        load=load if load.sum() > 0 else np.ones(len(own)),
        seconds=seconds,
        beats_count=count,
        tolerance=params.tolerance,
        response_weight=params.response_weight,
        change_weight=params.change_weight,
        base=_numbered(city.present[own], names),
        posts=posts,
    )


def _numbered(beat: Ints, names: Ints) -> Ints:
    """Return where each beat (m,) stands among the names, -1 for those that do not."""
    place = {int(name): i for i, name in enumerate(names.tolist()) if name >= 0}
    return np.array([place.get(b, NO_BEAT) for b in beat.tolist()], dtype=np.int64)


def continued_beats(city: BeatCity, new: Division) -> Ints:
    """Return the beat in force (k,) that each proposed one continues, so that least work changes beats; -1 for none."""
    count = len(new.centre)
    continued = np.full(count, NO_BEAT)
    if len(city.codes):
        common = np.zeros((count, len(city.codes)))
        held = city.present >= 0
        np.add.at(common, (new.beat[held], city.present[held]), city.work.load[held] + 1e-9)
        rows, columns = linear_sum_assignment(-common)
        shared = common[rows, columns] > 0
        continued[rows[shared]] = columns[shared]
    return continued
