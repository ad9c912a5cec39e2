"""Blocks in metres with the graph of their borders: what every plan is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from gis.city.frames import BLOCKS
from gis.errors import Conflict, FrameMismatch, NotFound, Problem
from gis.kernels.block_graph import BlockGraph, Bools, Floats, Ints, block_graph
from gis.plans.ground import NO_GROUND, Ground, Shapes, borders_between, closed_borders, water_blocks

AREA_SLACK = 1e-6
"""Share by which the sum of all areas may differ from the area of their union."""
MOST_NAMED = 20
"""How many places of a broken coverage are named."""


@dataclass(frozen=True, slots=True)
class BlockRow:
    """One block by itself, as a change of blocks keeps it.

    Attributes
    ----------
    wkb
        Its shape in metres.
    """

    code: str
    community_code: str
    wkb: bytes
    households_count: int
    residents_count: int

    @property
    def shape(self) -> BaseGeometry:
        """The shape in metres."""
        return shapely.from_wkb(self.wkb)


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """The blocks (n,) of a city, in the order of their codes.

    Attributes
    ----------
    codes, communities : (n,)
        Of each block; ``""`` for a block that names no community.
    shapes : (n,)
        Areas in metres, a valid coverage.
    households, residents : (n,)
    watery : (n,)
        Blocks that are mostly water: they belong to a grid, and join nothing.
    graph
        All borders.
    open_graph
        Borders that a grid may reach across: inside a community, over no barrier.
    cost_graph
        The same with preferred borders shortened: what a good plan keeps short.
    crs
        Of the shapes.
    ground
        Water and roads that closed some borders.
    """

    codes: Shapes
    communities: Shapes
    shapes: Shapes
    households: Ints
    residents: Ints
    watery: Bools
    graph: BlockGraph
    open_graph: BlockGraph
    cost_graph: BlockGraph
    crs: str
    ground: Ground
    place: Mapping[str, int] = field(repr=False)

    def __len__(self) -> int:
        return len(self.codes)

    def positions(self, codes: Sequence[str]) -> Ints:
        """Return where blocks (k,) stand; `NotFound` names those that do not exist."""
        unknown = [code for code in codes if code not in self.place]
        if unknown:
            raise NotFound(
                f"no such block: {', '.join(unknown[:MOST_NAMED])}",
                zh=f"没有单元网格 {'、'.join(unknown[:MOST_NAMED])}",
            )
        return np.array([self.place[code] for code in codes], dtype=np.int64)

    def row(self, code: str) -> BlockRow:
        """Return one block by itself."""
        i = int(self.positions([code])[0])
        return BlockRow(
            code=code,
            community_code=str(self.communities[i]),
            wkb=shapely.to_wkb(self.shapes[i]),
            households_count=int(self.households[i]),
            residents_count=int(self.residents[i]),
        )

    def changed(self, changes: Sequence[tuple[BlockRow | None, BlockRow | None]]) -> Blocks:
        """Return the blocks after changes, each from a row (None: it is new) to a row (None: it goes).

        Raises
        ------
        Conflict
            A block is not what the change begins with.
        FrameMismatch
            The blocks would overlap or leave a gap.
        """
        gone = [old for old, _ in changes if old is not None]
        stale = [old.code for old in gone if old.code not in self.place or self.row(old.code) != old]
        kept = np.ones(len(self), bool)
        kept[[self.place[old.code] for old in gone if old.code in self.place]] = False
        new = [row for _, row in changes if row is not None]
        stale += [row.code for row in new if row.code in self.place and kept[self.place[row.code]]]
        if stale:
            raise Conflict(
                f"these blocks are no longer what they were: {', '.join(sorted(set(stale)))}",
                zh=f"这些单元网格已不是原来的样子：{'、'.join(sorted(set(stale)))}",
            )
        table = {
            "codes": np.concatenate([self.codes[kept], _objects([row.code for row in new])]),
            "communities": np.concatenate([self.communities[kept], _objects([row.community_code for row in new])]),
            "shapes": np.concatenate([self.shapes[kept], _objects([row.shape for row in new])]),
            "households": np.concatenate([self.households[kept], [row.households_count for row in new]]),
            "residents": np.concatenate([self.residents[kept], [row.residents_count for row in new]]),
        }
        _check_replacement([row.shape for row in gone], self, new)
        return _built(table, self.crs, self.ground)


def blocks_of(frame: gpd.GeoDataFrame, *, crs: str, ground: Ground = NO_GROUND) -> Blocks:
    """Return the blocks of the frame ``blocks``, checked.

    Parameters
    ----------
    frame
        Rows of the frame ``blocks``.
    crs
        The city's metric CRS.
    ground
        In the same CRS, see `gis.plans.ground.ground_of`.

    Raises
    ------
    FrameMismatch
        Names everything that is wrong: columns, codes that occur twice, blocks that overlap or leave gaps.
    """
    BLOCKS.check(frame)
    metric = frame.to_crs(crs)
    codes = metric["code"].astype(str)
    problems = []
    if (twice := codes.duplicated(keep=False)).any():
        rows = tuple(int(i) + 1 for i in np.flatnonzero(twice)[:5])
        problems.append(
            Problem(
                "not_unique",
                "a block's code occurs more than once",
                "code",
                rows,
                int(twice.sum()),
                zh="单元网格编码重复",
            )
        )
    shapes = shapely.force_2d(metric.geometry.to_numpy())
    problems += coverage_problems(shapes, codes.to_numpy(object))
    if problems:
        raise FrameMismatch(f"blocks: {len(problems)} problem(s)", problems, zh=f"单元网格有 {len(problems)} 处问题")
    table = {
        "codes": codes.to_numpy(object),
        "communities": _column(metric, "community_code", "").to_numpy(object),
        "shapes": shapes,
        "households": _column(metric, "households_count", 0).to_numpy(np.int64),
        "residents": _column(metric, "residents_count", 0).to_numpy(np.int64),
    }
    return _built(table, crs, ground)


def coverage_problems(shapes: Shapes, codes: Shapes, *, gap_width_m: float = 0.0) -> list[Problem]:
    """Return what keeps areas (n,) from being a coverage: overlaps, borders that do not match, gaps.

    Validity is GEOS's, which sees every pair of borders that does not match, and gaps narrower than `gap_width_m`; the
    areas must add up to the area of their union besides.
    """
    edges = shapely.coverage_invalid_edges(shapes, gap_width=gap_width_m)
    broken = np.flatnonzero(~shapely.is_empty(edges))
    if broken.size:
        named = ", ".join(str(codes[i]) for i in broken[:MOST_NAMED])
        why = (
            f"borders overlap or do not match corner for corner at {named}; mend them where they were drawn, or with "
            "shapely.coverage_clean"
        )
        return [
            Problem(
                "no_coverage",
                why,
                "geometry",
                tuple(int(i) + 1 for i in broken[:5]),
                broken.size,
                zh=f"边界重叠或角点不一致：{named}",
            )
        ]
    parts, whole = float(shapely.area(shapes).sum()), float(shapely.area(shapely.coverage_union_all(shapes)))
    if abs(parts - whole) > AREA_SLACK * max(whole, 1.0):
        return [
            Problem(
                "areas_differ",
                f"areas add up to {parts:.1f} m², their union has {whole:.1f} m²",
                "geometry",
                zh=f"面积之和 {parts:.1f} 平方米，合并后为 {whole:.1f} 平方米",
            )
        ]
    return []


def _check_replacement(gone: list[BaseGeometry], blocks: Blocks, new: list[BlockRow]) -> None:
    """Raise unless new blocks fill exactly the area of those that go, and match the blocks around."""
    shapes = _objects([row.shape for row in new])
    around = blocks.shapes[shapely.STRtree(blocks.shapes).query(shapely.union_all(gone), predicate="intersects")]
    kept = _objects([s for s in around if not any(s.equals_exact(g, 0.0) for g in gone)])
    together = np.concatenate([shapes, kept])
    codes = _objects([*(row.code for row in new), *([""] * len(kept))])
    problems = (
        []
        if shapely.is_valid(shapes).all()
        else [Problem("invalid_geometry", "a block crosses itself", zh="单元网格自相交")]
    )
    problems = problems or coverage_problems(together, codes)
    before, after = shapely.area(shapely.union_all(gone)), shapely.area(shapes).sum()
    if not problems and abs(before - after) > AREA_SLACK * max(before, 1.0):
        problems.append(
            Problem(
                "areas_differ",
                f"{before:.1f} m² would become {after:.1f} m²",
                "geometry",
                zh=f"面积将由 {before:.1f} 变为 {after:.1f} 平方米",
            )
        )
    if problems:
        raise FrameMismatch("the blocks would no longer fit together", problems, zh="单元网格将无法无缝拼合")


def _built(table: Mapping[str, np.ndarray], crs: str, ground: Ground) -> Blocks:
    order = np.argsort(table["codes"], kind="stable")
    columns = {name: values[order] for name, values in table.items()}
    for values in columns.values():
        values.flags.writeable = False
    shapes = columns["shapes"]
    borders = borders_between(shapes, ground)
    area = shapely.area(shapes)
    shared = np.bincount(borders.ends.ravel(), np.repeat(borders.length_m, 2), minlength=len(shapes))
    outer = np.maximum(shapely.length(shapes) - shared, 0.0)
    graph = block_graph(borders.ends, borders.length_m, outer, area)
    watery = water_blocks(shapes, ground)
    closed = closed_borders(borders, columns["communities"], watery)
    open_graph = graph.without(closed)
    weight: Floats = 1.0 - (1.0 - ground.preferred_weight) * borders.preferred_share[~closed]
    return Blocks(
        **columns,
        watery=watery,
        graph=graph,
        open_graph=open_graph,
        cost_graph=open_graph.weighed(weight),
        crs=crs,
        ground=ground,
        place=MappingProxyType({code: i for i, code in enumerate(columns["codes"])}),
    )


def with_households(blocks: Blocks, households: Ints) -> Blocks:
    """Return the same blocks with other numbers of households (n,)."""
    return replace(blocks, households=households)


def _objects(values: Sequence[object]) -> Shapes:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _column(frame: gpd.GeoDataFrame, name: str, default: object) -> pd.Series:
    return frame[name].fillna(default) if name in frame.columns else pd.Series(default, index=frame.index)
