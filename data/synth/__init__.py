"""The demo city: real outline, codes and names of Gusu; everything inside is invented, from one seed.

>>> from data.synth import generate
>>> frames, truth = generate(seed=1)
>>> sorted(frames)[:3]
['beats', 'blocks', 'checkpoints']
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from data.synth import areas, blocks, ground, incidents, network, patrols, places, stops, streets

DEFAULT_SEED = 20260701

__all__ = ["DEFAULT_SEED", "generate"]


def generate(seed: int = DEFAULT_SEED) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, Any]]:
    """Return every frame of the demo city in EPSG:4326, and the truth about what is planted in it.

    Every stage draws from a generator of its own, so that a change in one leaves the others' draws alone.
    """
    official = ground.ground()
    net = network.build(official.outline, _rng(seed, 1))
    cells = blocks.build(net, _rng(seed, 2))
    nested = areas.build(official, cells, _rng(seed, 3))
    wet = shapely.union_all([area for *_, area in net.water])
    segments, kept = streets.segments(net, wet, _rng(seed, 4))
    water = streets.water_areas(net, cells, _rng(seed, 10))
    dry = shapely.difference(official.outline, ground.to_metres(water.union_all()))
    where = incidents.streets_that_draw(net, cells, kept, _rng(seed, 5))
    events, planted = incidents.build(where, nested["grids"], dry, _rng(seed, 6))
    key_units, posts = places.key_units(cells, where, dry, _rng(seed, 7)), places.posts(where, dry, _rng(seed, 9))
    site = stops.Site(where, segments, cells, key_units, dry)
    checkpoints = stops.checkpoints(site, _rng(seed, 11))
    runs, walked = patrols.build(segments, checkpoints, posts, _rng(seed, 13))
    frames = {
        **nested,
        "key_units": key_units,
        "rentals": places.rentals(where, dry, _rng(seed, 8)),
        "posts": posts,
        "checkpoints": checkpoints,
        "resources": stops.resources(site, _rng(seed, 12)),
        "incidents": events,
        "patrol_runs": runs,
        "segments": segments,
        "water_areas": water,
    }
    truth = {
        "synthetic": True,
        "about": "Planted hotspots of the demo city: invented, kept so that tests can look for them.",
        "seed": seed,
        "first_day": incidents.FIRST_DAY,
        "last_day": incidents.LAST_DAY,
        "incidents_count": len(events),
        "hotspots": planted,
        "patrols": walked,
    }
    return frames, truth


def _rng(seed: int, stage: int) -> np.random.Generator:
    return np.random.default_rng([seed, stage])
