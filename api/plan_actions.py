"""Actions on a plan as a request names them, and what each does to the draft on the desk."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field, RootModel

from api.plans import Body, Change, Code
from gis.errors import PlanRuleBroken
from gis.plans.actions.create_dedicated import create_dedicated
from gis.plans.actions.merge_grids import merge_grids
from gis.plans.actions.rename import rename
from gis.plans.actions.split_block import split_block
from gis.plans.actions.split_grid import split_grid, split_grid_by_line
from gis.plans.draft import Delta, Draft
from gis.store.plans import Desk, called, in_metres

Lon = Annotated[float, Field(ge=-180, le=180)]
Lat = Annotated[float, Field(ge=-90, le=90)]
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

    blocks: Annotated[tuple[Code, ...], Field(min_length=1, max_length=10_000)]
    code: Code | None = None
    name_zh: Name = ""
    name_en: Name = ""

    def delta(self, _laid: Desk, draft: Draft, taken: Collection[str]) -> Delta:
        """Return the change."""
        used = {grid.code for grid in draft.plan.grids} | set(taken)
        if self.code in used:
            raise PlanRuleBroken(f"the code {self.code} is in use, or belonged to a grid that has ended", [self.code])
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


class Acted(
    RootModel[Annotated[_Merge | _SplitGrid | _SplitBlock | _Dedicated | _Rename, Field(discriminator="action")]]
):
    """An action on the plan as it was at a revision."""
