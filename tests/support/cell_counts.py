"""A small service, with every kind of output column, that can be made to take its time."""

import time
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field

import gis.contract.service
from gis.city import GRIDS, INCIDENTS
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.service import Context, Findings, Input, Params, Service
from gis.contract.text import Text
from gis.errors import Infeasible


class CellParams(Params):
    cell_m: int = Field(default=500, ge=1)
    """Side of a cell."""
    steps: int = 1
    """How often it reports progress."""
    pause_s: float = 0.0
    """How long it rests at each step."""
    fail: str = ""
    """How it ends: as 'infeasible', or with a 'bug'."""


def compute(
    params: CellParams, context: Context, *, incidents: gpd.GeoDataFrame, grids: gpd.GeoDataFrame | None
) -> Findings:
    for step in range(params.steps):
        context.progress(step / params.steps, f"step {step}")
        time.sleep(params.pause_s)
    if params.fail == "infeasible":
        raise Infeasible("no cell is small enough", zh="没有足够小的格")
    if params.fail == "bug":
        raise ZeroDivisionError("secret detail")
    points = incidents[incidents.geometry.notna()].geometry.centroid
    corners = np.floor(np.column_stack([points.x, points.y]) / params.cell_m).astype(int)
    cells = pd.Series(range(len(points))).groupby([corners[:, 0], corners[:, 1]]).size()
    when = pd.to_datetime(incidents["occurred_at"])
    squares = [shapely.box(x, y, x + 1, y + 1) for x, y in cells.index]
    features = gpd.GeoDataFrame(
        {
            "name": [f"格{x}|{y}" for x, y in cells.index],
            "incidents_count": cells.to_numpy(),
            "share": np.where(cells > 1, cells / cells.sum(), np.nan),
            "rank": pd.array([1 if i == 0 else None for i in range(len(cells))], dtype="Int64"),
            "first_at": when.min(),
            "last_on": when.max().tz_localize(None).normalize(),
            "has_many": cells.to_numpy() > 1,
        },
        geometry=shapely.transform(np.array(squares), lambda c: c * params.cell_m),
        crs=context.profile.metric_crs,
    )
    return Findings(
        features,
        {"cells_count": np.int64(len(cells)), "not_a_number": float("nan"), "has_grids": grids is not None},
        {"incidents": len(points)} | ({} if grids is None else {"grids": len(grids)}),
        period=(when.min(), when.max()),
        choices={"origin": (0.0, 0.0)},
    )


CELL_COUNTS = Service(
    id="cell_counts",
    version=1,
    title=Text("格计数", "Counts by cell"),
    abstract=Text("每格事件数", "Incidents in each cell."),
    card=Text("显示每格的事件数。不作检验。", "Shows how many incidents each cell had. It tests nothing."),
    mandate="Art. 18",
    params=CellParams,
    inputs=(Input(INCIDENTS), Input(GRIDS, required=False)),
    output=FrameSpec(
        "cell_counts",
        Text("格", "Cells"),
        (
            Column("name", "text", Text("名称", "Name"), required=True),
            Column("incidents_count", "integer", Text("数", "Incidents"), required=True),
            Column("share", "real", Text("占比", "Share")),
            Column("rank", "integer", Text("名次", "Rank")),
            Column("first_at", "instant", Text("首", "First"), required=True),
            Column("last_on", "date", Text("末", "Last")),
            Column("has_many", "boolean", Text("多", "More than one"), required=True),
        ),
        AREAS,
        key="name",
    ),
    compute=compute,
)


def register() -> None:
    """Let this process find the service among the others."""
    every = MappingProxyType({**gis.contract.service.services(), CELL_COUNTS.id: CELL_COUNTS})
    gis.contract.service.services = lambda: every
