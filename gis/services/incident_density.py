"""Incident density: where incidents lie dense, and where the density changed from one period to another."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import shapely
from pydantic import Field
from shapely.geometry.base import BaseGeometry

from gis.city.frames import DISTRICTS, INCIDENTS, WATER_AREAS
from gis.city.mesh import Mesh, mesh_of
from gis.city.periods import Compared, ComparedSelection, select_compared
from gis.city.study_area import study_area
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.bandwidth import scott_bandwidth
from gis.kernels.density_estimate import LEAST_INSIDE, Estimator, adaptive_estimator, fixed_estimator
from gis.kernels.density_surfaces import change_test, highest_density
from gis.kernels.lattice import Lattice
from gis.kernels.multiple_testing import benjamini_hochberg

CELLS = 12_000
"""About how many cells there are when their size is not given."""
MAX_CELLS = 250_000
MAX_NODES = 6_000_000
STEPS = 14.0
"""Steps of the nodes in a bandwidth, where there are not too many nodes for it. The peak is then less than 1e-3 off
even when all incidents stand at one place: at most by a sixth of the squared step over the squared bandwidth."""
LEAST_LATTICE_M = 10.0
LEAST_BANDWIDTH_M = 1.0
"""A rule that gives less speaks of one place."""
MIN_STEPS = 4.0
NODES_A_CELL = 4
"""Nodes along a cell's side, at least: they also measure how much of a cell lies in the study area."""
NICE = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
LEVELS = ((0.10, "hdr_10"), (0.25, "hdr_25"), (0.50, "hdr_50"), (0.75, "hdr_75"), (0.90, "hdr_90"))
KM2 = 1e6


class DensityParams(ComparedSelection):
    """How the density is found."""

    bandwidth_m: float | None = Field(default=None, gt=0, le=50_000, json_schema_extra={"unit": "m"})
    """How far an incident counts: standard deviation of its Gaussian kernel, in metres; when not given, by the rule of
    Scott on a robust spread."""
    adaptive: bool = False
    """Take a narrower kernel where much happens and a wider one where little does (Abramson)."""
    edge_correction: Literal["uniform", "jones_diggle", "none"] = "uniform"
    """How the part of a kernel beyond the border or over water is made up for: the surface is divided by the part
    inside (uniform), every incident keeps its whole weight inside (jones_diggle), or not at all."""
    lattice_m: float | None = Field(default=None, ge=LEAST_LATTICE_M, le=10_000, json_schema_extra={"unit": "m"})
    """Side of a square cell, in metres; when not given, so that there are about 12,000 cells at most."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Level at which a cell counts as changed in the summary: expected share of false ones among them."""


