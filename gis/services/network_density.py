"""Kernel density along streets: where incidents lie dense on the street network, not on the plane."""

from __future__ import annotations

from typing import Literal

import geopandas as gpd
import numpy as np
from pydantic import Field

from gis.city.frames import INCIDENTS, SEGMENTS
from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.city.street_network import StreetNetwork, street_network
from gis.contract.frame import LINES, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.network_density import network_density, predictive_score
from gis.kernels.street_graph import Lixels, lixels

MAX_LIXELS = 1_000_000
BANDWIDTHS_M = (100.0, 150.0, 200.0, 300.0, 400.0, 600.0, 800.0, 1_200.0)
"""Tried from narrow to wide when none is given, until the prediction no longer improves."""
PLAIN_BANDWIDTH_M = 300.0
MIN_HALF = 25
"""Fewer incidents on every other day than this are too few to choose a bandwidth by."""
SCORE_LIXEL_M = 50.0
LEAST_MASS = 1e-9
"""A lixel with less than a billionth of an incident has no density."""
CLASSES = ((0.10, "hdr_10"), (0.25, "hdr_25"), (0.50, "hdr_50"), (0.75, "hdr_75"), (0.90, "hdr_90"))


class NetworkDensityParams(IncidentSelection):
    """How the density is found."""

    bandwidth_m: float | None = Field(default=None, ge=10, le=5_000, json_schema_extra={"unit": "m"})
    """How far an incident counts along the streets, in metres; when not given, the one of 100 to 1,200 m under which
    every other day's incidents are best predicted by those of the days between."""
    kernel: Literal["quartic", "epanechnikov"] = "quartic"
    """How an incident's weight falls with the distance."""
    split: Literal["continuous", "discontinuous"] = "continuous"
    """How the weight is shared at a junction: so that the density has no jumps there, or equally among the streets
    ahead."""
    lixel_m: float | None = Field(default=50.0, ge=5, le=5_000, json_schema_extra={"unit": "m"})
    """Length of the pieces that streets are cut into, in metres, the last of each shorter; none keeps streets whole."""
    snap_m: float = Field(default=50.0, gt=0, le=500, json_schema_extra={"unit": "m"})
    """An incident farther than this from every street, in metres, is left out and counted."""


