"""One plan beside another, grid by grid: loads, shapes, and what changes hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gis.kernels.block_graph import Floats, Ints
from gis.kernels.plan_metrics import grid_metrics
from gis.plans.graph import Blocks
from gis.plans.plan import NONE
from gis.plans.workload import LOAD, Workload

MOVING = ("households", "rentals", "key_units", "incidents_per_year")


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What two assignments of the same blocks differ in.

    Attributes
    ----------
    grids : (k,) rows
        By ``code``: `LOAD`, ``households`` and ``compactness`` of both (``_before``), ``blocks_in``, ``blocks_out``,
        and of each of `MOVING` how many come (``_in``) and go (``_out``). Only grids that differ.
    moved : (m,) rows
        ``block``, ``old``, ``new`` (None for no grid), ``households``; by block.
    totals
        Sums over the city.
    """

    grids: pd.DataFrame
    moved: pd.DataFrame
    totals: Mapping[str, Any]


def compare(
    blocks: Blocks, workload: Workload, before: Sequence[str | None], after: Sequence[str | None]
) -> Comparison:
    """Compare two assignments: the grid code (n,) of each block, in the order of `blocks`, None for none.

    A grid is the same grid when its code is; a grid that is in one of them alone is compared with none.
    """
    codes = sorted({code for code in (*before, *after) if code is not None})
    place = {code: i for i, code in enumerate(codes)}
    old, new = (np.array([NONE if c is None else place[c] for c in side], dtype=np.int64) for side in (before, after))
    amounts = workload.amounts[[LOAD, *MOVING]].to_numpy(dtype=np.float64)
    old_sums, new_sums = (_sums(side, amounts, len(codes)) for side in (old, new))
    away = old != new
    gone, come = (
        _sums(np.where(away, old, NONE), amounts, len(codes)),
        _sums(np.where(away, new, NONE), amounts, len(codes)),
    )
    table: dict[str, Any] = {
        LOAD: new_sums[:, 0],
        f"{LOAD}_before": old_sums[:, 0],
        "households": new_sums[:, 1].astype(np.int64),
        "households_before": old_sums[:, 1].astype(np.int64),
        "compactness": _compactness(blocks, new, len(codes)),
        "compactness_before": _compactness(blocks, old, len(codes)),
        "blocks_in": np.bincount(new[away & (new != NONE)], minlength=len(codes)),
        "blocks_out": np.bincount(old[away & (old != NONE)], minlength=len(codes)),
    }
    for column, name in enumerate(MOVING, start=1):
        table |= {f"{name}_in": come[:, column], f"{name}_out": gone[:, column]}
    grids = pd.DataFrame(table, index=pd.Index(codes, name="code"))
    where = np.flatnonzero(away)
    moved = pd.DataFrame(
        {
            "block": blocks.codes[where],
            "old": pd.Series([before[int(i)] for i in where], dtype=object),
            "new": pd.Series([after[int(i)] for i in where], dtype=object),
            "households": blocks.households[where],
        }
    )
    return Comparison(
        grids=grids[(grids["blocks_in"] > 0) | (grids["blocks_out"] > 0)],
        moved=moved,
        totals=_totals(blocks, amounts, away, codes_before=set(before), codes_after=set(after)),
    )


def _sums(grid: Ints, amounts: Floats, grids_count: int) -> Floats:
    held = grid != NONE
    sums = np.zeros((grids_count, amounts.shape[1]))
    np.add.at(sums, grid[held], amounts[held])
    return sums


def _compactness(blocks: Blocks, grid: Ints, grids_count: int) -> Floats:
    """Return Polsby and Popper's measure of each grid (k,), nan for one without blocks."""
    # Blocks without a grid count as one more grid, which is nobody's.
    own = np.where(grid == NONE, grids_count, grid)
    metrics = grid_metrics(blocks.graph, np.empty((len(blocks), 0)), own, grids_count=grids_count + 1)
    return metrics.compactness[:grids_count]


def _totals(
    blocks: Blocks, amounts: Floats, away: np.ndarray, *, codes_before: set[str | None], codes_after: set[str | None]
) -> dict[str, Any]:
    households = int(blocks.households.sum())
    moved = int(blocks.households[away].sum())
    begun, ended = codes_after - codes_before - {None}, codes_before - codes_after - {None}
    return {
        "blocks_moved_count": int(away.sum()),
        "households_count": households,
        "households_moved_count": moved,
        "households_moved_share": moved / households if households else 0.0,
        **{f"{name}_moved": float(amounts[away, i].sum()) for i, name in enumerate(MOVING, start=1) if i > 1},
        "grids_before_count": len(codes_before - {None}),
        "grids_after_count": len(codes_after - {None}),
        "grids_begun": sorted(code for code in begun if code is not None),
        "grids_ended": sorted(code for code in ended if code is not None),
    }
