"""The nested areas: blocks in grids in communities in streets in the district, and grids in beats.

Only blocks are drawn. Every other area is an exact union of them, so all levels are coverages and nest without a gap.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from data.synth import regions
from data.synth.blocks import Blocks
from data.synth.ground import LONLAT, Ground, to_metres

STREET_SEEDS = {
    "320508017": (120.551, 31.357),
    "320508018": (120.6290, 31.3200),
    "320508019": (120.5915, 31.3185),
    "320508020": (120.6040, 31.2985),
    "320508021": (120.6330, 31.2995),
    "320508022": (120.5790, 31.3400),
    "320508023": (120.6170, 31.3420),
    "320508024": (120.6080, 31.2790),
}
"""An invented middle of each street-level unit, roughly where the real one lies."""

GRID_HOUSEHOLDS = 300
DEDICATED = {"campus": ("学校", "campus"), "hospital": ("医院", "hospital"), "mall": ("商业", "shopping centre"),
             "industry": ("园区", "industrial park"), "park": ("公园", "park")}  # fmt: skip
DEDICATED_FROM_M2 = 55_000.0
GRIDS_PER_BEAT = 8
BLOCK_LOAD = 12
"""Load of a block without households, so that parks and water count for something."""
IN_FORCE_FROM = "2023-01-01"


@dataclass(frozen=True, slots=True)
class Division:
    """Who belongs to whom, by position.

    Attributes
    ----------
    street, community, grid : (n,)
        Of each block.
    uses : (g,)
        The single use of a dedicated grid, ``""`` of a comprehensive one.
    beat : (g,)
        Of each grid.
    """

    street: np.ndarray
    community: np.ndarray
    grid: np.ndarray
    uses: list[str]
    beat: np.ndarray


def build(ground: Ground, blocks: Blocks, rng: np.random.Generator) -> dict[str, gpd.GeoDataFrame]:
    """Divide the blocks level by level, union them upwards and return the frame of every level."""
    division = _divide(ground, blocks, rng)
    frames = {**_upper_frames(ground, blocks, division), **_grid_frames(ground, blocks, division)}
    codes = frames["grids"]["code"].to_numpy()[division.grid]
    return {**frames, "blocks": _block_frame(ground, blocks, division.community, codes)}


def _divide(ground: Ground, blocks: Blocks, rng: np.random.Generator) -> Division:
    load = blocks.households + float(BLOCK_LOAD)
    street = _streets(ground, blocks, load)
    community = _communities(ground, blocks, load, street, rng)
    grid, uses = _grids(blocks, community, rng)
    return Division(street, community, grid, uses, _beats(blocks, street, community, grid, rng))


def union(areas: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return the union of the areas of each group 0..k-1; shared corners stay."""
    order = np.argsort(group, kind="stable")
    cuts = np.flatnonzero(np.diff(group[order])) + 1
    return np.array([shapely.coverage_union_all(part) for part in np.split(areas[order], cuts)], dtype=object)


def reading_order(xy: np.ndarray, rows: int) -> np.ndarray:
    """Return the order of places (n, 2) by rows from north to south, each read from west to east."""
    if len(xy) == 0:
        return np.zeros(0, dtype=int)
    top, height = xy[:, 1].max(), np.ptp(xy[:, 1])
    row = np.floor((top - xy[:, 1]) / (height / rows + 1e-9))
    return np.lexsort((xy[:, 0], row))


def _streets(ground: Ground, blocks: Blocks, load: np.ndarray) -> np.ndarray:
    seeds = []
    for code in ground.streets["code"]:
        x, y = shapely.get_coordinates(to_metres(shapely.Point(STREET_SEEDS[code])))[0]
        seeds.append(int(np.argmin(np.hypot(*(blocks.middles - (x, y)).T))))
    share = ground.communities["street_code"].value_counts().loc[ground.streets["code"]].to_numpy(float)
    # A border between streets keeps to main roads and water more strictly than the smaller ones do.
    rows, cols = blocks.graph.nonzero()
    away = np.hypot(*(blocks.middles[rows] - blocks.middles[cols]).T)
    cost = np.asarray(blocks.graph[rows, cols])
    firm = sparse.csr_array((cost * (cost / away) ** 1.5, (rows, cols)), shape=blocks.graph.shape)
    return regions.grow(firm, load, share, np.array(seeds))