NETWORK_DENSITY = FrameSpec(
    "network_density",
    Text("沿街密度", "Density along streets"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("segment_code", "code", Text("路段编码", "Street segment"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("road_class", "code", Text("等级", "Class"), codebook="road_classes"),
        Column("rank", "integer", Text("名次", "Rank"), required=True, minimum=1),
        Column(
            "density_class",
            "code",
            Text("密度等级", "Density class"),
            required=True,
            codebook="density_classes",
            description="The shortest length of street that holds 10, 25, 50, 75 or 90 % of the density.",
        ),
        Column("density_per_km", "real", Text("密度", "Density"), required=True, minimum=0, unit="/km"),
        Column("share", "real", Text("占比", "Share of the density"), required=True, minimum=0),
        Column("incidents_count", "integer", Text("事件数", "Incidents here"), required=True, minimum=0),
        Column("length_m", "real", Text("长度", "Length"), required=True, minimum=0, unit="m"),
    ),
    LINES,
    key="code",
    mandate="Art. 18, 48",
)


def density_along_streets(
    params: NetworkDensityParams, context: Context, *, incidents: gpd.GeoDataFrame, segments: gpd.GeoDataFrame
) -> Findings:
    """Spread each incident over the streets around it, and return the pieces of street by density."""
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    streets = segments.sort_values("source_id", kind="stable").reset_index(drop=True)
    network = _network(streets, params)
    context.progress(0.2, f"{len(network.line)} pieces of street between junctions")
    edge, along = network.nearest(selected.points, params.snap_m)
    near = edge >= 0
    edge, along = edge[near], along[near]
    pieces = lixels(network.graph.length_m, params.lixel_m)
    mass = np.zeros(pieces.edge.size)
    bandwidth, choices = params.bandwidth_m, dict[str, object](bandwidth="given")
    if edge.size:
        if bandwidth is None:
            odd = _odd_days(selected, context)[near]
            bandwidth, choices = _bandwidth(network, edge, along, odd, params=params, context=context)
        context.progress(0.7, f"bandwidth {bandwidth:g} m")
        mass = network_density(
            network.graph, pieces, edge, along, bandwidth_m=bandwidth, kernel=params.kernel, split=params.split
        )
    counts = np.bincount(pieces.at(edge, along), minlength=mass.size)
    if params.lixel_m is None:
        features = _whole(streets, network, mass, counts)
    else:
        features = _cut(streets, network, pieces, mass, counts)
    negative = -float(features.loc[features["mass"] < -LEAST_MASS, "mass"].sum())
    summary = {
        "incidents_count": int(edge.size),
        "bandwidth_m": bandwidth,
        "streets_km": float(features["length_m"].sum() / 1_000),
        "mean_density_per_km": float(edge.size / (features["length_m"].sum() / 1_000)),
        "negative_share": negative / edge.size if edge.size else 0.0,
    }
    features, numbers = _ranked(features, edge.size)
    used = np.unique(network.edge_segment)
    return Findings(
        features,
        {**summary, **numbers},
        used={"incidents": int(edge.size), "segments": int(used.size)},
        period=selected.period,
        choices={**choices, "bandwidth_m": bandwidth, "extended_incidents_as_points": selected.moved_count},
        left_out=(
            *selected.left_out,
            *LeftOut.some("incidents", "too_far_from_street", int((~near).sum())),
            *LeftOut.some("segments", "too_short", len(streets) - int(used.size)),
        ),
    )


def _network(streets: gpd.GeoDataFrame, params: NetworkDensityParams) -> StreetNetwork:
    network = street_network(streets)
    if not len(network.line):
        raise InvalidParams(
            "network_density: no streets", [Problem("no_streets", "the city has no street", "segments")]
        )
    total_m = float(network.graph.length_m.sum())
    if params.lixel_m is not None and (asked := total_m / params.lixel_m) > MAX_LIXELS:
        why = f"{params.lixel_m:g} m gives about {asked:,.0f} pieces here, at most {MAX_LIXELS:,} are computed"
        raise InvalidParams("network_density: too many pieces", [Problem("too_many_lixels", why, "lixel_m")])
    return network


def _odd_days(selected: Selected, context: Context) -> np.ndarray:
    """Return which incidents (n,) happened on every other day of the city's calendar."""
    local = selected.incidents["occurred_at"].dt.tz_convert(context.profile.time_zone).dt.tz_localize(None)
    return np.asarray(local.to_numpy("datetime64[D]").astype(np.int64) % 2 == 1)


def _bandwidth(
    network: StreetNetwork,
    edge: np.ndarray,
    along: np.ndarray,
    odd: np.ndarray,
    *,
    params: NetworkDensityParams,
    context: Context,
) -> tuple[float, dict[str, object]]:
    """Return the bandwidth under which odd days predict even ones best and the other way round, and what was tried."""
    if min(odd.sum(), (~odd).sum()) < MIN_HALF:
        return PLAIN_BANDWIDTH_M, {"bandwidth": "too_few_to_choose"}
    pieces = lixels(network.graph.length_m, SCORE_LIXEL_M)
    tried: list[dict[str, float]] = []
    for share, bandwidth in zip(np.linspace(0.2, 0.6, len(BANDWIDTHS_M)), BANDWIDTHS_M, strict=True):
        context.progress(float(share), f"trying a bandwidth of {bandwidth:g} m")
        score = predictive_score(
            network.graph, pieces, edge, along, odd, bandwidth_m=bandwidth, kernel=params.kernel, split=params.split
        )
        tried.append({"bandwidth_m": bandwidth, "mean_log_density": score})
        if len(tried) > 1 and score < tried[-2]["mean_log_density"]:
            break
    best = max(tried, key=lambda one: one["mean_log_density"])
    return best["bandwidth_m"], {"bandwidth": "cross_validation", "bandwidths_tried": tried}


def _cut(
    streets: gpd.GeoDataFrame, network: StreetNetwork, pieces: Lixels, mass: np.ndarray, counts: np.ndarray
) -> gpd.GeoDataFrame:
    """Return one row a lixel with a number along its street."""
    row = network.edge_segment[pieces.edge]
    place = np.arange(row.size) - np.searchsorted(row, row) + 1
    table = _described(streets, row)
    return table.assign(
        code=[f"{code}-{number}" for code, number in zip(table["segment_code"], place, strict=True)],
        mass=mass,
        incidents_count=counts,
        length_m=pieces.length_m,
        geometry=network.pieces(pieces.edge, pieces.lower_m, pieces.upper_m),
    )


def _whole(streets: gpd.GeoDataFrame, network: StreetNetwork, mass: np.ndarray, counts: np.ndarray) -> gpd.GeoDataFrame:
    """Return one row a street, with what lies on all of its edges."""
    row, at = np.unique(network.edge_segment, return_inverse=True)
    sums = [np.bincount(at, weights=values) for values in (mass, counts, network.graph.length_m)]
    table = _described(streets, row)
    return table.assign(
        code=table["segment_code"],
        mass=sums[0],
        incidents_count=sums[1].astype(np.int64),
        length_m=sums[2],
        geometry=streets.geometry.to_numpy()[row],
    )


def _described(streets: gpd.GeoDataFrame, row: np.ndarray) -> gpd.GeoDataFrame:
    columns = {"segment_code": streets["source_id"].to_numpy()[row]}
    for name in ("name_zh", "name_en", "road_class"):
        columns[name] = streets[name].to_numpy()[row] if name in streets.columns else None
    return gpd.GeoDataFrame(columns, geometry=streets.geometry.to_numpy()[row], crs=streets.crs)


def _ranked(features: gpd.GeoDataFrame, n: int) -> tuple[gpd.GeoDataFrame, dict[str, object]]:
    """Return the pieces with a density, the densest first, each with its class, and the numbers of the classes."""
    dense = features[features["mass"] > LEAST_MASS]
    dense = dense.assign(density_per_km=dense["mass"] / (dense["length_m"] / 1_000), share=dense["mass"] / max(n, 1))
    dense = dense.sort_values(["density_per_km", "code"], ascending=[False, True], kind="stable").reset_index(drop=True)
    before = (dense["mass"].cumsum() - dense["mass"]) / max(dense["mass"].sum(), LEAST_MASS)
    classes = np.full(len(dense), "rest", dtype=object)
    for level, code in reversed(CLASSES):
        classes[before < level] = code
    dense = dense.assign(density_class=classes, rank=np.arange(1, len(dense) + 1))
    streets_m = float(features["length_m"].sum())
    table = [
        {
            "density_class": code,
            "share": float(rows["share"].sum()),
            "length_km": float(rows["length_m"].sum() / 1_000),
            "length_share": float(rows["length_m"].sum() / streets_m),
            "incidents_count": int(rows["incidents_count"].sum()),
        }
        for code in (*(code for _, code in CLASSES), "rest")
        for rows in [dense[dense["density_class"] == code]]
    ]
    numbers = {
        "lixels_count": len(dense),
        "lixels_without_density_count": len(features) - len(dense),
        "highest_density_per_km": float(dense["density_per_km"].max()) if len(dense) else 0.0,
        "by_density_class": table,
    }
    return dense[[*NETWORK_DENSITY.names, "geometry"]], numbers


SERVICE = Service(
    id="network_density",
    version=1,
    title=NETWORK_DENSITY.title,
    abstract=Text(
        "沿街道网络的核密度（Okabe 等的等分核，连续或不连续）：权重在路口分流，总量保持不变，按街道长度分等级。",
        "Kernel density along the street network (equal-split kernels of Okabe and others, continuous or "
        "discontinuous): weight is shared at junctions and none is lost; classes by length of street.",
    ),
    card=Text(
        "显示事件沿街道最密集的路段，距离按街道计算而不是直线。不作显著性检验，密集也可能出于偶然；检验见热点。",
        "Shows on which streets incidents lie densest, with distances along the streets and not as the crow flies. It "
        "tests nothing and density may be chance; for a test see hotspots.",
    ),
    mandate="Art. 18, 48",
    params=NetworkDensityParams,
    inputs=(Input(INCIDENTS), Input(SEGMENTS)),
    output=NETWORK_DENSITY,
    compute=density_along_streets,
)
