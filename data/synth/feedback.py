"""A town whose patrols go where they found: what a ranking learns once its own patrols fill the records.

As much happens everywhere, up to a few per cent. Each week the hotspot service ranks the town's grids by the records of
the last weeks; patrols go to the first few and find there, beside what people report anyway, things that nobody would
have reported. Whether those finds count in the next ranking is the only difference between two courses of a town.

References: Lum and Isaac (2016), Significance 13(5). Ensign, Friedler, Neville, Scheidegger and Venkatasubramanian
(2018), Proceedings of Machine Learning Research 81.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import stats

import gis
from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.crs import LONLAT

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROFILE = CityProfile(
    "feedback",
    Text("均等镇（合成）", "Eventown (synthetic)"),
    "EPSG:4549",
    "Asia/Shanghai",
    (550_000.0, 3_460_000.0),
    synthetic=True,
)
FIRST_WEEK = pd.Timestamp("2025-01-06", tz="Asia/Shanghai")
REPORTS_ONLY = ("public_report", "import")
"""What every service counts by default."""
FINDS_TOO = ("public_report", "import", "patrol")


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """What is true of a town.

    Attributes
    ----------
    side
        Grids along a side; the town is a square of squares.
    grid_m
        Side of a grid, in metres.
    reports
        Mean number of incidents that people report from one grid in one week.
    unevenness
        Grids differ from that mean by at most this share.
    patrols
        Grids patrolled in a week.
    finds
        Mean number of incidents that the patrols of one week find in one grid.
    memory
        Weeks of records that a ranking looks back on.
    """

    side: int = 6
    grid_m: float = 500.0
    reports: float = 4.0
    unevenness: float = 0.02
    patrols: int = 4
    finds: float = 12.0
    memory: int = 4


@dataclass(frozen=True, slots=True)
class Course:
    """What became of a town.

    Attributes
    ----------
    weeks
        One row a week with patrols: `first_choice_share`, how many of them go where the first ranking sent them;
        `repeated_share`, how many go where they went a memory earlier, on records of which none is left; `agreement`,
        the rank correlation of these two rankings (both nan in the first weeks); `busiest_share`, how many of the
        incidents ranked by lie in the busiest grids, as many as are patrolled; `hot_count`, how many grids the service
        calls hot.
    patrolled : (weeks, grids)
        Whether a grid was patrolled, 0 or 1.
    grids
        In the order of the columns above.
    """

    weeks: pd.DataFrame
    patrolled: Ints
    grids: gpd.GeoDataFrame


def course(town: Town, *, origins: tuple[str, ...], weeks: int, seed: int) -> Course:
    """Return what becomes of a town that ranks its grids by incidents of these origins.

    Parameters
    ----------
    origins
        `REPORTS_ONLY` or `FINDS_TOO`.
    weeks
        With patrols; before them lies one memory of reports alone.
    seed
        Two courses of one seed differ in nothing but the patrols and what they find: rates and reports are the same.
    """
    grids = _grids(town)
    reported, found, lot = (np.random.default_rng([seed, stage]) for stage in range(3))
    rates = town.reports * (1 + town.unevenness * reported.uniform(-1, 1, len(grids)))
    records = [
        _incidents(town, reported.poisson(rates), week, "public_report", reported) for week in range(town.memory)
    ]
    patrolled = np.zeros((weeks, len(grids)), dtype=np.int64)
    scores: list[Floats] = []
    rows = []
    for week in range(weeks):
        ranked = gis.service("hotspots")(
            pd.concat(records[-town.memory :], ignore_index=True),
            grids,
            profile=PROFILE,
            unit="grids",
            alternative="greater",
            origins=origins,
        ).features
        ranked = ranked.set_index("code").loc[grids["code"]]
        scores.append(ranked["z"].to_numpy(dtype=float))
        # Equal scores fall by lot: no grid is patrolled because its code comes first.
        order = np.lexsort((lot.permutation(len(grids)), -scores[week]))
        patrolled[week, order[: town.patrols]] = 1
        rows.append({"week": week + 1, **_state(town, patrolled[: week + 1], scores, ranked)})
        now = town.memory + week
        finds = found.poisson(town.finds * patrolled[week])
        reports = _incidents(town, reported.poisson(rates), now, "public_report", reported)
        records.append(pd.concat([reports, _incidents(town, finds, now, "patrol", found)], ignore_index=True))
    return Course(pd.DataFrame(rows), patrolled, grids)


def _grids(town: Town) -> gpd.GeoDataFrame:
    corner = np.array(PROFILE.lattice_origin)
    places = [(column, row) for row in range(town.side) for column in range(town.side)]
    shapes = [
        shapely.box(*(corner + np.array(place) * town.grid_m), *(corner + (np.array(place) + 1) * town.grid_m))
        for place in places
    ]
    codes = [f"r{row:02}c{column:02}" for column, row in places]
    table = {"source_id": codes, "code": codes, "kind": "comprehensive", "valid_from": FIRST_WEEK.tz_localize(None)}
    return gpd.GeoDataFrame(table, geometry=shapes, crs=PROFILE.metric_crs).to_crs(LONLAT)


def _incidents(town: Town, counts: Ints, week: int, origin: str, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return as many incidents in each grid as `counts` (grids,) says, anywhere in it and at any time of the week."""
    grid = np.repeat(np.arange(counts.size), counts)
    corner = np.column_stack([grid % town.side, grid // town.side])
    points = np.array(PROFILE.lattice_origin) + (corner + rng.uniform(0.01, 0.99, (grid.size, 2))) * town.grid_m
    minutes = rng.integers(0, 7 * 24 * 60, grid.size) + week * 7 * 24 * 60
    table = {
        "source_id": [f"{origin}-{week}-{i}" for i in range(grid.size)],
        "occurred_at": FIRST_WEEK + pd.to_timedelta(minutes, unit="min"),
        "category": "street_order",
        "origin": origin,
    }
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(*points.T), crs=PROFILE.metric_crs).to_crs(LONLAT)


def _state(town: Town, patrolled: Ints, scores: list[Floats], ranked: gpd.GeoDataFrame) -> dict[str, float]:
    """Return the last week's row of `Course.weeks`, without its number."""
    counted = np.sort(ranked["incidents_count"].to_numpy())
    now = patrolled[-1] == 1
    earlier = len(scores) > town.memory
    return {
        "first_choice_share": float(patrolled[0, now].mean()),
        "repeated_share": float(patrolled[-1 - town.memory, now].mean()) if earlier else float("nan"),
        "agreement": float(stats.spearmanr(scores[-1], scores[-1 - town.memory]).statistic)
        if earlier
        else float("nan"),
        "busiest_share": float(counted[-town.patrols :].sum() / counted.sum()),
        "hot_count": int(ranked["hot"].sum()),
    }