def _communities(
    ground: Ground, blocks: Blocks, load: np.ndarray, street: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    community = np.zeros(len(street), dtype=int)
    for i, code in enumerate(ground.streets["code"]):
        mine = np.flatnonzero(street == i)
        rows = np.flatnonzero(ground.communities["street_code"] == code)
        share = rng.lognormal(0, 0.22, len(rows))
        part = regions.divide(blocks.graph[mine][:, mine], blocks.middles[mine], load[mine], share, rng)
        middles = _group_means(blocks.middles[mine], part, len(rows))
        place = np.argsort(reading_order(middles, max(1, round(np.sqrt(len(rows))))))
        community[mine] = rows[place[part]]
    return community


def _grids(blocks: Blocks, community: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, list[str]]:
    """Return the grid (n,) of each block, numbered in the order of codes, and each grid's use: ``""`` when mixed."""
    grid, uses, count = np.zeros(len(community), dtype=int), [], 0
    size = shapely.area(blocks.metres)
    for i in range(community.max() + 1):
        mine = np.flatnonzero(community == i)
        local, kinds = _grids_of(blocks, mine, size[mine], rng)
        middles = _group_means(blocks.middles[mine], local, len(kinds))
        order = reading_order(middles, max(1, round(np.sqrt(len(kinds)))))
        grid[mine] = count + np.argsort(order)[local]
        uses += [kinds[j] for j in order]
        count += len(kinds)
    return grid, uses


def _grids_of(
    blocks: Blocks, mine: np.ndarray, size: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, list[str]]:
    graph = blocks.graph[mine][:, mine]
    rest = np.ones(len(mine), dtype=bool)
    alone = []
    for block in np.argsort(-size, kind="stable"):
        use = blocks.uses[mine[block]]
        if use in DEDICATED and size[block] >= DEDICATED_FROM_M2:
            rest[block] = False
            inside = graph[rest][:, rest]
            if rest.any() and csgraph.connected_components(inside, directed=False)[0] == 1:
                alone.append(int(block))
            else:
                rest[block] = True
    # Divisions made by people are not even: some grids are known to be too large or too small.
    wanted = blocks.households[mine][rest].sum() / GRID_HOUSEHOLDS * rng.lognormal(0, 0.16)
    k = int(np.clip(round(wanted), 1, rest.sum()))
    load = blocks.households[mine][rest] + 4.0
    part = regions.divide(graph[rest][:, rest], blocks.middles[mine][rest], load, rng.lognormal(0, 0.25, k), rng)
    grid = np.zeros(len(mine), dtype=int)
    grid[rest] = part
    grid[alone] = part.max() + 1 + np.arange(len(alone))
    return grid, [""] * (part.max() + 1) + [str(blocks.uses[mine[b]]) for b in alone]


def _beats(
    blocks: Blocks,
    street: np.ndarray,
    community: np.ndarray,
    grid: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return the beat (g,) of each grid; a beat stays in one street."""
    n = grid.max() + 1
    middles = _group_means(blocks.middles, grid, n)
    first = np.unique(grid, return_index=True)[1]
    street_of, community_of = street[first], community[first]
    rows, cols = blocks.graph.nonzero()
    a, b = grid[rows], grid[cols]
    pairs = np.unique(np.column_stack([a, b])[a != b], axis=0)
    far = np.hypot(*(middles[pairs[:, 0]] - middles[pairs[:, 1]]).T)
    far = far * np.where(community_of[pairs[:, 0]] == community_of[pairs[:, 1]], 1.0, 2.0)
    graph = sparse.csr_array((far, (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    beat, count = np.zeros(n, dtype=int), 0
    for i in range(street.max() + 1):
        mine = np.flatnonzero(street_of == i)
        k = max(1, round(len(mine) / GRIDS_PER_BEAT))
        part = regions.divide(graph[mine][:, mine], middles[mine], np.ones(len(mine)), np.ones(k), rng)
        place = np.argsort(reading_order(_group_means(middles[mine], part, k), max(1, round(np.sqrt(k)))))
        beat[mine] = count + place[part]
        count += k
    return beat


def _group_means(xy: np.ndarray, group: np.ndarray, k: int) -> np.ndarray:
    size = np.bincount(group, minlength=k)
    return np.column_stack([np.bincount(group, weights=xy[:, i], minlength=k) / size for i in (0, 1)])


def _upper_frames(ground: Ground, blocks: Blocks, division: Division) -> dict[str, gpd.GeoDataFrame]:
    whole = pd.DataFrame([{"source_id": ground.district["code"], **ground.district}])
    streets = ground.streets.assign(source_id=ground.streets["code"], district_code=ground.district["code"])
    communities = ground.communities.assign(source_id=ground.communities["code"])
    return {
        "districts": frame(whole, union(blocks.areas, np.zeros(len(division.street), dtype=int))),
        "streets": frame(streets, union(blocks.areas, division.street)),
        "communities": frame(communities, union(blocks.areas, division.community)),
    }


def _grid_frames(ground: Ground, blocks: Blocks, division: Division) -> dict[str, gpd.GeoDataFrame]:
    grid, beat = division.grid, division.beat
    first = np.unique(grid, return_index=True)[1]
    owner = ground.communities.iloc[division.community[first]].reset_index(drop=True)
    serial = owner.groupby("code").cumcount() + 1
    code = owner["code"] + serial.astype(str).str.zfill(3)
    dedicated = np.array(division.uses) != ""
    label = pd.DataFrame([DEDICATED.get(u, ("", "")) for u in division.uses], columns=["zh", "en"])
    households = np.bincount(grid, weights=blocks.households).astype(int)
    beats = _beat_frame(ground, division.street[first], beat)
    grids = pd.DataFrame(
        {
            "source_id": code + "@" + IN_FORCE_FROM,
            "code": code,
            "community_code": owner["code"],
            "beat_code": beats["code"].to_numpy()[beat],
            "kind": np.where(dedicated, "dedicated", "comprehensive"),
            "name_zh": owner["name_zh"]
            + label["zh"]
            + np.where(dedicated, "专属", "")
            + "第"
            + serial.astype(str)
            + "网格",
            "name_en": owner["name_en"] + np.where(dedicated, " " + label["en"], "") + " grid " + serial.astype(str),
            "households_count": households,
            "positions_count": np.where(households > 1.5 * GRID_HOUSEHOLDS, 2, 1),
            "valid_from": pd.Timestamp(IN_FORCE_FROM).date(),
        }
    )
    areas = union(blocks.areas, grid)
    return {"grids": frame(grids, areas), "beats": frame(beats, union(areas, beat))}


def _beat_frame(ground: Ground, street_of_grid: np.ndarray, beat: np.ndarray) -> pd.DataFrame:
    first = np.unique(beat, return_index=True)[1]
    owner = ground.streets.iloc[street_of_grid[first]].reset_index(drop=True)
    serial = owner.groupby("code").cumcount() + 1
    code = owner["code"] + "J" + serial.astype(str).str.zfill(2)
    return pd.DataFrame(
        {
            "source_id": code,
            "code": code,
            "name_zh": owner["name_zh"].str.removesuffix("街道") + "第" + serial.astype(str) + "警格",
            "name_en": owner["name_en"].str.removesuffix(" Subdistrict") + " beat " + serial.astype(str),
        }
    )


def _block_frame(ground: Ground, blocks: Blocks, community: np.ndarray, grid_codes: np.ndarray) -> gpd.GeoDataFrame:
    serial = np.zeros(len(community), dtype=int)
    for i in range(community.max() + 1):
        mine = np.flatnonzero(community == i)
        order = reading_order(blocks.middles[mine], max(1, round(np.sqrt(len(mine)))))
        serial[mine[order]] = np.arange(1, len(mine) + 1)
    owner = ground.communities["code"].to_numpy()[community]
    code = pd.Series(owner) + pd.Series(serial).astype(str).str.zfill(2)
    table = pd.DataFrame(
        {
            "source_id": code,
            "code": code,
            "community_code": owner,
            "grid_code": grid_codes,
            "households_count": blocks.households,
            "residents_count": blocks.residents,
        }
    )
    return frame(table, blocks.areas)


def frame(table: pd.DataFrame, geometry: np.ndarray) -> gpd.GeoDataFrame:
    """Return a frame in EPSG:4326."""
    return gpd.GeoDataFrame(table, geometry=gpd.array.from_shapely(geometry), crs=LONLAT)
