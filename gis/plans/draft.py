"""A draft: blocks and the plan made of them, changed by deltas that can be undone.

A delta says what was and what is, for blocks that change hands, for grids, for the blocks themselves and for locks.
Turned round it is the way back. It is plain data, so that a log of deltas is the history of a draft: undo and redo
survive whatever process made them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from gis.errors import Conflict
from gis.plans.graph import BlockRow, Blocks
from gis.plans.plan import NONE, Flip, Grid, Plan, aligned

_KIND_ZH = {"grid": "网格", "block": "单元网格"}


@dataclass(frozen=True, slots=True)
class Lock:
    """A grid or a block that is locked or unlocked."""

    kind: Literal["grid", "block"]
    code: str
    locked: bool


@dataclass(frozen=True, slots=True)
class Delta:
    """What changes from one draft to the next.

    Attributes
    ----------
    flips
        Blocks that change hands. A block that is new comes from no grid; one that goes, goes to none.
    grids
        (old, new) of each grid that changes; None for one that begins or ends.
    blocks
        (old, new) of each block whose shape or households change.
    locks
        What is locked or unlocked; it was the other way before.
    renamed
        (old, new) code of each grid that keeps its blocks under another code.
    """

    flips: tuple[Flip, ...] = ()
    grids: tuple[tuple[Grid | None, Grid | None], ...] = ()
    blocks: tuple[tuple[BlockRow | None, BlockRow | None], ...] = ()
    locks: tuple[Lock, ...] = ()
    renamed: tuple[tuple[str, str], ...] = ()

    def inverse(self) -> Delta:
        """Return the way back.

        Examples
        --------
        >>> there = Delta(flips=(Flip("b1", "g1", "g2"),))
        >>> there.inverse().flips
        (Flip(block='b1', old='g2', new='g1'),)
        """
        return Delta(
            flips=tuple(flip.inverse() for flip in reversed(self.flips)),
            grids=tuple((new, old) for old, new in reversed(self.grids)),
            blocks=tuple((new, old) for old, new in reversed(self.blocks)),
            locks=tuple(replace(lock, locked=not lock.locked) for lock in reversed(self.locks)),
            renamed=tuple((new, old) for old, new in reversed(self.renamed)),
        )

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not any(getattr(self, f.name) for f in fields(self))

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values.

        Examples
        --------
        >>> delta = Delta(grids=((None, Grid("g9")),), locks=(Lock("grid", "g9", True),))
        >>> Delta.from_dict(delta.as_dict()) == delta
        True
        """
        return {
            "flips": [[flip.block, flip.old, flip.new] for flip in self.flips],
            "grids": [[None if grid is None else grid.as_dict() for grid in pair] for pair in self.grids],
            "blocks": [[None if row is None else _row_dict(row) for row in pair] for pair in self.blocks],
            "locks": [[lock.kind, lock.code, lock.locked] for lock in self.locks],
            "renamed": [list(pair) for pair in self.renamed],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Delta:
        """Return the delta written by `as_dict`, also after a way through JSON."""
        grids = [[None if grid is None else Grid(**grid) for grid in pair] for pair in values["grids"]]
        blocks = [[None if row is None else _row_of(row) for row in pair] for pair in values["blocks"]]
        return cls(
            flips=tuple(Flip(*flip) for flip in values["flips"]),
            grids=tuple((old, new) for old, new in grids),
            blocks=tuple((old, new) for old, new in blocks),
            locks=tuple(Lock(*lock) for lock in values["locks"]),
            renamed=tuple((old, new) for old, new in values["renamed"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """Blocks, and the plan that is made of them."""

    blocks: Blocks
    plan: Plan

    def __post_init__(self) -> None:
        aligned(self.blocks, self.plan)

    def apply(self, delta: Delta) -> Draft:
        """Return the draft after a change; this one stays as it is.

        Raises
        ------
        Conflict
            Something is not what the change begins with.
        NotFound
            A block or a grid does not exist.
        """
        blocks, plan = self.blocks, self.plan
        if delta.blocks:
            blocks = blocks.changed(delta.blocks)
            plan = _carried(plan, blocks)
        # Blocks that are gone have left their grid by going.
        flips = [flip for flip in delta.flips if flip.new is not None or flip.block in blocks.place]
        plan = _without_ended(_with_begun(plan, delta).apply(flips), delta)
        return Draft(blocks, _relocked(plan, delta.locks))

    def apply_all(self, deltas: Iterable[Delta]) -> Draft:
        """Return the draft after several changes, one after the other."""
        draft = self
        for delta in deltas:
            draft = draft.apply(delta)
        return draft


def _carried(plan: Plan, blocks: Blocks) -> Plan:
    """Return the plan for changed blocks: what is new has no grid yet."""
    grid = np.array([plan.grid[plan.place[code]] if code in plan.place else NONE for code in blocks.codes])
    locked = plan.locked_blocks & blocks.place.keys()
    return replace(plan, codes=blocks.codes, grid=grid.astype(np.int64), locked_blocks=locked, place=blocks.place)


def _with_begun(plan: Plan, delta: Delta) -> Plan:
    """Return the plan with the grids that begin or change; those that end are still there."""
    if not delta.grids:
        return plan
    known = {grid.code: grid for grid in plan.grids}
    stale = [old.code for old, _ in delta.grids if old is not None and known.get(old.code) != old]
    if stale:
        raise Conflict(
            f"these grids are no longer what they were: {', '.join(sorted(stale))}",
            zh=f"这些网格已不是原来的样子：{'、'.join(sorted(stale))}",
        )
    for old, new in delta.grids:
        if old is not None and new is not None:
            del known[old.code]
    return plan.with_grids([*known.values(), *(new for _, new in delta.grids if new is not None)], dict(delta.renamed))


def _without_ended(plan: Plan, delta: Delta) -> Plan:
    ended = [old.code for old, new in delta.grids if old is not None and new is None]
    if not ended:
        return plan
    if kept := [code for code in ended if plan.blocks_in(code).size or code in plan.locked_grids]:
        raise Conflict(
            f"grid {kept[0]} is locked, or has blocks that the change does not know",
            zh=f"网格 {kept[0]} 已锁定，或含有本次改动未涉及的单元网格",
        )
    return plan.with_grids(grid for grid in plan.grids if grid.code not in ended)


def _relocked(plan: Plan, locks: tuple[Lock, ...]) -> Plan:
    if not locks:
        return plan
    held = {"grid": set(plan.locked_grids), "block": set(plan.locked_blocks)}
    for lock in locks:
        if (lock.code in held[lock.kind]) == lock.locked:
            raise Conflict(
                f"{lock.kind} {lock.code} is {'locked' if lock.locked else 'not locked'} already",
                zh=f"{_KIND_ZH[lock.kind]} {lock.code} 已处于{'锁定' if lock.locked else '未锁定'}状态",
            )
        (held[lock.kind].add if lock.locked else held[lock.kind].discard)(lock.code)
    return replace(plan, locked_grids=frozenset(held["grid"]), locked_blocks=frozenset(held["block"]))


def _row_dict(row: BlockRow) -> dict[str, Any]:
    return {**{f.name: getattr(row, f.name) for f in fields(row)}, "wkb": row.wkb.hex()}


def _row_of(values: Mapping[str, Any]) -> BlockRow:
    return BlockRow(**{**values, "wkb": bytes.fromhex(values["wkb"])})
