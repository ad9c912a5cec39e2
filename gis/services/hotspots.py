"""Hotspots: places hot beyond chance, not merely busy (Gi* of Getis and Ord, or Moran's local I, with exact p)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
from pydantic import Field
from scipy import sparse

from gis.city.frames import BLOCKS, DISTRICTS, GRIDS, INCIDENTS, WATER_AREAS
from gis.city.ground import households_in
from gis.city.places import Places, PlaceSelection, find_places
from gis.city.selection import select_incidents
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.empirical_bayes import rate_prior, smoothed_rates, standardised_rates
from gis.kernels.getis_ord import LocalTest, local_test
from gis.kernels.local_moran import MoranTest, local_moran
from gis.kernels.neighbour_distance import NeighbourDistance, neighbour_distance
from gis.kernels.ranks import Ranks, count_ranks, gamma_ranks

SMALL_N = 5
"""A neighbourhood with fewer incidents is marked: its place in a list means little."""
LEVELS = ((0.01, "99"), (0.05, "95"), (0.10, "90"))
_PLACE_IN_LIST = {
    **{f"hot_{words}": i for i, (_, words) in enumerate(LEVELS)},
    "high_high": 0,
    **{f"cold_{words}": 2 * len(LEVELS) - i for i, (_, words) in enumerate(LEVELS)},
    "low_low": 2 * len(LEVELS),
}
"""Class -> where it stands in the list; all others between hot and cold."""
LEAST_HOUSEHOLDS = 1.0
"""A place with fewer has no rate."""
PER_HOUSEHOLDS = 1_000
M2_PER_KM2 = 1e6


class HotspotParams(PlaceSelection):
    """How hotspots are found."""

    measure: Literal["count", "per_km2", "per_household"] = "count"
    """What is compared: incidents, cells with less ground being compared with as much ground; incidents for the area
    without water; or incidents for the households."""
    statistic: Literal["gi_star", "local_moran"] = "gi_star"
    """Find places that are hot or cold together with their neighbours (Gi*), or tell clusters from places that stand
    out among their neighbours (local Moran)."""
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
            description="After the correction asked for: Gi* at 99, 95 and 90 % confidence, local Moran at `alpha`.",
        ),
        Column("incidents_count", "integer", Text("事件数", "Incidents here"), required=True, minimum=0),
        Column(
            "rank",
            "integer",
            Text("名次", "Rank"),
            required=True,
            minimum=1,
            description="By incidents or, where a rate is asked for, by the smoothed rate; 1 is the most.",
        ),
        Column(
            "rank_low",
            "integer",
            Text("名次上限", "Best likely rank"),
            required=True,
            minimum=1,
            description="Where the place would stand at the high end of what its count allows (90 % range).",
        ),
        Column(
            "rank_high",
            "integer",
            Text("名次下限", "Worst likely rank"),
            required=True,
            minimum=1,
            description="Where the place would stand at the low end of what its count allows (90 % range).",
        ),
        Column(
            "pai",
            "real",
            Text("PAI", "PAI"),
            minimum=0,
            description="Share of all incidents over share of all ground: how many times the average density.",
        ),
        Column("area_km2", "real", Text("面积", "Area"), required=True, minimum=0, unit="km²"),
        Column(
            "rate",
            "real",
            Text("发生率", "Rate"),
            minimum=0,
            description="Incidents per km² without water, or per 1,000 households; where a rate is asked for.",
        ),
        Column(
            "rate_smoothed",
            "real",
            Text("平滑发生率", "Smoothed rate"),
            minimum=0,
            description="The rate drawn towards the mean of all, the more the less stands behind it (empirical Bayes).",
        ),
        Column(
            "neighbourhood_count",
            "integer",
            Text("邻域事件数", "Incidents here and in the neighbours"),
            required=True,
            minimum=0,
        ),
        Column("neighbours_count", "integer", Text("相邻单元数", "Neighbours"), required=True, minimum=0),
        Column("z", "real", Text("z 值", "z-score"), description="Of Gi*, or of local I given the place's own value."),
        Column("local_i", "real", Text("局部 I", "Local I"), description="Moran's local I, where it is asked for."),
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


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is tested of each place: counts on ground that may differ, or rates made comparable.

    Attributes
    ----------
    values, exposure
        For the test; the exposure is None where places count as equal.
    basis : (n,), optional
        What a rate is for: km2, or 1,000 households; with the ranks.
    """

    places: Places
    values: np.ndarray
    exposure: np.ndarray | None
    basis: np.ndarray | None
    ranks: Ranks
    tested: str


