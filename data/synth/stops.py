"""Checkpoints and emergency resources: places beside streets that every patrol can reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.synth.areas import frame
from data.synth.blocks import Blocks
from data.synth.ground import place, points_in_degrees, to_metres
from data.synth.incidents import HOTSPOTS, Where, along_streets
from data.synth.places import PLACES

BESIDE_M = 4.0
"""From the middle of the street towards what the place belongs to."""


@dataclass(frozen=True, slots=True)
class Site:
    """What places are put at: the city's streets, blocks, key units and dry ground, in metres."""

    where: Where
    segments: gpd.GeoDataFrame
    blocks: Blocks
    key_units: gpd.GeoDataFrame
    dry: shapely.Geometry


def checkpoints(site: Site, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return places that every shift must visit; some with a stay, some within a window of time."""
    rows = []
    for kind, plan in PLACES["checkpoints"].items():
        opens, closes = plan.get("window", (None, None))
        for i, xy in enumerate(_places(site, plan, rng), start=1):
            rows.append(
                {
                    "source_id": f"C-{kind}-{i:02d}",
                    "name_zh": f"{plan['zh']}{i}",
                    "name_en": f"{plan['en']} {i}",
                    "kind": kind,
                    "dwell_min": float(plan["dwell_min"]) or np.nan,
                    "visits_count": plan["visits"],
                    "window_from": opens,
                    "window_to": closes,
                    "xy": xy,
                }
            )
    return _framed(rows)


def resources(site: Site, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return what can be fetched in an emergency, and how much of it."""
    rows = []
    for kind, plan in PLACES["resources"].items():
        least, most = plan["quantity"]
        for i, xy in enumerate(_places(site, plan, rng), start=1):
            rows.append(
                {
                    "source_id": f"E-{kind}-{i:02d}",
                    "kind": kind,
                    "name_zh": f"{plan['zh']}{i}",
                    "name_en": f"{plan['en']} {i}",
                    "quantity_count": int(rng.integers(least, most + 1)),
                    "xy": xy,
                }
            )
    return _framed(rows)


def _framed(rows: list[dict[str, Any]]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows)
    points = shapely.points(points_in_degrees(np.stack(table["xy"].to_list())))
    return frame(table.drop(columns="xy"), points)


def _places(site: Site, plan: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Return places (n, 2) in metres, each beside the nearest street that is open to all, on dry ground or a bridge."""
    (what, which), n = next(iter(plan["near"].items())), plan["count"]
    metres = to_metres(site.segments.geometry.to_numpy())
    if what == "level":
        bridges = metres[_open(site.segments) & (site.segments["level"] == which).to_numpy()]
        middles = shapely.line_interpolate_point(rng.choice(bridges, n, replace=False), 0.5, normalized=True)
        return np.asarray(shapely.get_coordinates(middles))
    if what == "streets":
        wished = along_streets(site.where, which, 6 * n, rng)[0]
    elif what == "key_units":
        units = site.key_units[site.key_units["kind"] == which].geometry.to_numpy()
        wished = shapely.get_coordinates(to_metres(rng.permutation(units)))
    elif what == "use":
        areas = rng.permutation(np.flatnonzero(site.blocks.uses == which))
        wished = shapely.get_coordinates(shapely.point_on_surface(site.blocks.metres[areas]))
    else:
        wished = np.vstack([place(*HOTSPOTS[name]["board"]) for name in which])
    beside = _beside(metres[_open(site.segments)], wished)
    dry = shapely.contains_xy(site.dry, beside[:, 0], beside[:, 1])
    return np.asarray(beside[np.flatnonzero(dry)[:n]])


def _open(segments: gpd.GeoDataFrame) -> np.ndarray:
    return np.asarray((segments["access"] == "open") & (segments["road_class"] != "path"))


def _beside(lines: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Return, for each place (n, 2), one beside the street nearest to it, on its own side."""
    points = shapely.points(xy)
    line = lines[shapely.STRtree(lines).nearest(points)]
    on = shapely.get_coordinates(shapely.line_interpolate_point(line, shapely.line_locate_point(line, points)))
    away = xy - on
    far = np.maximum(np.hypot(*away.T), 1e-9)
    return np.asarray(on + away * (np.minimum(far, BESIDE_M) / far)[:, None])
