"""A plan as files: its grids with the contract of the frame, and its assignment as a table."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd

from gis.city import GRIDS
from gis.files.write import write_file
from gis.store.cities import CityRow
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.export import about
from gis.store.frames import today
from gis.store.plans.blocks import dissolved, plan_blocks
from gis.store.plans.book import Grid, grids, held


def blocks_frame(store: Store, city: CityRow, plan_id: int) -> gpd.GeoDataFrame:
    """Return the blocks of a plan with their grids, as `plan_blocks`."""
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S, read_only=True) as connection:
        held(connection, city, plan_id, for_update=False)
        return plan_blocks(connection, city, plan_id)


def grids_frame(store: Store, city: CityRow, plan_id: int) -> gpd.GeoDataFrame:
    """Return the grids of a plan as the frame ``grids`` has them, so that the file can be imported as it is.

    Returns
    -------
    GeoDataFrame (k,)
        In EPSG:4326, by code; grids without a block have no area and are left out. ``valid_from`` is the day on which
        the plan takes effect, today for one that has none yet.
    """
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S, read_only=True) as connection:
        plan = held(connection, city, plan_id, for_update=False)
        blocks = plan_blocks(connection, city, plan_id)
    placed = blocks[blocks["grid_code"].notna()]
    areas = dissolved(placed)
    said = {grid.code: grid for grid in grids(store, city, plan_id)}
    rows = pd.DataFrame([said.get(code, Grid(code)) for code in areas.index])
    households = placed.groupby("grid_code")["households_count"].sum()
    return gpd.GeoDataFrame(
        rows.assign(
            source_id=[f"plan-{plan.id}:{code}" for code in areas.index],
            households_count=households.reindex(areas.index).to_numpy(),
            valid_from=pd.Timestamp(plan.effective_on or today(city)),
        ),
        geometry=areas.to_numpy(),
        crs=areas.crs,
    )


def assignment_table(store: Store, city: CityRow, plan_id: int) -> pd.DataFrame:
    """Return ``block_code``, ``grid_code``, ``community_code``, ``households_count`` of every block, by block."""
    blocks = blocks_frame(store, city, plan_id)
    table = blocks.rename(columns={"code": "block_code"})
    return pd.DataFrame(table[["block_code", "grid_code", "community_code", "households_count"]])


def export_plan(store: Store, city: CityRow, plan_id: int, path: Path) -> Path:
    """Write a plan into a file: its grids with their areas, or as CSV the grid of each block.

    Returns
    -------
    Path
        Where it was written, see `gis.files.write.write_file`.
    """
    if path.suffix.lower() == ".csv":
        assignment_table(store, city, plan_id).to_csv(path, index=False, encoding="utf-8-sig")
        return path
    facts = about("grids", f"{GRIDS.title.en}, plan {plan_id}", city)
    return write_file(path, grids_frame(store, city, plan_id), GRIDS, facts)