INCIDENT_DENSITY = FrameSpec(
    "incident_density",
    Text("事件密度", "Incident density"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column(
            "density_per_km2",
            "real",
            Text("密度", "Density"),
            required=True,
            minimum=0,
            unit="/km²",
            description="Incidents of the period per square kilometre; the mean over what lies in the study area.",
        ),
        Column(
            "density_class",
            "code",
            Text("密度等级", "Density class"),
            required=True,
            codebook="density_classes",
            description="The smallest area that holds 10, 25, 50, 75 or 90 % of the incidents as the density has them.",
        ),
        Column(
            "incidents_share",
            "real",
            Text("事件占比", "Share of the incidents"),
            required=True,
            minimum=0,
            maximum=1,
            description="Of all incidents, as the density has them, in this cell.",
        ),
        Column(
            "effective_count",
            "real",
            Text("有效事件数", "Effective incidents"),
            required=True,
            minimum=0,
            description="How many incidents the value rests on; one over its root is the relative standard error.",
        ),
        Column(
            "inside_share",
            "real",
            Text("研究范围占比", "Share in the study area"),
            required=True,
            minimum=0,
            maximum=1,
            description="Of the cell, without water.",
        ),
        Column(
            "compare_per_km2",
            "real",
            Text("对比时段密度", "Density to compare with"),
            minimum=0,
            unit="/km²",
            description="Of the other period, scaled to the length of the first.",
        ),
        Column("change_per_km2", "real", Text("密度变化", "Change"), unit="/km²"),
        Column("change_z", "real", Text("变化 z 值", "z-score of the change")),
        Column(
            "change_q",
            "real",
            Text("变化错误发现率 q", "False discovery rate q of the change"),
            minimum=0,
            maximum=1,
        ),
        Column(
            "change_class",
            "code",
            Text("变化等级", "Change"),
            codebook="density_change_classes",
            description="After correction for testing many cells, at 99 and 95 % confidence.",
        ),
    ),
    AREAS,
    key="code",
    mandate="Art. 18, 48",
)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where the density is estimated, and from what.

    Attributes
    ----------
    points : (n, 2)
        Of both periods, inside the study area.
    first : (n,)
        Which of them belong to the first period.
    study_area
        What it was made of.
    """

    points: np.ndarray
    first: np.ndarray
    mesh: Mesh
    bandwidth_m: float
    study_area: str


def incident_density(
    params: DensityParams,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Findings:
    """Estimate the density of incidents over the study area, and its change where a second period is given."""
    selected = select_compared(incidents, params, time_zone=context.profile.time_zone)
    context.progress(0.2, "incidents selected")
    ground = _ground(params, context, selected, districts=districts, water_areas=water_areas)
    context.progress(0.4, f"{len(ground.mesh.cells)} cells")
    ground, estimator = _estimator(params, ground)
    columns = _density(estimator, ground)
    context.progress(0.7, "density estimated")
    if selected.other is not None:
        columns |= _change(estimator, ground, columns, times=selected.times)
    features = _features(columns, ground, context.profile.metric_crs)
    used, given = len(ground.points), sum(len(s.points) for s in selected.both)
    outside = (LeftOut("incidents", "outside_study_area", given - used),) if given > used else ()
    return Findings(
        features,
        _summary(features, ground, params),
        used={
            "incidents": used,
            "districts": len(districts) if districts is not None and ground.study_area == "districts" else 0,
            "water_areas": len(water_areas) if water_areas is not None else 0,
        },
        period=selected.chosen.period,
        choices={
            "study_area": ground.study_area,
            "water_left_out": water_areas is not None and not water_areas.empty,
            **_bandwidth_choices(params, ground, estimator),
            "lattice_m": ground.mesh.lattice.size_m,
            "node_step_m": ground.mesh.window.nodes.step,
            **selected.choices,
            "extended_incidents_as_points": sum(s.moved_count for s in selected.both),
        },
        left_out=(*selected.left_out, *outside),
    )


def _ground(
    params: DensityParams,
    context: Context,
    selected: Compared,
    *,
    districts: gpd.GeoDataFrame | None,
    water_areas: gpd.GeoDataFrame | None,
) -> Ground:
    """Lay cells and nodes over the study area; keep the points from which the density there can be estimated."""
    points = np.concatenate([s.points for s in selected.both])
    first = np.arange(len(points)) < len(selected.chosen.points)
    kept = np.isfinite(points).all(axis=1)
    if districts is not None and len(districts):
        area, named = study_area(points[kept], districts)
        shapely.prepare(area)
        kept &= shapely.intersects_xy(area, *points.T)
        bandwidth_m = _bandwidth(params, points[kept & first])
    else:
        bandwidth_m = _bandwidth(params, points[kept & first])
        area, named = study_area(points[kept], None, margin_m=bandwidth_m)
    bandwidth_m = _affordable(params, bandwidth_m, area)
    lattice = _lattice(params, context, area)
    mesh = mesh_of(area, water_areas, lattice, parts=_parts(lattice, bandwidth_m, area))
    if not len(mesh.cells):
        why = "no node of the mesh lies in the study area: it is all water, or too small for such cells"
        raise InvalidParams("there is no ground", [Problem("no_ground", why, "lattice_m")])
    return Ground(points[kept], first[kept], mesh, bandwidth_m, named)


def _estimator(params: DensityParams, ground: Ground) -> tuple[Ground, Estimator]:
    """Return the estimator, and the ground with the points it takes."""
    window, correction = ground.mesh.window, params.edge_correction
    fixed = fixed_estimator(ground.points, window, ground.bandwidth_m, correction=correction)
    # Far out on the water no part of a kernel reaches land: there is nowhere to count such an incident.
    near = fixed.share_inside >= LEAST_INSIDE
    ground = replace(ground, points=ground.points[near], first=ground.first[near])
    if not params.adaptive or not near.any():
        return ground, fixed.only(near)
    return ground, adaptive_estimator(ground.points, window, ground.bandwidth_m, correction=correction)


def _bandwidth(params: DensityParams, points: np.ndarray) -> float:
    """Return the bandwidth asked for, or that of the rule to two digits."""
    if params.bandwidth_m is not None:
        return params.bandwidth_m
    by_rule = scott_bandwidth(points) if len(points) else 0.0
    if by_rule < LEAST_BANDWIDTH_M:
        where = "stand at one place" if len(points) else "are none"
        why = f"the incidents {where}, so that no bandwidth follows from their spread; say which one to take"
        raise InvalidParams("no bandwidth can be chosen", [Problem("no_spread", why, "bandwidth_m")])
    return float(f"{by_rule:.2g}")


def _affordable(params: DensityParams, bandwidth_m: float, area: BaseGeometry) -> float:
    """Return the bandwidth where the nodes it needs can be computed; a wider one only where none was asked for."""
    west, south, east, north = area.bounds
    least = MIN_STEPS * math.sqrt((east - west) * (north - south) / MAX_NODES)
    if bandwidth_m < least and params.bandwidth_m is not None:
        why = f"{bandwidth_m:g} m is too narrow for an area of this size; the narrowest is {math.ceil(least)} m"
        raise InvalidParams("the bandwidth is too narrow", [Problem("bandwidth_too_narrow", why, "bandwidth_m")])
    return max(bandwidth_m, least)


def _lattice(params: DensityParams, context: Context, area: BaseGeometry) -> Lattice:
    size_m = params.lattice_m
    if size_m is None:
        least = max(math.sqrt(area.area / CELLS), LEAST_LATTICE_M)
        scale = 10.0 ** math.floor(math.log10(least))
        size_m = next(nice * scale for nice in NICE if nice * scale >= least * (1 - 1e-9))
    lattice = Lattice("square", size_m, context.profile.lattice_origin)
    if (asked := lattice.count_within(area.bounds)) > MAX_CELLS:
        why = f"{size_m:g} m gives about {asked:,.0f} cells here, at most {MAX_CELLS:,} are computed"
        raise InvalidParams("the lattice is too fine for this area", [Problem("too_many_cells", why, "lattice_m")])
    return lattice


def _parts(lattice: Lattice, bandwidth_m: float, area: BaseGeometry) -> int:
    """Return how many nodes stand along a cell's side: `STEPS` in a bandwidth, or as many as can be computed."""
    west, south, east, north = area.bounds
    most = math.floor(lattice.size_m * math.sqrt(MAX_NODES / ((east - west) * (north - south))))
    wanted = math.ceil(STEPS * lattice.size_m / bandwidth_m)
    least = math.ceil(MIN_STEPS * lattice.size_m / bandwidth_m)
    return max(NODES_A_CELL, least, min(wanted, most))


