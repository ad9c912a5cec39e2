"""Give a grid another code, other names or another beat; its blocks stay."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from gis.errors import PlanRuleBroken
from gis.plans.draft import Delta, Draft
from gis.plans.guard import guarded


def rename(
    draft: Draft,
    grid: str,
    *,
    code: str | None = None,
    name_zh: str | None = None,
    name_en: str | None = None,
    beat_code: str | None = None,
    taken_codes: Collection[str] = (),
) -> Delta:
    """Return the change that says other things of a grid; None leaves a thing as it is.

    Raises
    ------
    PlanRuleBroken
        The grid is locked, or the code is in use or belonged to a grid that has ended.
    """
    old = draft.plan.grids[draft.plan.position(grid)]
    if grid in draft.plan.locked_grids:
        raise PlanRuleBroken(f"grid {grid} is locked; unlock it first", [grid], zh=f"网格 {grid} 已锁定，请先解锁")
    said = {"code": code, "name_zh": name_zh, "name_en": name_en, "beat_code": beat_code}
    new = replace(old, **{name: value for name, value in said.items() if value is not None})
    if new == old:
        return Delta()
    if new.code != old.code:
        used = {g.code for g in draft.plan.grids} | set(taken_codes)
        if new.code in used or not new.code:
            raise PlanRuleBroken(
                f"the code {new.code!r} is in use, or belonged to a grid that has ended",
                [grid],
                zh=f"编码 {new.code!r} 正在使用，或曾属于已撤销的网格",
            )
        return guarded(draft, Delta(grids=((old, new),), renamed=((old.code, new.code),)))
    return guarded(draft, Delta(grids=((old, new),)))
