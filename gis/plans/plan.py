"""A plan: one whole assignment of blocks to grids, and what tells two of them apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from gis.city.frames import GRIDS
from gis.errors import Conflict, FrameMismatch, NotFound, Problem
from gis.kernels.block_graph import Bools, Floats, Ints
from gis.plans.graph import Blocks
from gis.plans.ground import Shapes

NONE = -1
"""The position of no grid: the block is not assigned."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A responsibility grid as a plan knows it; its shape follows from its blocks."""

    code: str
    community_code: str = ""
    kind: str = "comprehensive"
    beat_code: str = ""
    name_zh: str = ""
    name_en: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return plain JSON-ready values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Flip:
    """A block that changes hands; None is no grid, or no block yet, or no longer."""

    block: str
    old: str | None
    new: str | None

    def inverse(self) -> Flip:
        """Return the flip back."""
        return Flip(self.block, self.new, self.old)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Which grid each block belongs to.

    Attributes
    ----------
    codes : (n,)
        Of the blocks, in the order of `gis.plans.graph.Blocks`.
    grid : (n,)
        Position of each block's grid in `grids`, `NONE` for a block without one.
    grids : (k,)
        In the order of their codes.
    locked_grids, locked_blocks
        Codes of what nobody may change until it is unlocked.
    place
        Code of a block -> its position.

    Examples
    --------
    >>> plan = plan_of(["b1", "b2"], ["g1", "g2"], [Grid("g1"), Grid("g2")])
    >>> plan.apply([Flip("b1", "g1", "g2")]).assignment()
    {'b1': 'g2', 'b2': 'g2'}
    """

    codes: Shapes
    grid: Ints
    grids: tuple[Grid, ...]
    locked_grids: frozenset[str] = frozenset()
    locked_blocks: frozenset[str] = frozenset()
    place: Mapping[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.grid.flags.writeable = False

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        same = (self.grids, self.locked_grids, self.locked_blocks) == (
            other.grids,
            other.locked_grids,
            other.locked_blocks,
        )
        return same and np.array_equal(self.codes, other.codes) and np.array_equal(self.grid, other.grid)

    __hash__ = None  # type: ignore[assignment]

    @property
    def grids_count(self) -> int:
        """How many grids there are."""
        return len(self.grids)

    def position(self, grid: str) -> int:
        """Return where a grid stands; `NotFound` when there is none of that code."""
        # Grids are in the order of their codes.
        low, high = 0, len(self.grids)
        while low < high:
            middle = (low + high) // 2
            low, high = (middle + 1, high) if self.grids[middle].code < grid else (low, middle)
        if low == len(self.grids) or self.grids[low].code != grid:
            raise NotFound(f"no such grid: {grid}", zh=f"没有网格 {grid}")
        return low

    def blocks_in(self, grid: str) -> Ints:
        """Return the positions of the blocks of a grid."""
        return np.flatnonzero(self.grid == self.position(grid))

    def grid_of(self, block: str) -> str | None:
        """Return the code of a block's grid; `NotFound` when there is no such block."""
        if block not in self.place:
            raise NotFound(f"no such block: {block}", zh=f"没有单元网格 {block}")
        at = int(self.grid[self.place[block]])
        return None if at == NONE else self.grids[at].code

    def assignment(self) -> dict[str, str | None]:
        """Return block code -> grid code, None for a block without one."""
        names = [*(grid.code for grid in self.grids), None]
        return {str(code): names[at] for code, at in zip(self.codes, self.grid, strict=True)}

    def fixed(self) -> Bools:
        """Return which blocks (n,) a lock keeps where they are, their own or their grid's."""
        still = np.zeros(len(self.codes), bool)
        still[[self.place[code] for code in self.locked_blocks if code in self.place]] = True
        # The last one stands for no grid.
        return np.asarray(still | np.append(self.closed(), np.False_)[self.grid])

    def closed(self) -> Bools:
        """Return which grids (k,) are locked."""
        return np.array([grid.code in self.locked_grids for grid in self.grids], dtype=bool)

    def apply(self, flips: Iterable[Flip]) -> Plan:
        """Return the plan after blocks have changed hands.

        Raises
        ------
        Conflict
            A block is not where its flip says it comes from.
        NotFound
            There is no such block or grid.
        """
        new = self.grid.copy()
        stale: list[str] = []
        where: dict[str | None, int] = {None: NONE}
        for flip in flips:
            for code in (flip.old, flip.new):
                if code is not None and code not in where:
                    where[code] = self.position(code)
            if flip.block not in self.place:
                raise NotFound(f"no such block: {flip.block}", zh=f"没有单元网格 {flip.block}")
            at = self.place[flip.block]
            if new[at] != where[flip.old]:
                stale.append(flip.block)
            new[at] = where[flip.new]
        if stale:
            raise Conflict(
                f"these blocks have changed hands meanwhile: {', '.join(stale[:20])}",
                zh=f"这些单元网格已被改划：{'、'.join(stale[:20])}",
            )
        return replace(self, grid=new)

    def with_grids(self, grids: Iterable[Grid], renamed: Mapping[str, str] | None = None) -> Plan:
        """Return the plan with these grids; blocks of a grid that goes have none, or follow it to its new code."""
        ordered = tuple(sorted(grids, key=lambda grid: grid.code))
        if twice := {a.code for a, b in pairwise(ordered) if a.code == b.code}:
            raise Conflict(
                f"a grid of that code exists already: {', '.join(sorted(twice))}",
                zh=f"已有相同编码的网格：{'、'.join(sorted(twice))}",
            )
        to = renamed or {}
        at = {grid.code: i for i, grid in enumerate(ordered)}
        moved = np.array([*(at.get(to.get(grid.code, grid.code), NONE) for grid in self.grids), NONE], dtype=np.int64)
        locked = frozenset(to.get(code, code) for code in self.locked_grids) & at.keys()
        return replace(self, grid=moved[self.grid], grids=ordered, locked_grids=locked)


