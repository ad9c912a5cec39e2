"""Hotspots: places hot beyond chance, not merely busy (Gi* of Getis and Ord, with exact p)."""

from __future__ import annotations

from typing import Literal

import geopandas as gpd
import numpy as np
from pydantic import Field
from scipy import sparse

from gis.city.frames import DISTRICTS, GRIDS, INCIDENTS
from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.city.study_area import Units, grid_units, grids_in_force, lattice_units
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.getis_ord import LocalTest, local_test
from gis.kernels.lattice import Lattice

MIN_PLACES = 8
"""Fewer places than this have no chance of a significant one among them."""
SMALL_N = 5
"""A neighbourhood with fewer incidents is marked: its place in a list means little."""
LEVELS = ((0.01, "99"), (0.05, "95"), (0.10, "90"))


class HotspotParams(IncidentSelection):
    """How hotspots are found."""

    unit: Literal["lattice", "grids"] = "lattice"
    """What is compared: cells of the city's lattice, or its grids."""
    cell: Literal["square", "hexagon"] = "square"
    """Shape of a lattice cell."""
    lattice_m: float = Field(default=300.0, ge=10, le=10_000, json_schema_extra={"unit": "m"})
    """Side of a square cell, or width of a hexagon, in metres."""
    reach_m: float | None = Field(default=None, gt=0, le=50_000, json_schema_extra={"unit": "m"})
    """Neighbours are places whose centres are at most this far, in metres; when not given, those that touch."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Level at which a place counts as hot in the summary: expected share of false ones among them under `fdr`."""
    alternative: Literal["two-sided", "greater", "less"] = "two-sided"
    """Look for hot and cold places, hot ones only (greater), or cold ones only (less)."""
    correction: Literal["fdr", "none"] = "fdr"
    """Correct for testing many places at once (false discovery rate), or not."""
    inference: Literal["auto", "exact", "permutation"] = "auto"
    """How p is found: exactly, by permutation, or exactly wherever that is affordable."""
    permutations: int = Field(default=9999, ge=99, le=999_999)
    """How many, where p is found by permutation."""
    seed: int = Field(default=0, ge=0)
    """Of the permutations."""


HOTSPOTS = FrameSpec(
    "hotspots",
    Text("热点", "Hotspots"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column(
            "significance",
            "code",
            Text("显著性", "Significance"),
            required=True,
            codebook="hotspot_classes",
            description="After the correction asked for, at 99, 95 and 90 % confidence.",
        ),
        Column("incidents_count", "integer", Text("事件数", "Incidents here"), required=True, minimum=0),
        Column(
            "neighbourhood_count",
            "integer",
            Text("邻域事件数", "Incidents here and in the neighbours"),
            required=True,
            minimum=0,
        ),
        Column("neighbours_count", "integer", Text("相邻单元数", "Neighbours"), required=True, minimum=0),
        Column("z", "real", Text("Gi* z 值", "Gi* z-score")),
        Column("p", "real", Text("p 值", "p"), minimum=0, maximum=1),
        Column("q", "real", Text("错误发现率 q", "False discovery rate q"), minimum=0, maximum=1),
        Column("hot", "boolean", Text("热点", "Hot at the level asked for"), required=True),
        Column(
            "small_n",
            "boolean",
            Text("样本过少", "Few incidents"),
            required=True,
            description=f"Fewer than {SMALL_N} incidents in the neighbourhood.",
        ),
    ),
    AREAS,
    key="code",
    mandate="Art. 18, 48",
)


def hotspots(
    params: HotspotParams,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
) -> Findings:
    """Find places whose neighbourhood holds more, or fewer, incidents than chance would put there."""
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    context.progress(0.2, "incidents selected")
    if params.unit == "grids":
        grids, ended = _current_grids(grids, selected, context)
    else:
        ended = ()
    units = _units(params, context, selected, grids=grids, districts=districts)
    n = len(units.features)
    if n < MIN_PLACES:
        why = f"only {n} places to compare, {MIN_PLACES} are needed; make the cells smaller or the area larger"
        field = "lattice_m" if params.unit == "lattice" else "unit"
        raise InvalidParams("hotspots: too few places", [Problem("too_few_places", why, field)])
    inside = units.held >= 0
    counts = np.bincount(units.held[inside], minlength=n)
    context.progress(0.5, f"{n} places")
    whole = units.near + sparse.eye_array(n, format="csr")
    test = local_test(
        counts,
        whole,
        alternative=params.alternative,
        inference=params.inference,
        permutations=params.permutations,
        seed=params.seed,
    )
    context.progress(0.9, "tested")
    features = _features(units, counts, (whole @ counts).astype(np.int64), test, params)
    used = int(inside.sum())
    left_out = (*selected.left_out, *ended)
    if outside := len(inside) - used:
        left_out = (*left_out, LeftOut("incidents", "outside_study_area", outside))
    return Findings(
        features,
        _summary(features, used),
        used={
            "incidents": used,
            "grids": n if params.unit == "grids" else 0,
            "districts": len(districts) if districts is not None and units.choices["study_area"] == "districts" else 0,
        },
        period=selected.period,
        choices={**units.choices, "inference": test.inference, "extended_incidents_as_points": selected.moved_count},
        left_out=left_out,
    )


