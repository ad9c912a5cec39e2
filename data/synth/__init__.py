"""The demo city: real outline, codes and names of Gusu; everything inside is invented, from one seed.

>>> from data.synth import generate
>>> frames, truth = generate(seed=1)
>>> sorted(frames)[:3]
['beats', 'blocks', 'communities']
"""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from data.synth import areas, blocks, ground, incidents, network, places, streets

DEFAULT_SEED = 20260701

__all__ = ["DEFAULT_SEED", "generate"]


def generate(seed: int = DEFAULT_SEED) -> tuple[dict[str, gpd.GeoDataFrame], dict[str, Any]]:
    """Return every frame of the demo city in EPSG:4326, and the truth about its planted hotspots.

    Every stage draws from a generator of its own, so that a change in one leaves the others' draws alone.
    """
    official = ground.ground()
    net = network.build(official.outline, _rng(seed, 1))
    cells = blocks.build(net, _rng(seed, 2))
    nested = areas.build(official, cells, _rng(seed, 3))
    segments, kept = streets.segments(net, _rng(seed, 4))
    water = streets.water_areas(net, cells, _rng(seed, 10))
    dry = shapely.difference(official.outline, ground.to_metres(water.union_all()))
    where = incidents.streets_that_draw(net, cells, kept, _rng(seed, 5))
    events, planted = incidents.build(where, nested["grids"], dry, _rng(seed, 6))
    frames = {
        **nested,
        "key_units": places.key_units(cells, where, dry, _rng(seed, 7)),
        "rentals": places.rentals(where, dry, _rng(seed, 8)),
        "posts": places.posts(where, dry, _rng(seed, 9)),
        "incidents": events,
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
    }
    return frames, truth


def _rng(seed: int, stage: int) -> np.random.Generator:
    return np.random.default_rng([seed, stage])
