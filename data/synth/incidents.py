"""Incidents: when by the rhythm of their category, where along the streets, and the planted hotspots on top."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from data.synth.areas import frame
from data.synth.blocks import Blocks
from data.synth.ground import DECIMALS, place, point_in_degrees, points_in_degrees
from data.synth.network import Network

COUNT = 100_000
FIRST_DAY, LAST_DAY = "2023-07-01", "2026-06-30"
TIME_ZONE = "Asia/Shanghai"
SPAN_MIN = 420
"""Median minutes between the earliest and the latest possible time, where only a span is known."""
FULL_HOUR_SHARE = 0.22
"""People remember full hours."""
WITHHELD = {"robbery": 0.12, "assault": 0.03, "burglary": 0.01}
RADIUS_SIGMAS = 2.146
"""A planted hotspot's radius holds 90 % of its extra events."""

_HERE = Path(__file__).parent
_RHYTHM = tomllib.loads((_HERE / "rhythm.toml").read_text(encoding="utf-8"))
HOURS: dict[str, list[float]] = _RHYTHM["hours"]
CATEGORIES: dict[str, dict[str, Any]] = _RHYTHM["categories"]
HOTSPOTS: dict[str, dict[str, Any]] = tomllib.loads((_HERE / "hotspots.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Where:
    """Streets along which events are placed: edges (m,), and how strongly each draws homes, shops and roads."""

    edges: np.ndarray
    names: np.ndarray
    draw: dict[str, np.ndarray]


def build(
    where: Where, grids: gpd.GeoDataFrame, dry: shapely.Geometry, rng: np.random.Generator
) -> tuple[gpd.GeoDataFrame, list[dict[str, Any]]]:
    """Return the incidents and the truth about the planted hotspots."""
    planted = [_planted(name, spot, where, rng) for name, spot in HOTSPOTS.items()]
    usual = _usual(COUNT - sum(len(p) for p in planted), where, rng)
    events = _out_of_water(pd.concat([usual, *planted], ignore_index=True), dry, where)
    events = _dated(events, rng).sort_values(["occurred_at", "x", "y"], kind="stable", ignore_index=True)
    events = _placed(events, grids, where, rng)
    return _framed(events, rng), [_truth(name, spot, events) for name, spot in HOTSPOTS.items()]


def streets_that_draw(network: Network, blocks: Blocks, kept: np.ndarray, rng: np.random.Generator) -> Where:
    """Return how strongly each street draws events of homes, shops and roads."""
    edges = network.edges[kept]
    roads = [network.roads[i] for i in network.road_of_edge[kept]]
    classes = np.array([r.road_class for r in roads])
    length = shapely.length(edges)
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    edge, block = shapely.STRtree(blocks.metres).query(middle, predicate="dwithin", distance=2.0)
    size = shapely.area(blocks.metres)
    lived = np.bincount(edge, weights=blocks.households[block], minlength=len(edges))
    ground = np.bincount(edge, weights=size[block], minlength=len(edges))
    per_ha = lived / np.maximum(ground, 1.0) * 1e4
    trade = np.bincount(edge, weights=np.isin(blocks.uses[block], ["mall", "hospital", "campus"]), minlength=len(edges))
    by_class = {
        "shops": {"main": 1.6, "secondary": 1.4, "local": 0.8, "path": 0.4},
        "roads": {"main": 3.0, "secondary": 1.5, "local": 0.5, "path": 0.02},
    }
    luck = rng.lognormal(0, 0.55, len(edges))
    # Streets are denser where people are; the crowd grows less than the number of homes does.
    draw = {
        "homes": length * luck * (6 + per_ha) ** 0.35,
        "shops": length * luck * (6 + per_ha) ** 0.25 * (1 + 0.6 * trade) * [by_class["shops"][c] for c in classes],
        "roads": length * luck * [by_class["roads"][c] for c in classes],
    }
    density = np.minimum(1.0, np.sqrt(ground / 8e4))
    return Where(
        edges,
        np.array([r.name_zh for r in roads], dtype=object),
        {kind: np.asarray(values) * density / (values * density).sum() for kind, values in draw.items()},
    )


def along_streets(
    where: Where, kind: str, n: int, rng: np.random.Generator, *, inset_m: tuple[float, float] = (2.0, 16.0)
) -> tuple[np.ndarray, np.ndarray]:
    """Return n places (n, 2) beside streets, EPSG:4549, and the edge of each."""
    edge = rng.choice(len(where.edges), n, p=where.draw[kind])
    at = rng.random(n)
    lines = where.edges[edge]
    on = shapely.get_coordinates(shapely.line_interpolate_point(lines, at, normalized=True))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, np.minimum(at + 0.02, 1), normalized=True))
    behind = shapely.get_coordinates(shapely.line_interpolate_point(lines, np.maximum(at - 0.02, 0), normalized=True))
    along = ahead - behind
    right = np.column_stack([along[:, 1], -along[:, 0]]) / np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    side = rng.choice([-1.0, 1.0], n)
    return on + right * (side * rng.uniform(*inset_m, n))[:, None], edge