def hotspots(
    params: HotspotParams,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
    blocks: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Findings:
    """Find places whose neighbourhood holds more, or fewer, incidents than chance would put there."""
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    context.progress(0.2, "incidents selected")
    found = find_places(params, context, selected, grids=grids, districts=districts, water_areas=water_areas)
    measured = _measured(params, found, blocks)
    places = measured.places
    context.progress(0.5, f"{len(places.counts)} places")
    reach = _reach(params, measured)
    units = places.units if reach is None else places.units.within(reach.reach_m)
    whole = units.near + sparse.eye_array(len(places.counts), format="csr")
    method = local_test if params.statistic == "gi_star" else local_moran
    test = method(
        measured.values,
        whole,
        exposure=measured.exposure,
        alternative=params.alternative,
        inference=params.inference,
        permutations=params.permutations,
        seed=params.seed,
    )
    context.progress(0.9, "tested")
    around = (whole @ places.counts).astype(np.int64)
    features = _features(measured, around, test, params)
    used = int(places.counts.sum())
    choices = {**places.choices, **units.choices, "tested": measured.tested, "inference": test.inference}
    if reach is not None:
        choices |= {"neighbours_why": reach.why, "reach_m": round(reach.reach_m, 1)}
    by_districts = districts is not None and units.choices["study_area"] == "districts"
    by_blocks = blocks is not None and params.measure == "per_household" and places.grids is None
    return Findings(
        features,
        _summary(features, measured, reach),
        used={
            "incidents": used,
            "grids": 0 if places.grids is None else len(places.grids),
            "districts": len(districts) if districts is not None and by_districts else 0,
            "blocks": len(blocks) if blocks is not None and by_blocks else 0,
        },
        period=selected.period,
        choices={**choices, "extended_incidents_as_points": selected.moved_count},
        left_out=(*selected.left_out, *places.left_out),
    )


def _measured(params: HotspotParams, places: Places, blocks: gpd.GeoDataFrame | None) -> _Measured:
    """Return what is tested; places without a basis for their rate are left out."""
    if params.measure == "count":
        tested = "counts" if places.share is None else "counts_on_ground"
        return _Measured(places, places.counts, places.share, None, count_ranks(places.counts), tested)
    if params.measure == "per_household":
        households = _households(places, blocks)
        kept = households >= LEAST_HOUSEHOLDS
        if not kept.any():
            why = "no place has a known number of households"
            raise InvalidParams("no households", [Problem("no_households", why, "measure")])
        places, basis = places.only(kept, "no_households").enough(), households[kept] / PER_HOUSEHOLDS
    else:
        kept = places.ground_m2 > 0
        places, basis = places.only(kept, "no_ground").enough(), places.ground_m2[kept] / M2_PER_KM2
    counts = places.counts
    prior = rate_prior(counts, basis)
    # Where nothing tells the rates apart, every place may stand anywhere.
    same = (np.ones(counts.size), np.ones(counts.size))
    ranks = gamma_ranks(*(prior.posterior(counts, basis) if prior.variance > 0 else same))
    if params.measure == "per_km2" and places.share is not None:
        return _Measured(places, counts, places.share, basis, ranks, "counts_on_ground")
    # In hundredths of a standard deviation they can be counted like incidents, so that p is exact.
    values = np.round(standardised_rates(counts, basis), 2)
    return _Measured(places, values, None, basis, ranks, "standardised_rates")


def _households(places: Places, blocks: gpd.GeoDataFrame | None) -> np.ndarray:
    """Return the households of places (n,): of grids their own, of cells those of the blocks by area."""
    source, wanted = (places.grids, "grids") if places.grids is not None else (blocks, "blocks")
    if source is None or "households_count" not in source.columns:
        why = f"households_count of the frame {wanted} is needed for rates per household"
        raise InvalidParams("no households", [Problem("missing_households", why, "measure")])
    if places.grids is not None:
        return np.asarray(places.grids["households_count"].fillna(0).to_numpy(dtype=float))
    return households_in(places.shapes, source)


def _reach(params: HotspotParams, measured: _Measured) -> NeighbourDistance | None:
    """Return the distance of neighbours where it is to be found, None where it is given."""
    if params.reach_m is not None or params.reach == "contiguity":
        return None
    places = measured.places
    clustered = measured.values if measured.exposure is None else places.beyond_ground
    return neighbour_distance(places.centres, clustered, cell_m=places.cell_m)


def _features(
    measured: _Measured, around: np.ndarray, test: LocalTest | MoranTest, params: HotspotParams
) -> gpd.GeoDataFrame:
    """Return the places by class, the surest hot ones first, the surest cold ones last; in a class by their rank."""
    places, counts = measured.places, measured.places.counts
    judged = test.q if params.correction == "fdr" else test.p
    significance = _by_moran(test, judged, params) if isinstance(test, MoranTest) else _by_level(test, judged)
    total_km2 = places.ground_m2.sum() / M2_PER_KM2
    area_km2 = places.ground_m2 / M2_PER_KM2
    expected = counts.sum() * area_km2 / total_km2 if total_km2 > 0 else np.zeros(counts.size)
    basis = measured.basis
    features = places.units.features.assign(
        significance=significance,
        incidents_count=counts,
        rank=measured.ranks.rank,
        rank_low=measured.ranks.low,
        rank_high=measured.ranks.high,
        pai=np.divide(counts, expected, out=np.full(counts.size, np.nan), where=expected > 0),
        area_km2=area_km2,
        rate=None if basis is None else counts / basis,
        rate_smoothed=None if basis is None else smoothed_rates(counts, basis),
        neighbourhood_count=around,
        neighbours_count=test.neighbours,
        z=test.z,
        local_i=test.local_i if isinstance(test, MoranTest) else None,
        p=test.p,
        q=test.q,
        hot=_hot(test, judged, params.alpha),
        small_n=around < SMALL_N,
    )
    for name in ("name_zh", "name_en"):
        if name not in features.columns:
            features[name] = None
    group = np.array([_PLACE_IN_LIST.get(word, len(LEVELS)) for word in significance])
    order = np.lexsort((np.arange(counts.size), -np.nan_to_num(test.z), measured.ranks.rank, group))
    return features.iloc[order].reset_index(drop=True)[[*HOTSPOTS.names, "geometry"]]


def _hot(test: LocalTest | MoranTest, judged: np.ndarray, alpha: float) -> np.ndarray:
    busy = test.high & test.high_around if isinstance(test, MoranTest) else test.p_greater <= test.p_less
    return np.asarray((judged <= alpha) & busy)


def _by_level(test: LocalTest, judged: np.ndarray) -> np.ndarray:
    """Return the class of each place (n,): hot or cold, and how surely."""
    hotter = test.p_greater <= test.p_less
    significance = np.full(judged.size, "not_significant", dtype=object)
    for level, words in reversed(LEVELS):
        reached = judged <= level
        significance[reached & hotter] = f"hot_{words}"
        significance[reached & ~hotter] = f"cold_{words}"
    significance[test.neighbours == 0] = "no_neighbours"
    return significance


def _by_moran(test: MoranTest, judged: np.ndarray, params: HotspotParams) -> np.ndarray:
    """Return the class of each place (n,): high or low among high or low neighbours."""
    significance = np.full(judged.size, "not_significant", dtype=object)
    reached = judged <= params.alpha
    for high, own in ((True, "high"), (False, "low")):
        for high_around, others in ((True, "high"), (False, "low")):
            these = reached & (test.high == high) & (test.high_around == high_around)
            significance[these] = f"{own}_{others}"
    significance[test.neighbours == 0] = "no_neighbours"
    return significance


def _summary(features: gpd.GeoDataFrame, measured: _Measured, reach: NeighbourDistance | None) -> dict[str, Any]:
    hot, area = features["hot"], features["area_km2"]
    used, total = int(features["incidents_count"].sum()), float(area.sum())
    in_hot = float(features.loc[hot, "incidents_count"].sum() / used) if used else 0.0
    hot_area = float(area[hot].sum() / total) if total else 0.0
    summary: dict[str, Any] = {
        "incidents_count": used,
        "places_count": len(features),
        "area_km2": total,
        "hot_places_count": int(hot.sum()),
        "incidents_in_hot_share": in_hot,
        "area_in_hot_share": hot_area,
        "pai_of_hot": in_hot / hot_area if hot_area else None,
        "small_n_count": int(features["small_n"].sum()),
        "by_significance": {str(k): int(v) for k, v in features["significance"].value_counts().sort_index().items()},
    }
    if measured.basis is not None:
        summary["mean_rate"] = float(used / measured.basis.sum())
    if reach is not None:
        tried = zip(reach.distances, reach.z, strict=True)
        summary["autocorrelation"] = [{"distance_m": float(d), "z": float(z)} for d, z in tried if np.isfinite(z)]
    return summary


SERVICE = Service(
    id="hotspots",
    version=2,
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
    inputs=(
        Input(INCIDENTS),
        Input(GRIDS, required=False),
        Input(DISTRICTS, required=False),
        Input(BLOCKS, required=False),
        Input(WATER_AREAS, required=False),
    ),
    output=HOTSPOTS,
    compute=hotspots,
)
