"""Streets, checkpoints, hotspots and units of patrol runs: by hand, and the planted record of the demo city."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.errors import InvalidParams
from tests.support.small_city import PROFILE, SOUTH, WEST
from tests.support.streets import segments_of

BEGIN = pd.Timestamp("2026-01-05T00:00:00Z")
STREETS = segments_of([(0, 0), (600, 0)], [(300, -300), (300, 0)], [(600, 0), (600, 600)])
TRUTH = json.loads((Path(__file__).parents[3] / "data" / "samples" / "demo" / "truth.json").read_text())["patrols"]


def runs_of(*rows: tuple[str, float, float, object], **columns: object) -> gpd.GeoDataFrame:
    """Return runs: unit, first and last hour, and a path or a place in metres."""
    shapes = [shapely.LineString(path) if isinstance(path, list) else shapely.Point(path) for *_, path in rows]
    shapes = [shapely.transform(shape, lambda xy: xy + np.array([WEST, SOUTH])) for shape in shapes]
    frame = gpd.GeoDataFrame(
        {
            "source_id": [f"r{i}" for i in range(len(rows))],
            "unit_label": [unit for unit, *_ in rows],
            "unit_kind": "guards",
            "shift_label": [f"day {int(first // 24)}" for _, first, *_ in rows],
            "started_at": [BEGIN + pd.Timedelta(hours=first) for _, first, *_ in rows],
            "ended_at": [BEGIN + pd.Timedelta(hours=last) for _, _, last, _ in rows],
            "joint_label": None,
            **columns,
        },
        geometry=shapes,
        crs=PROFILE.metric_crs,
    )
    return frame.to_crs("EPSG:4326")


def points_at(*places: tuple[float, float], **columns: object) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(
        {"source_id": [f"c{i}" for i in range(len(places))], **columns},
        geometry=[shapely.Point(WEST + x, SOUTH + y) for x, y in places],
        crs=PROFILE.metric_crs,
    )
    return frame.to_crs("EPSG:4326")


PERIOD = {"began_from": BEGIN, "began_before": BEGIN + pd.Timedelta(hours=48)}


def looked(runs: gpd.GeoDataFrame, **options: object):
    return gis.patrol_coverage(runs, STREETS, profile=PROFILE, **{**PERIOD, **options})


def test_who_crosses_a_street_has_not_walked_it() -> None:
    # Along the first street at noon and a day later; the one that meets it in the middle is only passed by.
    runs = runs_of(("A", 12, 13, [(0, 0), (600, 0)]), ("B", 36, 37, [(600, 4), (0, 4)]))
    table = looked(runs).features.set_index("code")
    walked = table.loc["s0000"]
    assert (walked["visits_count"], walked["units_count"], walked["walked_share"]) == (2, 2, pytest.approx(1))
    # First there after two minutes and a half, the second time at the other end.
    assert walked["median_wait_h"] == pytest.approx(24, abs=1)
    assert walked["longest_wait_h"] == pytest.approx(24, abs=1)
    assert walked["patrol_class"] in ("within_a_day", "within_3_days")
    for code in ("s0001", "s0002"):
        assert table.loc[code, "patrol_class"] == "never"
        assert table.loc[code, "longest_wait_h"] == pytest.approx(48)


def test_half_a_street_is_half_walked_and_when_follows_the_line() -> None:
    table = looked(runs_of(("A", 10, 12, [(600, 300), (600, 0)]))).features.set_index("code")
    assert table.loc["s0002", "walked_share"] == pytest.approx(0.5, abs=0.05)
    # The last piece has its middle 25 m before the end of the run.
    expected = BEGIN + pd.Timedelta(hours=12) - pd.Timedelta(hours=2) * 25 / 300
    begin = BEGIN + pd.Timedelta(hours=10)
    assert begin <= table.loc["s0002", "last_visit_at"] <= expected + pd.Timedelta(seconds=5)
    # A database keeps no nanoseconds.
    seen = table["last_visit_at"].dropna()
    assert (seen == seen.dt.floor("s")).all()


def test_checkpoints_halts_and_joint_patrols() -> None:
    runs = runs_of(
        ("A", 1, 1.25, (0, 10)),
        ("A", 2, 2.05, (0, 10)),
        ("B", 25, 25.5, (0, 30)),
        ("B", 26, 27, [(0, 0), (600, 0)]),
        joint_label=[None, None, "j1", "j1"],
    )
    checkpoints = points_at((0, 0), (600, 600), dwell_min=[10.0, None])
    summary = looked(runs, checkpoints=checkpoints).summary
    never, seen = summary["by_checkpoint"]
    assert (never["code"], never["came_count"], never["longest_wait_h"]) == ("c1", 0, pytest.approx(48))
    assert (seen["came_count"], seen["long_enough_count"]) == (3, 2)
    assert seen["stayed_min"] == pytest.approx(15 + 3 + 30)
    assert seen["shifts_share"] == pytest.approx(1)
    assert summary["checkpoints_never_count"] == 1
    assert summary["joint_share"] == pytest.approx(1.5 / (0.25 + 0.05 + 1.5))
    units = {row["unit_label"]: row for row in summary["by_unit"]}
    assert units["A"]["joint_share"] == 0
    assert units["B"]["streets_km"] == pytest.approx(0.6)
    assert summary["units_count"] == 2


def test_runs_that_take_no_part_are_counted_and_none_left_is_told() -> None:
    runs = runs_of(
        ("A", 12, 13, [(0, 0), (600, 0)]),
        ("A", 13, 12, [(0, 0), (600, 0)]),
        ("A", 60, 61, [(0, 0), (600, 0)]),
        ("V", 12, 13, [(0, 0), (600, 0)]),
        unit_kind=["guards", "guards", "guards", "volunteers"],
    )
    result = looked(runs, unit_kinds=["guards"])
    left = {entry.reason: entry.count for entry in result.provenance.left_out}
    assert left == {"ends_before_it_begins": 1, "outside_period": 1, "other_unit_kind": 1}
    with pytest.raises(InvalidParams, match="no patrol run is left"):
        looked(runs, unit_kinds=["police"])


def test_the_planted_record_of_the_demo_city_is_found() -> None:
    city = gis.City.demo()
    result = gis.patrol_coverage(
        city.patrol_runs,
        city.segments,
        checkpoints=city.checkpoints,
        incidents=city.incidents,
        districts=city.districts,
        water_areas=city.water_areas,
    )
    summary = result.summary
    never = sorted(row["code"] for row in summary["by_checkpoint"] if row["came_count"] == 0)
    assert never == sorted(TRUTH["never_visited"])
    assert summary["shifts_count"] == TRUTH["shifts_count"]
    gaps = {row["unit_label"]: row["longest_gap_h"] for row in summary["by_unit"]}
    apart = TRUTH["far_apart"]
    # Volunteers come on two evenings a week; of those who patrol daily it is this unit that does not.
    daily = {row["unit_label"]: row["longest_gap_h"] for row in summary["by_unit"] if row["unit_kind"] != "volunteers"}
    assert max(daily, key=lambda unit: daily[unit]) == apart["unit_label"]
    # The truth counts from beginning to beginning, the service from end to beginning.
    assert gaps[apart["unit_label"]] == pytest.approx(apart["longest_gap_h"], abs=4)
    halted = sum(row["halts_count"] for row in TRUTH["hotspots"])
    assert 0 < sum(row["halts_count"] for row in summary["by_hotspot"]) <= halted
    assert 0 < summary["dose_met_share"] < 1
