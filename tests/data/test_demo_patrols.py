"""The demo city's checkpoints, resources and patrol runs: along real streets, and as the truth says."""

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely

from data.synth.patrols import UNITS
from gis.city import codebooks

BESIDE_M = 12.0
ONE_SECOND_M = 4.2
"""By car; a way of less than a second is no row of its own."""


@pytest.fixture(scope="module")
def walked(truth):
    return truth["patrols"]


def halts_of(runs):
    return runs[runs.geom_type == "Point"]


def test_motors_reach_every_corner_and_feet_every_street(demo) -> None:
    segments = demo.segments
    motor = segments[(segments["access"] == "open") & (segments["road_class"] != "path")]
    graph = nx.DiGraph()
    graph.add_edges_from(motor[["from_node", "to_node"]].itertuples(index=False))
    graph.add_edges_from(motor.loc[~motor["oneway"], ["to_node", "from_node"]].itertuples(index=False))
    assert nx.number_strongly_connected_components(graph) == 1
    assert set(segments[segments["oneway"]].index) <= set(motor.index)
    assert 0.08 < motor["oneway"].mean() < 0.3
    on_foot = nx.Graph()
    on_foot.add_edges_from(
        segments.loc[segments["access"] != "closed", ["from_node", "to_node"]].itertuples(index=False)
    )
    assert nx.number_connected_components(on_foot) == 1
    assert set(segments["access"]) == set(codebooks()["segment_access"])


def test_nodes_are_the_corners_of_the_lines(demo) -> None:
    lines = demo.segments.geometry.to_numpy()
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    named = pd.DataFrame({"node": pd.concat([demo.segments["from_node"], demo.segments["to_node"]]).to_numpy()})
    named["place"] = shapely.to_wkb(ends)
    pairs = named.drop_duplicates()
    assert pairs["node"].is_unique
    assert pairs["place"].is_unique


def test_one_way_streets_keep_their_direction(demo) -> None:
    """At most corners where two pieces of a one-way street meet, one comes in and the other goes out."""
    oneway = demo.segments[demo.segments["oneway"]]
    comes, goes = oneway.groupby(["name_en", "to_node"]).size(), oneway.groupby(["name_en", "from_node"]).size()
    met = comes.index.intersection(goes.index)
    against = (comes > 1).sum() + (goes > 1).sum()
    assert len(met) > 300
    assert against < 0.02 * len(met)


def test_bridges_are_raised(metric) -> None:
    segments = metric["segments"]
    wet = metric["water_areas"].loc[metric["water_areas"]["name_en"].isin(["Moat", "Grand Canal"])].union_all()
    assert set(segments["level"]) == {0, 1}
    over = segments.geometry.crosses(wet)
    assert over.sum() > 15
    assert (segments.loc[over, "level"] == 1).all()


def test_checkpoints_and_resources_stand_beside_open_streets(demo, metric) -> None:
    assert 40 <= len(demo.checkpoints) <= 80
    assert demo.checkpoints["dwell_min"].isna().any()
    window = demo.checkpoints.dropna(subset=["window_from"])
    assert (window["window_from"] > window["window_to"]).any(), "one window runs past midnight"
    assert set(codebooks()["resource_kinds"]) - set(demo.resources["kind"]) == {"other_resource"}
    assert (demo.resources["quantity_count"] >= 1).all()
    segments = metric["segments"]
    tree = shapely.STRtree(segments.geometry[(segments["access"] == "open")].to_numpy())
    for name in ("checkpoints", "resources"):
        _, away = tree.query_nearest(metric[name].geometry.to_numpy(), return_distance=True, all_matches=False)
        assert away.max() < BESIDE_M * 2


def test_units_have_labels_and_shifts(demo, walked) -> None:
    runs = demo.patrol_runs
    assert dict(runs.groupby("unit_label")["unit_kind"].first()) == {u: plan["kind"] for u, plan in UNITS.items()}
    assert set(runs["unit_kind"]) == set(codebooks()["patrol_kinds"])
    assert len(runs) == walked["runs_count"]
    assert runs.groupby(["unit_label", "shift_label"]).ngroups == walked["shifts_count"]
    assert (runs["ended_at"] > runs["started_at"]).all()
    local = runs["started_at"].dt.tz_convert("Asia/Shanghai")
    assert local.min() >= pd.Timestamp(walked["first_day"], tz="Asia/Shanghai")
    assert local.max() < pd.Timestamp(walked["last_day"], tz="Asia/Shanghai") + pd.Timedelta(days=1)