def _units(
    params: HotspotParams,
    context: Context,
    selected: Selected,
    *,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
) -> Units:
    if grids is not None and params.unit == "grids":
        return grid_units(grids, selected.points, reach_m=params.reach_m)
    lattice = Lattice(params.cell, params.lattice_m, context.profile.lattice_origin)
    return lattice_units(
        lattice, selected.points, districts=districts, reach_m=params.reach_m, crs=context.profile.metric_crs
    )


def _current_grids(
    grids: gpd.GeoDataFrame | None, selected: Selected, context: Context
) -> tuple[gpd.GeoDataFrame, tuple[LeftOut, ...]]:
    """Return the grids in force when the last incident happened, and the account of the others."""
    if grids is None or grids.empty:
        raise InvalidParams("hotspots: no grids", [Problem("missing_frame", "the city has no grids", "unit")])
    last = selected.period and selected.period[1].tz_convert(context.profile.time_zone)
    current = grids_in_force(grids, last)
    ended = len(grids) - len(current)
    return current, (LeftOut("grids", "not_in_force", ended),) if ended else ()


def _features(
    units: Units, counts: np.ndarray, around: np.ndarray, test: LocalTest, params: HotspotParams
) -> gpd.GeoDataFrame:
    judged = test.q if params.correction == "fdr" else test.p
    hotter = test.p_greater <= test.p_less
    significance = np.full(counts.size, "not_significant", dtype=object)
    for level, words in reversed(LEVELS):
        reached = judged <= level
        significance[reached & hotter] = f"hot_{words}"
        significance[reached & ~hotter] = f"cold_{words}"
    significance[test.neighbours == 0] = "no_neighbours"
    features = units.features.assign(
        significance=significance,
        incidents_count=counts,
        neighbourhood_count=around,
        neighbours_count=test.neighbours,
        z=test.z,
        p=test.p,
        q=test.q,
        hot=(judged <= params.alpha) & hotter,
        small_n=around < SMALL_N,
    )
    for name in ("name_zh", "name_en"):
        if name not in features.columns:
            features[name] = None
    return features[[*HOTSPOTS.names, "geometry"]]


def _summary(features: gpd.GeoDataFrame, used: int) -> dict[str, object]:
    hot = features["hot"]
    area = features.geometry.area
    return {
        "incidents_count": used,
        "places_count": len(features),
        "hot_places_count": int(hot.sum()),
        "incidents_in_hot_share": float(features.loc[hot, "incidents_count"].sum() / used) if used else 0.0,
        "area_in_hot_share": float(area[hot].sum() / area.sum()),
        "small_n_count": int(features["small_n"].sum()),
        "by_significance": {str(k): int(v) for k, v in features["significance"].value_counts().sort_index().items()},
    }


SERVICE = Service(
    id="hotspots",
    version=1,
    title=HOTSPOTS.title,
    abstract=Text(
        "按 Getis-Ord Gi* 找出事件多到不像偶然的地方：精确条件概率，多重检验校正，样本过少与无相邻单元分别注明。",
        "Places whose neighbourhood holds more incidents than chance would put there: Gi* of Getis and Ord with exact "
        "conditional p, corrected for testing many places; few incidents and places without neighbours are marked.",
    ),
    card=Text(
        "显示事件在何处聚集得不像偶然，并给出检验、校正和样本量。不说明原因，也不预测下一起事件；上报多少因地而异。",
        "Shows where events cluster beyond chance, with the test, its correction and the counts behind it. It names no "
        "cause and foretells no next event, and how much is reported differs from place to place.",
    ),
    mandate="Art. 18, 48",
    params=HotspotParams,
    inputs=(Input(INCIDENTS), Input(GRIDS, required=False), Input(DISTRICTS, required=False)),
    output=HOTSPOTS,
    compute=hotspots,
)
