"""Actions on a plan as a request names them, and what each does to the draft on the desk."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Annotated, Literal

from pydantic import Field, RootModel

from api.plans import Body, Change, Code
from gis.errors import PlanRuleBroken
from gis.plans.actions.create_dedicated import create_dedicated
from gis.plans.actions.merge_grids import merge_grids
from gis.plans.actions.move_blocks import move_blocks
from gis.plans.actions.move_node import move_node
from gis.plans.actions.rename import rename
from gis.plans.actions.set_locks import blocks_within, lock, unlock
from gis.plans.actions.split_block import split_block
from gis.plans.actions.split_grid import split_grid, split_grid_by_line
from gis.plans.draft import Delta, Draft
from gis.store.plans import Desk, area_in_metres, called, corner_near, in_metres, point_in_metres

Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
Place = tuple[Lon, Lat]
Blocks = Annotated[tuple[Code, ...], Field(min_length=1, max_length=10_000)]
Ring = Annotated[tuple[Place, ...], Field(min_length=3, max_length=1000)]
Line = Annotated[tuple[tuple[Lon, Lat], ...], Field(min_length=2, max_length=1000)]
Name = Annotated[str, Field(max_length=200)]


class MergeGrids(Body):
    """Grids that become one."""

    grids: Annotated[tuple[Code, ...], Field(min_length=1, max_length=100)]
    into: Code

    def delta(self, _laid: Desk, draft: Draft, _taken: Collection[str]) -> Delta:
        """Return the change."""
        return merge_grids(draft, self.grids, self.into)


class SplitGrid(Body):
    """A grid in two: along a line of longitudes and latitudes, or into halves as even as its blocks allow."""

    grid: Code
    line: Line | None = None

    def delta(self, laid: Desk, draft: Draft, taken: Collection[str]) -> Delta:
        """Return the change."""
        load = laid.workload.load
        if self.line is None:
            return split_grid(draft, self.grid, load, taken_codes=taken)
        return split_grid_by_line(draft, self.grid, in_metres(laid, self.line), load, taken_codes=taken)


class SplitBlock(Body):
    """A block cut in two along a line of longitudes and latitudes."""

    block: Code
    line: Line

    def delta(self, laid: Desk, draft: Draft, _taken: Collection[str]) -> Delta:
        """Return the change."""
        return split_block(draft, self.block, in_metres(laid, self.line))


class CreateDedicated(Body):
    """A grid of its own for some blocks; its code is the next one of the community unless one is given."""

    blocks: Blocks
    code: Code | None = None
    name_zh: Name = ""
    name_en: Name = ""

    def delta(self, _laid: Desk, draft: Draft, taken: Collection[str]) -> Delta:
        """Return the change."""
        used = {grid.code for grid in draft.plan.grids} | set(taken)
        if self.code in used:
            raise PlanRuleBroken(
                f"the code {self.code} is in use, or belonged to a grid that has ended",
                [self.code],
                zh=f"编码 {self.code} 正在使用，或曾属于已撤销的网格",
            )
        delta = create_dedicated(draft, self.blocks, name_zh=self.name_zh, name_en=self.name_en, taken_codes=taken)
        return delta if self.code is None else called(delta, self.code)


class Rename(Body):
    """Other things to say of a grid."""

    grid: Code
    code: Code | None = None
    name_zh: Name | None = None
    name_en: Name | None = None
    beat_code: Code | None = None

    def delta(self, _laid: Desk, draft: Draft, taken: Collection[str]) -> Delta:
        """Return the change."""
        said = self.model_dump(exclude={"grid"})
        return rename(draft, self.grid, **said, taken_codes=taken)


class MoveBlocks(Body):
    """Blocks for a grid; a grid that would be torn apart or emptied refuses them."""

    blocks: Blocks
    to: Code

    def delta(self, _laid: Desk, draft: Draft, _taken: Collection[str]) -> Delta:
        """Return the change."""
        return move_blocks(draft, self.blocks, self.to)


class MoveNode(Body):
    """A corner that blocks share, moved in all of them; of the corners within a distance the nearest."""

    at: Place
    to: Place
    within_m: Annotated[float, Field(gt=0, le=50)] = 1.0

    def delta(self, laid: Desk, draft: Draft, _taken: Collection[str]) -> Delta:
        """Return the change."""
        return move_node(draft, corner_near(laid, self.at, within_m=self.within_m), point_in_metres(laid, self.to))


class Locked(Body):
    """Grids, blocks, and all blocks with their middle in an area that no edit may touch, or may touch again."""

    grids: Annotated[tuple[Code, ...], Field(max_length=20_000)] = ()
    blocks: Annotated[tuple[Code, ...], Field(max_length=200_000)] = ()
    area: Ring | None = None

    def change(self, laid: Desk, draft: Draft, how: Callable[..., Delta]) -> Delta:
        """Return the change that locks or unlocks what is named."""
        inside = () if self.area is None else blocks_within(draft, area_in_metres(laid, self.area))
        return how(draft, grids=self.grids, blocks=(*self.blocks, *inside))


class Lock(Locked):
    """What no edit may touch from now on."""

    def delta(self, laid: Desk, draft: Draft, _taken: Collection[str]) -> Delta:
        """Return the change."""
        return self.change(laid, draft, lock)


class Unlock(Locked):
    """What edits may touch again."""

    def delta(self, laid: Desk, draft: Draft, _taken: Collection[str]) -> Delta:
        """Return the change."""
        return self.change(laid, draft, unlock)


class _Merge(Change):
    action: Literal["merge_grids"]
    arguments: MergeGrids


class _SplitGrid(Change):
    action: Literal["split_grid"]
    arguments: SplitGrid


class _SplitBlock(Change):
    action: Literal["split_block"]
    arguments: SplitBlock


class _Dedicated(Change):
    action: Literal["create_dedicated"]
    arguments: CreateDedicated


class _Rename(Change):
    action: Literal["rename"]
    arguments: Rename


class _MoveBlocks(Change):
    action: Literal["move_blocks"]
    arguments: MoveBlocks


class _MoveNode(Change):
    action: Literal["move_node"]
    arguments: MoveNode


class _Lock(Change):
    action: Literal["lock"]
    arguments: Lock


class _Unlock(Change):
    action: Literal["unlock"]
    arguments: Unlock


Action = (
    _Merge | _SplitGrid | _SplitBlock | _Dedicated | _Rename | _MoveBlocks | _MoveNode | _Lock | _Unlock
)  # fmt: skip


class Acted(RootModel[Annotated[Action, Field(discriminator="action")]]):
    """An action on the plan as it was at a revision."""