def _usual(n: int, where: Where, rng: np.random.Generator) -> pd.DataFrame:
    share = np.array([c["share"] for c in CATEGORIES.values()], dtype=float)
    parts = []
    for (name, category), count in zip(CATEGORIES.items(), rng.multinomial(n, share / share.sum()), strict=True):
        xy, edge = along_streets(where, category["where"], int(count), rng)
        origins = category["origins"]
        origin = rng.choice(list(origins), count, p=list(origins.values()))
        parts.append(
            pd.DataFrame({"category": name, "origin": origin, "x": xy[:, 0], "y": xy[:, 1], "edge": edge, "spot": ""})
        )
    return pd.concat(parts, ignore_index=True)


def _planted(name: str, spot: dict[str, Any], where: Where, rng: np.random.Generator) -> pd.DataFrame:
    """Return the extra events of a hotspot, each beside the street nearest to its drawn place."""
    xy = place(*spot["board"])[0] + rng.normal(0, spot["sigma_m"], (spot["extra"], 2))
    share = np.array(list(spot["categories"].values()), dtype=float)
    tree = shapely.STRtree(where.edges)
    edge = tree.nearest(shapely.points(xy))
    lines = where.edges[edge]
    on = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, shapely.points(xy)))
    )
    away = xy - on
    far = np.maximum(np.hypot(*away.T), 1e-9)
    near = on + away * (np.minimum(far, 4 + 0.35 * far) / far)[:, None]
    return pd.DataFrame(
        {
            "category": rng.choice(list(spot["categories"]), spot["extra"], p=share / share.sum()),
            "origin": spot["origin"],
            "x": near[:, 0],
            "y": near[:, 1],
            "edge": edge,
            "spot": name,
        }
    )


def _out_of_water(events: pd.DataFrame, dry: shapely.Geometry, where: Where) -> pd.DataFrame:
    """Return the events with those in the water, or beyond the border, pulled back onto their street: a bridge."""
    shapely.prepare(dry)
    wet = np.flatnonzero(~shapely.contains_xy(dry, events["x"], events["y"]))
    points, lines = shapely.points(events[["x", "y"]].to_numpy()[wet]), where.edges[events["edge"].to_numpy()[wet]]
    bridge = shapely.line_interpolate_point(lines, shapely.line_locate_point(lines, points))
    events.loc[wet, ["x", "y"]] = shapely.get_coordinates(bridge)
    return events


