"""The drawn part of the demo city: moat, canals and main roads. Everything smaller is grown by rules.

All of it is invented, only the shape (a walled rectangle of canals inside a moat, "water and land side by side") is
that of the old town. Places are given on the drawing board of `ground.place`, in metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely.ops import substring

from data.synth.ground import place

MOAT_HALF_WIDTH_M, MOAT_HALF_HEIGHT_M, MOAT_CORNER_M = 1550.0, 2250.0, 420.0
BANK_M = 45.0
"""From the middle of the moat to the road on its bank."""
MOAT_WATER_M, GRAND_CANAL_WATER_M, GRAND_CANAL_BANK_M = 27.0, 34.0, 58.0

MAIN_LONG_M = (-5300, -4500, -3300, -1150, 0, 1150, 3050, 4100, 5200)
"""`t` of the main roads along the axis."""
MAIN_CROSS_M = (
    (-10500, None), (-9350, None), (-8150, None), (-7000, None), (-5900, None), (-4800, 1150), (-3950, 3050),
    (-2650, None), (-520, None), (560, None), (2450, None),
)  # fmt: skip
"""`s` of the main roads across the axis, and the `t` of the long road where they end; they converge in the north."""

LAKE_PARK = (-7560, 2050)
GRAND_CANAL = ((-13000, 620), (-4700, 560), (-3500, 100), (-3250, -2300), (-2300, -3800), (4500, -3950))


@dataclass(frozen=True, slots=True)
class Road:
    """A line of the network: a road of a class, with its names."""

    line: shapely.LineString
    road_class: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Canal:
    """A canal with a street along it, from one point of the board to the next."""

    path: tuple[tuple[float, float], ...]
    width_m: float
    name_zh: str
    name_en: str


CANALS = (
    Canal(((-1040, -2205), (-1075, -700), (-1010, 900), (-1040, 2205)), 11, "柳桥河", "Liuqiao Canal"),
    Canal(((1060, -2205), (1020, -500), (1085, 1000), (1060, 2205)), 12, "平塘河", "Pingtang Canal"),
    Canal(((-1505, 1700), (-300, 1745), (600, 1690), (1505, 1720)), 10, "北塘河", "Beitang Canal"),
    Canal(((-1505, 610), (0, 570), (1505, 625)), 9, "中市河", "Zhongshi Canal"),
    Canal(((-1505, -590), (0, -640), (1505, -600)), 9, "书院河", "Shuyuan Canal"),
    Canal(((-1505, -1720), (-200, -1690), (1505, -1740)), 10, "南园河", "Nanyuan Canal"),
    Canal(((-1595, 1450), (-2600, 2250), (-4200, 2500), (-6200, 2200)), 18, "七里河", "Qili Canal"),
    Canal(((-1595, -1600), (-2400, -1750), (-3200, -1700)), 18, "西津河", "Xijin Canal"),
    Canal(((1595, 300), (2200, 420), (3200, 500)), 18, "东津河", "Dongjin Canal"),
    Canal(((100, 2295), (60, 3600), (200, 5200)), 18, "元和河", "Yuanhe Canal"),
    Canal(((150, -2295), (60, -3200), (120, -3890)), 18, "南门河", "Nanmen Canal"),
)


def moat(offset_m: float) -> shapely.Polygon:
    """Return the area inside the moat's middle line moved outwards by `offset_m`."""
    width, height = MOAT_HALF_WIDTH_M - MOAT_CORNER_M, MOAT_HALF_HEIGHT_M - MOAT_CORNER_M
    core = shapely.segmentize(shapely.box(-width, -height, width, height), 200.0)
    ring = shapely.get_coordinates(core.buffer(MOAT_CORNER_M + offset_m, quad_segs=6))
    # The wall follows older water: a gentle swell keeps it from being a ruler's rectangle.
    swell = 1 + 0.025 * np.sin(ring[:, 0] / 610 + 1.0) * np.cos(ring[:, 1] / 830)
    return shapely.Polygon(place(ring[:, 0] * swell, ring[:, 1] * swell))


def grand_canal() -> shapely.LineString:
    """Return the middle line of the wide canal that passes west and south of the old town."""
    return shapely.LineString(_smooth(_on_board(GRAND_CANAL)))


def main_lines() -> list[shapely.LineString]:
    """Return the main roads, not yet cut to the outline; the long ones first."""
    s, t = np.arange(-13000.0, 5001.0, 75.0), np.arange(-7000.0, 7001.0, 75.0)
    long = [shapely.LineString(place(s, at + _wobble(s, at))) for at in MAIN_LONG_M]
    cross = []
    for at, end in MAIN_CROSS_M:
        line = shapely.LineString(place(at + _wobble(t, at), t))
        if end is not None:
            meet = line.intersection(long[MAIN_LONG_M.index(end)])
            line = substring(line, 0.0, line.project(meet))
        cross.append(line)
    return long + cross


def lake_park() -> tuple[shapely.Polygon, shapely.Polygon]:
    """Return a large park and the lake in it."""
    around = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    swell = 1 + 0.12 * np.sin(2 * around + 0.6) + 0.07 * np.sin(3 * around)
    rings = []
    for radius, lobes in ((430.0, 0.0), (260.0, 0.16)):
        reach = radius * swell * (1 + lobes * np.sin(5 * around))
        s, t = LAKE_PARK
        rings.append(shapely.Polygon(place(s + 1.25 * reach * np.cos(around), t + reach * np.sin(around))))
    return rings[0], rings[1]


def canal_line(canal: Canal) -> shapely.LineString:
    """Return the street that follows a canal."""
    return shapely.LineString(_smooth(_on_board(canal.path)))


def canal_water(street: shapely.LineString, width_m: float) -> shapely.Polygon:
    """Return the water beside a canal street, long enough to reach the water at both ends."""
    xy = shapely.get_coordinates(street)
    first, last = xy[0] - xy[1], xy[-1] - xy[-2]
    ends = (xy[0] + first * 40 / np.hypot(*first), xy[-1] + last * 40 / np.hypot(*last))
    longer = shapely.LineString(np.vstack([ends[0], xy, ends[1]]))
    return shapely.offset_curve(longer, width_m / 2 + 7).buffer(width_m / 2, cap_style="flat")


def _on_board(path: tuple[tuple[float, float], ...]) -> np.ndarray:
    board = shapely.get_coordinates(shapely.segmentize(shapely.LineString(path), 400.0))
    return place(board[:, 0], board[:, 1])


def _smooth(xy: np.ndarray, rounds: int = 3) -> np.ndarray:
    """Round the corners of a path (Chaikin), its ends staying where they are."""
    for _ in range(rounds):
        near, far = 0.75 * xy[:-1] + 0.25 * xy[1:], 0.25 * xy[:-1] + 0.75 * xy[1:]
        xy = np.vstack([xy[:1], np.stack([near, far], axis=1).reshape(-1, 2)[1:-1], xy[-1:]])
    return xy


def _wobble(along: np.ndarray, at: float) -> np.ndarray:
    return np.asarray(28 * np.sin(along / 640 + at) + 16 * np.sin(along / 270 + 2 * at))