def plan_of(
    blocks: Sequence[str] | Shapes,
    grid_codes: Sequence[str | None] | Shapes,
    grids: Iterable[Grid],
    *,
    locked_grids: Iterable[str] = (),
    locked_blocks: Iterable[str] = (),
) -> Plan:
    """Return a plan from an assignment table: the grid code (n,) of each block, None or empty for none.

    Raises
    ------
    FrameMismatch
        A block names a grid that does not exist, or stands there twice.
    """
    ordered = tuple(sorted(grids, key=lambda grid: grid.code))
    at = {grid.code: i for i, grid in enumerate(ordered)}
    codes = np.array(blocks, dtype=object)
    order = np.argsort(codes, kind="stable")
    wanted = [None if code is None or code != code or code == "" else str(code) for code in grid_codes]  # noqa: PLR0124 - nan
    unknown = sorted({code for code in wanted if code is not None} - at.keys())
    problems = []
    if unknown:
        rows = tuple(i + 1 for i, code in enumerate(wanted) if code in set(unknown[:5]))[:5]
        problems.append(
            Problem(
                "unknown_grid",
                f"no such grid: {', '.join(unknown[:20])}",
                "grid_code",
                rows,
                zh=f"没有这些网格：{'、'.join(unknown[:20])}",
            )
        )
    if len(set(codes)) < len(codes):
        problems.append(Problem("not_unique", "a block is assigned more than once", "code", zh="单元网格被重复划分"))
    if len(at) < len(ordered):
        problems.append(Problem("not_unique", "a grid's code occurs more than once", "code", zh="网格编码重复"))
    if problems:
        raise FrameMismatch("this is no plan", problems, zh="这不是有效的方案")
    grid = np.array([NONE if code is None else at[code] for code in wanted], dtype=np.int64)
    codes = codes[order]
    codes.flags.writeable = False
    place = MappingProxyType({str(code): i for i, code in enumerate(codes)})
    return Plan(codes, grid[order], ordered, frozenset(locked_grids), frozenset(locked_blocks), place)


def current_plan(blocks: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> Plan:
    """Return the plan in force: the frames ``blocks``, whose `grid_code` assigns them, and ``grids`` that are in force.

    Blocks without a grid, or with one that has ended, have none in the plan.
    """
    GRIDS.check(grids)
    rows: list[dict[str, Any]] = grids.drop(columns="geometry").to_dict("records")
    fields = Grid.__slots__
    named = [Grid(**{name: _text(row.get(name)) for name in fields if _text(row.get(name))}) for row in rows]
    known = {grid.code for grid in named}
    own = [code if code in known else None for code in blocks["grid_code"]]
    return plan_of(blocks["code"].astype(str).to_numpy(object), own, named)


def diff(old: Plan, new: Plan) -> tuple[Flip, ...]:
    """Return the blocks that have another grid in `new` than in `old`, by code; blocks of one plan alone count, too."""
    if old.grids == new.grids and old.codes is new.codes:
        names = [*(grid.code for grid in old.grids), None]
        changed = np.flatnonzero(old.grid != new.grid)
        return tuple(Flip(str(old.codes[i]), names[old.grid[i]], names[new.grid[i]]) for i in changed)
    before, after = old.assignment(), new.assignment()
    every = sorted(before.keys() | after.keys())
    return tuple(Flip(b, before.get(b), after.get(b)) for b in every if before.get(b) != after.get(b))


def relabelled(grid: Ints, base: Ints, households: Floats, *, grids_count: int, base_count: int) -> Ints:
    """Return for each new grid (k,) the base grid that it continues, `NONE` for one that continues none.

    The matching keeps as many households as possible with their base grid, whichever way grids are numbered. A plan
    that was made from scratch can only then be compared with the plan in force.

    Parameters
    ----------
    grid, base : (n,)
        0 to `grids_count` - 1, and 0 to `base_count` - 1 or `NONE`.

    References
    ----------
    Kuhn (1955), Naval Research Logistics Quarterly 2, 83-97; on sparse matrices by Jonker and Volgenant's method.

    Examples
    --------
    >>> relabelled(np.array([0, 0, 1]), np.array([1, 1, 0]), np.ones(3), grids_count=2, base_count=2).tolist()
    [1, 0]
    """
    held = base >= 0
    # Blocks without households count a little: grids of parks continue, too.
    common = sparse.coo_array(
        (households[held] + 1e-6, (grid[held], base[held])), shape=(grids_count, base_count)
    ).tocsr()
    # Every new grid may continue a grid of its own that nobody wants.
    alone = sparse.diags_array(np.full(grids_count, 1e-9))
    padded = sparse.hstack([common, alone]).tocsr()
    rows, columns = csgraph.min_weight_full_bipartite_matching(padded, maximize=True)
    continued = np.full(grids_count, NONE)
    continued[rows] = np.where(columns < base_count, columns, NONE)
    return continued


def with_assignment(plan: Plan, grid: Ints) -> Plan:
    """Return the plan with another grid (n,) for each block."""
    return replace(plan, grid=np.array(grid, dtype=np.int64))


def aligned(blocks: Blocks, plan: Plan) -> None:
    """Raise `Conflict` unless a plan is made of exactly these blocks."""
    if blocks.codes is not plan.codes and not np.array_equal(blocks.codes, plan.codes):
        raise Conflict("the plan was made for other blocks", zh="方案对应的是另一套单元网格")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