def _dated(events: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Add occurred_at, occurred_until_at and reported_at (UTC) by the rhythm of each category."""
    days = pd.date_range(FIRST_DAY, LAST_DAY, tz=TIME_ZONE)
    midnight = np.asarray((days - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(minutes=1))
    months = days.strftime("%Y-%m")
    # Weather and chance move a whole day up or down, for all categories alike.
    mood = rng.lognormal(0, 0.07, len(days))
    occurred, until, reported = (np.zeros(len(events), dtype=np.int64) for _ in range(3))
    for (name, spot), rows in sorted(events.groupby(["category", "spot"]).indices.items()):
        rhythm, n = CATEGORIES[name], len(rows)
        first, last = HOTSPOTS[spot]["months"] if spot else (months[0], months[-1])
        weight = mood * _day_weights(days, rhythm) * np.asarray((months >= first) & (months <= last))
        day = rng.choice(len(days), n, p=weight / weight.sum())
        occurred[rows] = midnight[day] + _minutes(n, rhythm, days[day], rng)
        spans = rng.random(n) < rhythm["span"]
        span = np.where(spans, np.maximum(15, rng.lognormal(np.log(SPAN_MIN), 0.6, n)), 0).round()
        until[rows] = occurred[rows] + span
        delay = np.maximum(1, rng.lognormal(np.log(rhythm["delay_min"]), 0.9, n).round())
        reported[rows] = until[rows] + delay
    return events.assign(
        occurred_at=_instants(occurred),
        occurred_until_at=pd.Series(_instants(until)).where(until > occurred),
        reported_at=_instants(reported),
    )


def _instants(minutes: np.ndarray) -> pd.DatetimeIndex:
    return pd.DatetimeIndex((minutes * 60_000).view("datetime64[ms]"), tz="UTC")


def _day_weights(days: pd.DatetimeIndex, rhythm: dict[str, Any]) -> np.ndarray:
    years = (days - days[0]) / pd.Timedelta(days=365.25)
    week, year = np.array(rhythm["week"]), np.array(rhythm["year"])
    return np.asarray(week[days.day_of_week] * year[days.month - 1] * rhythm["trend"] ** years.to_numpy())


def _minutes(n: int, rhythm: dict[str, Any], days: pd.DatetimeIndex, rng: np.random.Generator) -> np.ndarray:
    """Return the minute of the day (n,) of events; weekend nights are later."""
    profile = np.array(HOURS[rhythm["hours"]], dtype=float)
    hour = rng.choice(24, n, p=profile / profile.sum())
    weekend = np.asarray(days.day_of_week >= 5)  # noqa: PLR2004 - Saturday and Sunday
    stays = weekend & (hour >= 20) & (rng.random(n) < 0.25)  # noqa: PLR2004 - from eight in the evening
    hour = np.where(stays, (hour + 3) % 24, hour)
    minute = np.where(rng.random(n) < FULL_HOUR_SHARE, 0, rng.integers(0, 60, n))
    return np.asarray(hour * 60 + minute)


def _placed(events: pd.DataFrame, grids: gpd.GeoDataFrame, where: Where, rng: np.random.Generator) -> pd.DataFrame:
    """Add lon and lat, the grid the event was filed in and its address; pull places outside back into the city."""
    lonlat = points_in_degrees(events[["x", "y"]].to_numpy())
    grid = _grid_at(grids, lonlat)
    areas = grids.geometry.to_numpy()
    for step in (0.05, 1.0):
        lost = np.flatnonzero(grid < 0)
        home = areas[shapely.STRtree(areas).nearest(shapely.points(lonlat[lost]))]
        border = shapely.get_point(shapely.shortest_line(home, shapely.points(lonlat[lost])), 0)
        border, inward = shapely.get_coordinates(border), shapely.get_coordinates(shapely.point_on_surface(home))
        lonlat[lost] = np.round(border + step * (inward - border), DECIMALS)
        grid[lost] = _grid_at(grids, lonlat[lost])
    number = rng.integers(1, 260, len(events)).astype(str).astype(object)
    return events.assign(
        lon=lonlat[:, 0],
        lat=lonlat[:, 1],
        grid_code=grids["code"].to_numpy()[grid],
        address=where.names[events["edge"].to_numpy()] + number + "号",
    )


def _grid_at(grids: gpd.GeoDataFrame, lonlat: np.ndarray) -> np.ndarray:
    point, area = shapely.STRtree(grids.geometry.to_numpy()).query(shapely.points(lonlat), predicate="intersects")
    found = np.full(len(lonlat), -1)
    found[point[::-1]] = area[::-1]
    return found


def _framed(events: pd.DataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    chance = events["category"].map(WITHHELD).fillna(0.0).to_numpy()
    withheld = (rng.random(len(events)) < chance) & (events["spot"] == "").to_numpy()
    points = shapely.points(np.round(events[["lon", "lat"]].to_numpy(), DECIMALS))
    points[withheld] = None
    table = pd.DataFrame(
        {
            "source_id": [f"I{i:06d}" for i in range(1, len(events) + 1)],
            "occurred_at": events["occurred_at"],
            "occurred_until_at": events["occurred_until_at"],
            "reported_at": events["reported_at"],
            "category": events["category"],
            "origin": events["origin"],
            "grid_code": events["grid_code"].where(~withheld, None),
            "address": events["address"].where(~withheld, None),
            "location_withheld": withheld,
        }
    )
    return frame(table, points)


def _truth(name: str, spot: dict[str, Any], events: pd.DataFrame) -> dict[str, Any]:
    x, y = place(*spot["board"])[0]
    lon, lat = point_in_degrees(x, y)
    radius = spot["sigma_m"] * RADIUS_SIGMAS
    near = np.hypot(events["x"] - x, events["y"] - y) <= radius
    extra = events["spot"] == name
    return {
        "id": name,
        "name_zh": spot["name_zh"],
        "name_en": spot["name_en"],
        "kind": spot["kind"],
        "lon": lon,
        "lat": lat,
        "radius_m": round(radius),
        "categories": list(spot["categories"]),
        "origin": spot["origin"],
        "first_month": spot["months"][0],
        "last_month": spot["months"][1],
        "extra_count": int(extra.sum()),
        "extra_within_radius_count": int((extra & near).sum()),
        "all_within_radius_count": int(near.sum()),
    }
