"""Incident clusters: groups of incidents that lie close together (DBSCAN, HDBSCAN); a description, not a test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pydantic import Field
from scipy.spatial import cKDTree
from sklearn.cluster import DBSCAN, HDBSCAN

from gis.city.frames import INCIDENTS
from gis.city.selection import IncidentSelection, select_incidents
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem

MOST_FOR_HDBSCAN = 50_000
"""It takes about ten seconds for so many, and grows with their square."""
MOST_PAIRS = 50_000_000
"""Pairs of places within the distance that DBSCAN may hold in memory."""
DENSE_SHARE = 0.25
"""Share of incidents that have company enough within the distance chosen when none is given."""
LEAST_DISTANCE_M = 10.0
SAMPLE = 10_000
HULL_RATIO = 0.3
"""How concave a hull is: 0 follows every point, 1 is convex."""
MARGIN_M = 20.0
"""Around a hull, so that a cluster at one address has an area."""


class IncidentClustersParams(IncidentSelection):
    """How clusters are found and drawn."""

    algorithm: Literal["dbscan", "hdbscan"] = "dbscan"
    """One distance for the whole city, or one that adapts to how dense it is."""
    eps_m: float | None = Field(default=None, gt=0, le=5_000, json_schema_extra={"unit": "m"})
    """Incidents belong together up to this distance, in metres; when not given, the distance within which a quarter of
    all incidents have `min_incidents` around them. HDBSCAN needs none."""
    min_incidents: int = Field(default=20, ge=2, le=1_000)
    """An incident is the core of a cluster when so many, itself counted, lie within the distance; with HDBSCAN also the
    smallest size of a cluster."""
    hull: Literal["concave", "convex"] = "concave"
    """How a cluster is drawn around its incidents; 20 m are added."""


INCIDENT_CLUSTERS = FrameSpec(
    "incident_clusters",
    Text("事件聚集", "Incident clusters"),
    (
        Column("code", "code", Text("编码", "Code"), required=True, description="By size, the largest first."),
        Column("incidents_count", "integer", Text("事件数", "Incidents"), required=True, minimum=1),
        Column("share", "real", Text("占比", "Share of all incidents"), required=True, minimum=0, maximum=1),
        Column("places_count", "integer", Text("不同位置数", "Distinct places"), required=True, minimum=1),
        Column("area_km2", "real", Text("面积", "Area"), required=True, minimum=0, unit="km²"),
        Column("incidents_per_km2", "real", Text("密度", "Density"), required=True, minimum=0, unit="/km²"),
        Column("first_at", "instant", Text("首次发生", "First at"), required=True),
        Column("last_at", "instant", Text("最近发生", "Last at"), required=True),
        Column(
            "top_category",
            "code",
            Text("主要类别", "Most frequent category"),
            required=True,
            codebook="incident_categories",
        ),
        Column("top_category_share", "real", Text("主要类别占比", "Its share"), required=True, minimum=0, maximum=1),
        Column(
            "membership",
            "real",
            Text("平均隶属度", "Mean membership"),
            minimum=0,
            maximum=1,
            description="How firmly its incidents belong to it, 0 to 1; HDBSCAN only.",
        ),
    ),
    AREAS,
    key="code",
    mandate="Art. 18, 48",
)


@dataclass(frozen=True, slots=True)
class Labels:
    """The cluster of each incident.

    Attributes
    ----------
    cluster : (n,)
        -1 for an incident in none.
    membership : (n,) or None
        How firmly an incident belongs to its cluster, 0 to 1.
    eps_m
        The one distance of DBSCAN.
    """

    cluster: np.ndarray
    membership: np.ndarray | None = None
    eps_m: float | None = None


def incident_clusters(params: IncidentClustersParams, context: Context, *, incidents: gpd.GeoDataFrame) -> Findings:
    """Find groups of incidents that lie close together, and draw a line around each."""
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    placed = np.isfinite(selected.points).all(axis=1)
    rows, points = selected.incidents[placed], selected.points[placed]
    context.progress(0.1, "incidents selected")
    labels = _dbscan(points, params) if params.algorithm == "dbscan" else _hdbscan(points, params)
    context.progress(0.8, "clusters found")
    features = _features(rows, points, labels, params, context)
    n, clustered = len(points), int(features["incidents_count"].sum())
    left_out = selected.left_out
    if outside := int((~placed).sum()):
        left_out = (*left_out, LeftOut("incidents", "outside_study_area", outside))
    return Findings(
        features,
        {
            "incidents_count": n,
            "clusters_count": len(features),
            "clustered_count": clustered,
            "unclustered_count": n - clustered,
            "clustered_share": clustered / n if n else 0.0,
            "largest_cluster_share": float(features["share"].max()) if len(features) else 0.0,
            "clusters_area_km2": float(features["area_km2"].sum()),
            "eps_m": labels.eps_m,
        },
        used={"incidents": n},
        period=selected.period,
        choices={
            "eps_m": labels.eps_m,
            "distance": _distance_words(params),
            "extended_incidents_as_points": selected.moved_count,
        },
        left_out=left_out,
    )


def _distance_words(params: IncidentClustersParams) -> str:
    if params.algorithm == "hdbscan":
        return "adapts_to_density"
    return "given" if params.eps_m is not None else "nearest_neighbours"


def _dbscan(points: np.ndarray, params: IncidentClustersParams) -> Labels:
    """Return clusters of one distance; incidents at the same place are one place with their number as weight."""
    if len(points) < params.min_incidents:
        return Labels(np.full(len(points), -1), eps_m=params.eps_m)
    places, place, times = np.unique(points, axis=0, return_inverse=True, return_counts=True)
    distance = params.eps_m or _usual_distance(points, params.min_incidents)
    _refuse_too_many_pairs(places, distance)
    found = DBSCAN(eps=distance, min_samples=params.min_incidents, algorithm="kd_tree").fit(places, sample_weight=times)
    return Labels(found.labels_[place], eps_m=distance)


def _usual_distance(points: np.ndarray, k: int) -> float:
    """Return the distance, in whole metres, within which a quarter of all incidents have k, themselves counted."""
    ordered = points[np.lexsort(points.T)]
    some = ordered[:: max(len(points) // SAMPLE, 1)]
    farthest = cKDTree(ordered).query(some, k=[k])[0][:, 0]
    return max(float(np.ceil(np.quantile(farthest, DENSE_SHARE))), LEAST_DISTANCE_M)


def _refuse_too_many_pairs(places: np.ndarray, eps_m: float) -> None:
    some = places[:: max(len(places) // SAMPLE, 1)]
    around = cKDTree(places).query_ball_point(some, eps_m, return_length=True)
    if (pairs := float(np.mean(around)) * len(places)) > MOST_PAIRS:
        why = f"{eps_m:g} m gives about {pairs:,.0f} pairs of places, at most {MOST_PAIRS:,} are computed"
        raise InvalidParams("incident_clusters: too wide", [Problem("too_many_pairs", why, "eps_m")])


def _hdbscan(points: np.ndarray, params: IncidentClustersParams) -> Labels:
    """Return clusters of any density."""
    if len(points) > MOST_FOR_HDBSCAN:
        why = (
            f"{len(points):,} incidents are chosen and HDBSCAN takes at most {MOST_FOR_HDBSCAN:,}; "
            "choose fewer, or the algorithm dbscan"
        )
        raise InvalidParams("incident_clusters: too many incidents", [Problem("too_many_incidents", why, "algorithm")])
    if len(points) < params.min_incidents:
        return Labels(np.full(len(points), -1))
    # In one order, whatever the order of the rows: where distances tie, the first wins.
    order = np.lexsort(points.T)
    found = HDBSCAN(min_cluster_size=params.min_incidents, algorithm="kd_tree", copy=True).fit(points[order])
    back = np.argsort(order)
    return Labels(found.labels_[back], membership=found.probabilities_[back])


def _features(
    rows: gpd.GeoDataFrame, points: np.ndarray, labels: Labels, params: IncidentClustersParams, context: Context
) -> gpd.GeoDataFrame:
    inside = labels.cluster >= 0
    members = pd.DataFrame(rows.loc[inside, ["occurred_at", "category"]]).reset_index(drop=True)
    members = members.assign(
        occurred_at=members["occurred_at"].dt.tz_convert("UTC"),
        cluster=labels.cluster[inside],
        x=points[inside, 0],
        y=points[inside, 1],
        membership=np.nan if labels.membership is None else labels.membership[inside],
    )
    groups = members.groupby("cluster", sort=True)
    categories = members.groupby(["cluster", "category"]).size().reset_index(name="times")
    # The most frequent, of several the first in the alphabet.
    top = categories.sort_values(["times", "category"], ascending=[False, True]).drop_duplicates("cluster")
    table = pd.DataFrame(
        {
            "incidents_count": groups.size(),
            "places_count": members.drop_duplicates(["cluster", "x", "y"]).groupby("cluster").size(),
            "first_at": groups["occurred_at"].min(),
            "last_at": groups["occurred_at"].max(),
            "top_category": top.set_index("cluster")["category"],
            "top_category_share": top.set_index("cluster")["times"] / groups.size(),
            "membership": groups["membership"].mean(),
            "west": groups["x"].min(),
            "south": groups["y"].min(),
        }
    )
    features = gpd.GeoDataFrame(table, geometry=_hulls(members, params), crs=context.profile.metric_crs)
    features = features.sort_values(["incidents_count", "west", "south"], ascending=[False, True, True])
    area_km2 = features.area / 1e6
    features = features.assign(
        code=[f"c{number:04}" for number in range(1, len(features) + 1)],
        share=features["incidents_count"] / max(len(points), 1),
        area_km2=area_km2,
        incidents_per_km2=features["incidents_count"] / area_km2,
    )
    return features[[*INCIDENT_CLUSTERS.names, "geometry"]].reset_index(drop=True)


def _hulls(members: pd.DataFrame, params: IncidentClustersParams) -> np.ndarray:
    """Return the hull of each cluster, in the order of their numbers."""
    ordered = members.drop_duplicates(["cluster", "x", "y"]).sort_values(["cluster", "x", "y"])
    _, cluster = np.unique(ordered["cluster"], return_inverse=True)
    shapes = shapely.multipoints(ordered[["x", "y"]].to_numpy(), indices=cluster)
    if params.hull == "convex":
        return np.asarray(shapely.buffer(shapely.convex_hull(shapes), MARGIN_M))
    return np.asarray(shapely.buffer(shapely.concave_hull(shapes, ratio=HULL_RATIO), MARGIN_M))


SERVICE = Service(
    id="incident_clusters",
    version=1,
    title=INCIDENT_CLUSTERS.title,
    abstract=Text(
        "把彼此相近的事件归为一组（DBSCAN 或 HDBSCAN），给出范围、数量、时间和主要类别；只作描述，不作检验。",
        "Groups incidents that lie close together (DBSCAN or HDBSCAN), with their extent, number, time and main "
        "category; a description, not a test.",
    ),
    card=Text(
        "显示彼此相近、数量达到设定值的事件群及其范围。只作描述，不作显著性检验，随机散布也会成群；检验见热点。",
        "Shows groups of incidents that lie close together, and their extent. It is a description and no test, since "
        "incidents spread at random form groups too; for a test see hotspots.",
    ),
    mandate="Art. 18, 48",
    params=IncidentClustersParams,
    inputs=(Input(INCIDENTS),),
    output=INCIDENT_CLUSTERS,
    compute=incident_clusters,
)
