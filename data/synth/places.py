"""Key units, rentals and posts: generic places with the dates and counts that checks and drills leave behind."""

from __future__ import annotations

import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.synth.areas import frame
from data.synth.blocks import Blocks
from data.synth.ground import points_in_degrees
from data.synth.incidents import LAST_DAY, Where, along_streets

RENTALS = 6000
CROWDED_SHARE, OVERDUE_SHARE = 0.05, 0.16
DRILL_DUE_DAYS, INSPECTION_DUE_DAYS = 365, 180
PLACES = tomllib.loads((Path(__file__).parent / "places.toml").read_text(encoding="utf-8"))


def key_units(blocks: Blocks, where: Where, dry: shapely.Geometry, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return key protection units; some were never drilled or inspected, some are overdue."""
    parts = []
    for kind, plan in PLACES["key_units"].items():
        n = plan["count"]
        xy, address = _beside_streets(where, "shops", n, dry, rng)
        if "use" in plan:
            xy = _in_blocks(blocks, plan["use"], n, dry, rng)
            address = _addresses(where, shapely.STRtree(where.edges).nearest(shapely.points(xy)), rng)
        elif "road" in plan:
            xy, address = _beside_streets(where, "roads", n, dry, rng)
        serial = np.arange(1, n + 1).astype(str).astype(object)
        parts.append(
            pd.DataFrame(
                {
                    "source_id": [f"K-{kind}-{i:03d}" for i in range(1, n + 1)],
                    "kind": kind,
                    "name_zh": plan["zh"] + serial,
                    "name_en": plan["en"] + " " + serial,
                    "address": address,
                    "guards_count": rng.poisson(plan["guards"], n),
                    "last_drill_on": _last_on(n, DRILL_DUE_DAYS, 0.10, rng),
                    "last_inspected_on": _last_on(n, INSPECTION_DUE_DAYS, 0.05, rng),
                    "plan_reviewed_on": _last_on(n, 2 * DRILL_DUE_DAYS, 0.12, rng),
                    "x": xy[:, 0],
                    "y": xy[:, 1],
                }
            )
        )
    return _points(pd.concat(parts, ignore_index=True))


def rentals(where: Where, dry: shapely.Geometry, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return rental properties: capacity, area, fire checks; some break the rules on purpose."""
    kinds = PLACES["rentals"]
    kind = rng.choice(list(kinds), RENTALS, p=[k["share"] for k in kinds.values()])
    rooms, beds, m2 = (np.empty(RENTALS) for _ in range(3))
    for name, plan in kinds.items():
        mine = kind == name
        n = int(mine.sum())
        rooms[mine] = rng.integers(plan["rooms"][0], plan["rooms"][1] + 1, n)
        beds[mine] = rooms[mine] * rng.integers(plan["beds_per_room"][0], plan["beds_per_room"][1] + 1, n)
        m2[mine] = rooms[mine] * rng.uniform(plan["m2_per_room"][0], plan["m2_per_room"][1], n)
    crowded = rng.random(RENTALS) < CROWDED_SHARE
    xy, address = _beside_streets(where, "homes", RENTALS, dry, rng)
    large = (rooms >= 10) | (beds >= 10)  # noqa: PLR2004 - the regime of ten rooms or ten beds
    return _points(
        pd.DataFrame(
            {
                "source_id": [f"R{i:05d}" for i in range(1, RENTALS + 1)],
                "kind": kind,
                "address": address,
                "rooms_count": rooms.astype(int),
                "beds_count": np.where(crowded, beds * 2, beds).astype(int),
                "area_m2": m2.round(1),
                "extinguishers_count": rng.poisson(np.where(large, 4, 1.2)),
                "smoke_detectors": rng.random(RENTALS) < np.where(large, 0.9, 0.6),
                "last_inspected_on": _last_on(RENTALS, INSPECTION_DUE_DAYS, 0.14, rng),
                "x": xy[:, 0],
                "y": xy[:, 1],
            }
        )
    )


def posts(where: Where, dry: shapely.Geometry, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return posts, apart from one another but denser where more happens: the outer parts are left with gaps."""
    total = sum(p["count"] for p in PLACES["posts"].values())
    xy, _ = _beside_streets(where, "homes", total * 12, dry, rng)
    middle = xy.mean(axis=0)
    chosen = [int(np.argmin(np.hypot(*(xy - middle).T)))]
    while len(chosen) < total:
        apart = np.min(np.hypot(*(xy[:, None] - xy[chosen]).transpose(2, 0, 1)), axis=1)
        central = np.exp(-np.hypot(*(xy - middle).T) / 5000)
        chosen.append(int(np.argmax(apart * central)))
    xy = xy[rng.permutation(chosen)]
    rows = []
    for kind, plan in PLACES["posts"].items():
        for i in range(1, plan["count"] + 1):
            positions = int(rng.integers(plan["positions"][0], plan["positions"][1] + 1))
            rows.append((f"P-{kind}-{i:02d}", kind, f"{plan['zh']}{i}", f"{plan['en']} {i}", positions))
    table = pd.DataFrame(rows, columns=["source_id", "kind", "name_zh", "name_en", "positions_count"])
    return _points(table.assign(x=xy[:, 0], y=xy[:, 1]))


def _points(table: pd.DataFrame) -> gpd.GeoDataFrame:
    lonlat = points_in_degrees(table[["x", "y"]].to_numpy())
    return frame(table.drop(columns=["x", "y"]), shapely.points(lonlat))


def _beside_streets(
    where: Where, kind: str, n: int, dry: shapely.Geometry, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return places (n, 2) in metres a few steps off a street, all on dry ground in the city, and their addresses."""
    xy, edge = along_streets(where, kind, 2 * n + 20, rng, inset_m=(12.0, 26.0))
    good = np.flatnonzero(shapely.contains_xy(dry.buffer(-5), xy[:, 0], xy[:, 1]))[:n]
    return xy[good], _addresses(where, edge[good], rng)


def _in_blocks(blocks: Blocks, uses: list[str], n: int, dry: shapely.Geometry, rng: np.random.Generator) -> np.ndarray:
    """Return places (n, 2) in metres in blocks of a use, the largest first, and again when there are too few."""
    fit = np.flatnonzero(np.isin(blocks.uses, uses))
    order = fit[np.argsort(-shapely.area(blocks.metres[fit]), kind="stable")]
    chosen = blocks.metres[np.resize(order, n)]
    # Off the middle, where a park has its pond and the second of two in one block would lie on the first.
    middle = shapely.get_coordinates(shapely.point_on_surface(chosen))
    corner = shapely.get_coordinates(shapely.get_point(shapely.get_exterior_ring(chosen), 0))
    step = rng.uniform(0.45, 0.75, (n, 1))
    wet = ~shapely.contains_xy(dry, *(middle + (corner - middle) * step).T)
    xy = middle + (corner - middle) * np.where(wet[:, None], 0.95, step)
    return np.asarray(xy)


def _addresses(where: Where, edge: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.asarray(where.names[edge] + rng.integers(1, 260, len(edge)).astype(str).astype(object) + "号")


def _last_on(n: int, due_days: int, never: float, rng: np.random.Generator) -> pd.Series:
    """Return days (n,) of the last check: most within the due time, a sixth overdue, some never."""
    ago = np.where(rng.random(n) < OVERDUE_SHARE, rng.uniform(1.0, 2.2, n), rng.beta(1.4, 1.6, n)) * due_days
    days = pd.Series(pd.Timestamp(LAST_DAY) - pd.to_timedelta(ago.round().astype(int), unit="D"))
    return days.mask(rng.random(n) < never).dt.date