def _density(estimator: Estimator, ground: Ground) -> dict[str, np.ndarray]:
    mesh = ground.mesh
    density = mesh.means(estimator.density(ground.first))
    variance = mesh.means(estimator.variance(ground.first))
    area_m2 = mesh.inside_share * mesh.lattice.cell_area_m2
    held = density * area_m2
    before = highest_density(density, area_m2)
    names = np.array([*(name for _, name in LEVELS), "rest"], dtype=object)
    return {
        "density_per_km2": density * KM2,
        "density_class": names[np.searchsorted([level for level, _ in LEVELS], before, side="right")],
        "incidents_share": held / max(held.sum(), np.finfo(float).tiny),
        "effective_count": np.divide(density**2, variance, out=np.zeros_like(density), where=variance > 0),
        "inside_share": mesh.inside_share,
        "variance": variance,
    }


def _change(
    estimator: Estimator, ground: Ground, columns: dict[str, np.ndarray], *, times: float
) -> dict[str, np.ndarray]:
    """Return the other period's density, scaled to the length of the first, and the test of the difference."""
    mesh = ground.mesh
    now = columns["density_per_km2"] / KM2
    before = mesh.means(estimator.density(~ground.first))
    variance = columns["variance"] + mesh.means(estimator.variance(~ground.first))
    test = change_test(now, before, variance, times=times)
    q = benjamini_hochberg(test.p)
    change = (now - times * before) * KM2
    classes = np.full(q.size, "not_significant", dtype=object)
    for level, words in ((0.05, "95"), (0.01, "99")):
        classes[(q <= level) & (change > 0)] = f"up_{words}"
        classes[(q <= level) & (change < 0)] = f"down_{words}"
    return {
        "compare_per_km2": times * before * KM2,
        "change_per_km2": change,
        "change_z": test.z,
        "change_q": q,
        "change_class": classes,
    }