def test_a_unit_is_at_one_place_at_a_time_and_never_jumps(metric) -> None:
    runs = metric["patrol_runs"].sort_values(["unit_label", "started_at"])
    shapes = runs.geometry.to_numpy()
    same = (runs["unit_label"] + runs["shift_label"]).to_numpy()
    follows = np.flatnonzero(same[1:] == same[:-1])
    assert (runs["started_at"].array[1:][follows] >= runs["ended_at"].array[:-1][follows]).all()
    halts = shapely.get_type_id(shapes) == 0
    last = np.where(halts, shapes, shapely.get_point(shapes, -1))
    first = np.where(halts, shapes, shapely.get_point(shapes, 0))
    jump = shapely.distance(last[:-1], first[1:])[follows]
    assert jump.max() < ONE_SECOND_M
    lines = runs[~halts]
    kmh = lines.length / (lines["ended_at"] - lines["started_at"]).dt.total_seconds() * 3.6
    assert kmh.max() < 17


def test_runs_follow_streets_that_are_not_closed(metric) -> None:
    runs, segments = metric["patrol_runs"], metric["segments"]
    near = shapely.union_all(segments.geometry[segments["access"] != "closed"].buffer(0.5).to_numpy())
    shapely.prepare(near)
    lines = runs.geometry[runs.geom_type == "LineString"].drop_duplicates().to_numpy()
    assert len(lines) > 500
    assert shapely.covers(near, lines).all()


def test_nobody_comes_near_what_is_planted_as_never_visited(metric, walked) -> None:
    checkpoints = metric["checkpoints"].set_index("source_id").geometry
    away = checkpoints.distance(shapely.union_all(metric["patrol_runs"].geometry.to_numpy()))
    assert sorted(away.index[away > walked["near_m"]]) == walked["never_visited"]
    assert len(walked["never_visited"]) == 5
    halts = halts_of(metric["patrol_runs"])
    missed = checkpoints.index[checkpoints.distance(shapely.union_all(halts.geometry.to_numpy())) > BESIDE_M]
    assert set(missed) == set(walked["never_visited"])


def test_one_unit_comes_by_days_apart_and_the_others_do_not(demo, walked) -> None:
    begun = demo.patrol_runs.groupby(["unit_label", "shift_label"])["started_at"].min().sort_values()
    longest = begun.groupby("unit_label").apply(lambda s: s.diff().max() / pd.Timedelta(hours=1))
    planted = walked["far_apart"]
    assert longest[planted["unit_label"]] == pytest.approx(planted["longest_gap_h"], abs=0.1)
    daily = [unit for unit, plan in UNITS.items() if len(plan["days"]) >= 10]
    assert longest[daily].max() < 0.7 * planted["longest_gap_h"]


def test_units_that_walk_together_write_the_same_rounds(demo, walked) -> None:
    joint = demo.patrol_runs.dropna(subset=["joint_label"])
    assert joint.groupby(["unit_label", "shift_label"]).ngroups == walked["joint_shifts_count"]
    for _, runs in joint.groupby("joint_label"):
        units = list(runs.groupby("unit_label"))
        assert len(units) == 2
        (_, a), (_, b) = units
        assert a["unit_kind"].iloc[0] != b["unit_kind"].iloc[0]
        assert a["started_at"].tolist() == b["started_at"].tolist()
        assert shapely.equals_exact(a.geometry.to_numpy(), b.geometry.to_numpy()).all()


def test_the_doses_at_hotspots_are_those_of_the_truth(metric, truth, walked) -> None:
    halts = halts_of(metric["patrol_runs"])
    minutes = (halts["ended_at"] - halts["started_at"]).dt.total_seconds() / 60
    place = {spot["id"]: spot for spot in truth["hotspots"]}
    doses = {}
    for spot in walked["hotspots"]:
        at = place[spot["id"]]
        centre = shapely.Point(*metric_of(at["lon"], at["lat"]))
        here = halts.distance(centre) <= at["radius_m"]
        assert here.sum() == pytest.approx(spot["halts_count"], abs=2)
        assert (here & (minutes >= 10)).sum() == pytest.approx(spot["halts_from_10_min_count"], abs=2)
        doses[spot["id"]] = spot
    assert doses["rental_quarter"]["halts_count"] == 0
    assert doses["east_cycle_park"]["halts_count"] > 10
    assert doses["east_cycle_park"]["halts_from_10_min_count"] == 0
    assert doses["night_market"]["halts_from_10_min_count"] > 20


def metric_of(lon: float, lat: float) -> tuple[float, float]:
    from data.synth.ground import to_metres

    point = to_metres(shapely.Point(lon, lat))
    return point.x, point.y