def _features(columns: dict[str, np.ndarray], ground: Ground, crs: str) -> gpd.GeoDataFrame:
    """Return the cells, the densest first."""
    mesh = ground.mesh
    order = np.argsort(-columns["density_per_km2"], kind="stable")
    cells = mesh.cells[order]
    table: dict[str, Any] = {"code": mesh.lattice.codes(cells)}
    for column in INCIDENT_DENSITY.columns[1:]:
        empty = None if column.kind == "code" else np.nan
        table[column.name] = columns[column.name][order] if column.name in columns else empty
    corners = mesh.lattice.corners(cells)
    squares = shapely.box(*corners[:, 0].T, *corners[:, 2].T)
    return gpd.GeoDataFrame(table, geometry=squares, crs=crs)


def _bandwidth_choices(params: DensityParams, ground: Ground, estimator: Estimator) -> dict[str, object]:
    choices: dict[str, object] = {
        "bandwidth": "given" if params.bandwidth_m is not None else "scott",
        "bandwidth_m": ground.bandwidth_m,
    }
    if params.adaptive:
        classes = estimator.bandwidths.classes
        choices |= {"narrowest_bandwidth_m": float(classes[0]), "widest_bandwidth_m": float(classes[-1])}
    return choices


def _summary(features: gpd.GeoDataFrame, ground: Ground, params: DensityParams) -> dict[str, object]:
    area_km2 = features["inside_share"] * ground.mesh.lattice.cell_area_m2 / KM2
    compared = features["change_class"].notna().any()
    regions = []
    for number, (_, name) in enumerate(LEVELS, start=1):
        held = features["density_class"].isin([inner for _, inner in LEVELS[:number]])
        regions.append(
            {
                "density_class": name,
                "cells_count": int(held.sum()),
                "area_km2": float(area_km2[held].sum()),
                "area_share": float(area_km2[held].sum() / area_km2.sum()),
                "incidents_share": float(features.loc[held, "incidents_share"].sum()),
            }
        )
    summary: dict[str, object] = {
        "incidents_count": int(ground.first.sum()),
        "estimated_count": float((features["density_per_km2"] * area_km2).sum()),
        "bandwidth_m": ground.bandwidth_m,
        "mean_per_km2": float((features["density_per_km2"] * area_km2).sum() / area_km2.sum()),
        "peak_per_km2": float(features["density_per_km2"].max()),
        "area_km2": float(area_km2.sum()),
        "lattice_m": ground.mesh.lattice.size_m,
        "cells_count": len(features),
        "highest_density_regions": regions,
    }
    if compared:
        changed, change = features["change_q"] <= params.alpha, features["change_per_km2"]
        summary |= {
            "compare_count": int((~ground.first).sum()),
            "tested_cells_count": int(features["change_q"].notna().sum()),
            "up_cells_count": int((changed & (change > 0)).sum()),
            "down_cells_count": int((changed & (change < 0)).sum()),
        }
    return summary


SERVICE = Service(
    id="incident_density",
    version=1,
    title=INCIDENT_DENSITY.title,
    abstract=Text(
        "事件的核密度：按边界和水面校正，带宽自动或自适应，给出含给定比例事件的最小范围；可与另一时段比较，逐格检验并校正。",
        "Kernel density of incidents, corrected for borders and water, with a chosen or adaptive bandwidth, and the "
        "smallest areas that hold given shares; compared with another period, every cell is tested and corrected.",
    ),
    card=Text(
        "显示事件在何处密集，以及与另一时段相比何处的变化超出偶然。密集不等于热点或风险：未考虑那里有多少人，上报多少也因地而异。",
        "Shows where incidents lie dense, and where that changed beyond chance from another period. Dense is neither "
        "hot nor risky: nothing is known of how many people are there, and reporting differs from place to place.",
    ),
    mandate="Art. 18, 48",
    params=DensityParams,
    inputs=(Input(INCIDENTS), Input(DISTRICTS, required=False), Input(WATER_AREAS, required=False)),
    output=INCIDENT_DENSITY,
    compute=incident_density,
)
