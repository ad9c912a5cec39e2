"""Before and after: the published example through the whole service, planted effects, false alarms, every row."""

import json
import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.city import codebook
from gis.contract.result import Result
from gis.errors import InvalidParams
from tests.support.small_city import PROFILE, SOUTH, WEST, anywhere, areas, grid_of, incidents_at, left_out

GRIDS = grid_of(4)
BEGUN = "2025-07-01T00:00:00+08:00"
YEAR: dict[str, Any] = {
    "occurred_from": "2025-05-01T00:00:00+08:00",
    "before_ends_at": BEGUN,
    "occurred_before": "2025-08-31T00:00:00+08:00",
    "profile": PROFILE,
}
"""61 days before and 61 after."""
BEFORE, AFTER = pd.Timestamp("2025-05-20", tz="Asia/Shanghai"), pd.Timestamp("2025-07-20", tz="Asia/Shanghai")


def counted(counts: dict[str, tuple[int, int]], *, grids: gpd.GeoDataFrame = GRIDS) -> gpd.GeoDataFrame:
    """Return incidents in the middle of grids: code -> how many before and after."""
    middle = grids.to_crs(PROFILE.metric_crs).set_index("code").geometry.centroid
    rows = [
        (middle[code].coords[0], when)
        for code, each in counts.items()
        for n, when in zip(each, (BEFORE, AFTER), strict=True)
        for _ in range(n)
    ]
    points, when = zip(*rows, strict=True)
    return incidents_at(np.array(points), occurred_at=list(when))


def account_is_complete(result: Result, n: int) -> bool:
    record = next(r for r in result.provenance.inputs if r.frame == "incidents")
    used = int(result.features[["before_count", "after_count"]].to_numpy().sum())
    return record.n_given == n and record.n_used == used == n - sum(left_out(result).values())


def test_a_hundred_to_eighty_against_a_hundred_to_ninety() -> None:
    frame = counted({"g000": (60, 50), "g001": (40, 30), "g010": (100, 90), "g015": (7, 8)})
    result = gis.before_after(frame, GRIDS, treated=["g000", "g001"], control=["g010"], **YEAR)
    summary = result.summary
    assert summary["wdd"] == -10
    assert summary["wdd_se"] == pytest.approx(math.sqrt(370))
    assert round(summary["wdd_z"], 2) == -0.52
    assert summary["wdd_low"] < -10 < summary["wdd_high"]
    assert summary["verdict"] == "no_sign_of_change"
    assert summary["displacement_difference"] is None
    assert summary["rate_ratio"] == pytest.approx(80 / 90)
    assert (summary["before_days"], summary["after_days"]) == (61, 61)
    features = result.features
    assert features["code"].tolist() == ["g000", "g001", "g010"]
    assert features["role"].tolist() == ["treated", "treated", "control"]
    assert features["before_count"].tolist() == [60, 40, 100]
    assert features["after_count"].tolist() == [50, 30, 90]
    assert features["expected_count"].tolist() == [60, 40, 100]
    assert set(features["role"]) <= set(codebook("comparison_roles"))
    assert left_out(result) == {"not_compared": 15}
    assert account_is_complete(result, 385)
    json.dumps([result.summary, result.provenance.as_dict()], allow_nan=False)


def test_the_example_of_the_paper_with_displacement() -> None:
    frame = counted({"g000": (207, 110), "g003": (308, 318), "g001": (178, 157), "g015": (150, 140)})
    result = gis.before_after(
        frame,
        GRIDS,
        treated=["g000"],
        control=["g003"],
        displacement=["g001"],
        displacement_control=["g015"],
        **YEAR,
    )
    summary = result.summary
    assert summary["wdd"] == -118
    assert summary["wdd_se"] == pytest.approx(math.sqrt(1568))
    assert round(summary["wdd_z"], 2) == -2.98
    assert (round(summary["wdd_low"]), round(summary["wdd_high"])) == (-196, -40)
    assert summary["verdict"] == "fewer_than_control"
    assert summary["treated_difference"]["estimate"] == -107
    assert summary["displacement_difference"]["estimate"] == -11
    assert [row["role"] for row in summary["by_role"]] == result.features["role"].tolist()


def test_a_longer_period_before_is_weighed_by_its_length() -> None:
    frame = counted({"g000": (80, 20), "g003": (100, 50)})
    options = {**YEAR, "occurred_from": "2025-03-01T00:00:00+08:00"}  # 122 days against 61
    summary = gis.before_after(frame, GRIDS, treated=["g000"], control=["g003"], **options).summary
    assert summary["before_days"] == 2 * summary["after_days"]
    assert summary["wdd"] == pytest.approx(-20)
    assert summary["wdd_se"] == pytest.approx(math.sqrt(115))
    by_role = {row["role"]: row for row in summary["by_role"]}
    assert by_role["treated"]["expected_count"] == pytest.approx(40)
    # Half of the hours halve both periods, and change nothing.
    morning = gis.before_after(frame, GRIDS, treated=["g000"], control=["g003"], hours=range(12), **options).summary
    assert morning["before_days"] == pytest.approx(61)
    assert morning["wdd"] == pytest.approx(-20)


def test_a_control_twice_as_large_counts_half() -> None:
    grids = areas((0, 0, 1_000, 1_000), (2_000, 0, 4_000, 1_000), code=["small", "large"], kind="comprehensive")
    grids = grids.assign(valid_from=pd.Timestamp("2020-01-01"))
    frame = counted({"small": (100, 80), "large": (200, 180)}, grids=grids)
    asked = {"treated": ["small"], "control": ["large"], **YEAR}
    plain, scaled = (gis.before_after(frame, grids, scale=scale, **asked).summary for scale in ("counts", "area"))
    assert plain["wdd"] == 0
    assert scaled["wdd"] == pytest.approx(-10)
    assert scaled["wdd_se"] == pytest.approx(math.sqrt(180 + 380 / 4))
    assert scaled["by_role"][1]["weight"] == pytest.approx(2)
    assert plain["rate_ratio"] == scaled["rate_ratio"]


def a_year(seed: int, *, cut: float = 0.0, moved: float = 0.0) -> gpd.GeoDataFrame:
    """Return incidents over all grids, fewer in the western column from the measure on, some of them next door."""
    rng = np.random.default_rng(seed)
    points = anywhere(seed, 6_000)
    days = rng.integers(0, 122, len(points))
    column = ((points[:, 0] - WEST) // 1_500).astype(int)
    gone = (days >= 61) & (column == 0) & (rng.random(len(points)) < cut)
    to_neighbour = gone & (rng.random(len(points)) < moved)
    points[to_neighbour, 0] += 1_500
    stays = ~gone | to_neighbour
    when = pd.Timestamp("2025-05-01", tz="Asia/Shanghai") + pd.to_timedelta(days[stays], unit="D")
    return incidents_at(points[stays], occurred_at=when)


WEST_AGAINST_EAST: dict[str, Any] = {
    "treated": ["g000", "g004", "g008", "g012"],
    "control": ["g003", "g007", "g011", "g015"],
    **YEAR,
}
NEXT_DOOR: dict[str, Any] = {
    "displacement": ["g001", "g005", "g009", "g013"],
    "displacement_control": ["g002", "g006", "g010", "g014"],
}


def test_what_was_prevented_is_found_and_what_only_moved_is_not() -> None:
    prevented = gis.before_after(a_year(1, cut=0.3), GRIDS, **WEST_AGAINST_EAST, **NEXT_DOOR).summary
    assert prevented["verdict"] == "fewer_than_control"
    assert prevented["wdd_low"] < -0.3 * 750 < prevented["wdd_high"]
    alone = gis.before_after(a_year(2, cut=0.3, moved=1.0), GRIDS, **WEST_AGAINST_EAST).summary
    assert alone["verdict"] == "fewer_than_control"
    whole = gis.before_after(a_year(2, cut=0.3, moved=1.0), GRIDS, **WEST_AGAINST_EAST, **NEXT_DOOR).summary
    assert whole["displacement_difference"]["estimate"] > 100
    assert whole["verdict"] == "no_sign_of_change"


def test_where_nothing_was_done_nothing_is_found() -> None:
    found = [gis.before_after(a_year(100 + seed), GRIDS, **WEST_AGAINST_EAST).summary for seed in range(24)]
    # At 5 %, 24 cities give one alarm or two; more than 5 would happen once in 170 times.
    assert sum(one["wdd_p"] <= 0.05 for one in found) <= 5
    assert sum(one["wdd_low"] <= 0 <= one["wdd_high"] for one in found) >= 19
    assert np.mean([one["wdd"] for one in found]) == pytest.approx(0, abs=35)


def test_a_place_chosen_at_its_peak_falls_back_by_itself() -> None:
    """Why a control must be as busy as the treated: without one, luck looks like success."""
    fell = 0
    for seed in range(12):
        frame = a_year(200 + seed)
        places = frame.to_crs(PROFILE.metric_crs).geometry
        column, row = (((xy - edge) // 1_500).astype(int) for xy, edge in ((places.x, WEST), (places.y, SOUTH)))
        before = np.bincount((row * 4 + column)[frame["occurred_at"] < pd.Timestamp(BEGUN)], minlength=16)
        peak = f"g{before.argmax():03}"
        others = [code for code in GRIDS["code"] if code != peak]
        found = gis.before_after(frame, GRIDS, treated=[peak], control=others, **YEAR).features.set_index("code")
        assert found.loc[peak, "before_count"] == before.max()
        fell += found.loc[peak, "after_count"] < found.loc[peak, "expected_count"]
    assert fell >= 10


def test_every_row_is_used_or_left_out_for_one_reason() -> None:
    frame = a_year(3)
    n = len(frame)
    frame.loc[0:9, "origin"] = "patrol"
    frame["location_withheld"] = frame.index.isin(range(10, 25))
    frame.loc[25:29, "geometry"] = shapely.Point(0, 0)
    asked = {**WEST_AGAINST_EAST, "after_starts_at": "2025-07-15T00:00:00+08:00"}
    result = gis.before_after(frame, GRIDS, **asked)
    reasons = left_out(result)
    assert {"other_origin", "location_withheld", "outside_period", "outside_study_area", "not_compared"} == set(reasons)
    assert set(reasons) <= set(codebook("left_out_reasons"))
    assert reasons["other_origin"] == 10
    assert account_is_complete(result, n)
    assert result.summary["after_days"] == 47


def test_the_order_of_rows_and_codes_does_not_matter() -> None:
    frame = a_year(4)
    one = gis.before_after(frame, GRIDS, **WEST_AGAINST_EAST)
    turned = {**WEST_AGAINST_EAST, "treated": WEST_AGAINST_EAST["treated"][::-1]}
    two = gis.before_after(frame.sample(frac=1, random_state=0), GRIDS.iloc[::-1], **turned)
    pd.testing.assert_frame_equal(pd.DataFrame(one.features), pd.DataFrame(two.features))
    assert one.summary == two.summary


def test_small_counts_are_not_judged() -> None:
    summary = gis.before_after(
        counted({"g000": (9, 2), "g003": (9, 30)}), GRIDS, treated=["g000"], control=["g003"], **YEAR
    ).summary
    assert summary["wdd_p"] < 0.05
    assert summary["verdict"] == "too_few_incidents"
    none = gis.before_after(
        counted({"g000": (3, 0), "g003": (2, 4)}), GRIDS, treated=["g000"], control=["g003"], **YEAR
    )
    assert none.summary["rate_ratio"] is None
    json.dumps(none.summary, allow_nan=False)


def test_without_limits_the_periods_are_whole_days_of_incidents() -> None:
    frame = incidents_at(np.full((365, 2), (WEST + 100.0, SOUTH + 100.0)))
    result = gis.before_after(frame, GRIDS, treated=["g000"], control=["g003"], before_ends_at=BEGUN, profile=PROFILE)
    assert result.provenance.choices["before_period"] == "2025-01-01T00:00:00+08:00 / 2025-07-01T00:00:00+08:00"
    assert result.provenance.choices["after_period"] == "2025-07-01T00:00:00+08:00 / 2026-01-01T00:00:00+08:00"
    assert result.features["before_count"].tolist() == [181, 0]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidParams) as refused:
        gis.before_after(
            a_year(5),
            GRIDS,
            treated=["g000", "x1", "x2"],
            control=["g000", "y1"],
            displacement=["g001"],
            **{**YEAR, "after_starts_at": "2025-06-01T00:00:00+08:00"},
        )
    found = {(problem.code, problem.field) for problem in refused.value.problems}
    assert found == {
        ("unknown_grid", "treated"),
        ("unknown_grid", "control"),
        ("role_overlap", "control"),
        ("missing_control", "displacement_control"),
        ("periods_overlap", "after_starts_at"),
    }
    words = str(refused.value)
    for code in ("x1", "x2", "y1", "g000"):
        assert code in words


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"treated": []}, "treated"),
        ({"control": ["g001", "g001"]}, "one role only"),
        ({"before_ends_at": "2025-04-01T00:00:00+08:00"}, "nothing lies between"),
        ({"after_starts_at": "2025-12-01T00:00:00+08:00"}, "nothing lies between"),
        ({"before_ends_at": "2025-07-01"}, "before_ends_at"),
        ({"categories": ["burglary"]}, "no incident"),
        ({"scale": "households"}, "scale"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(options: dict[str, object], words: str) -> None:
    asked = {"treated": ["g000"], "control": ["g003"], **YEAR, **options}
    with pytest.raises(InvalidParams, match=words):
        gis.before_after(a_year(6), GRIDS, **asked)


def test_grids_that_have_ended_are_not_known() -> None:
    old = GRIDS.assign(code=[f"old{i}" for i in range(16)], valid_to=pd.Timestamp("2025-06-01"))
    new = GRIDS.assign(valid_from=pd.Timestamp("2025-06-01"), valid_to=pd.NaT)
    grids = pd.concat([old, new], ignore_index=True)
    result = gis.before_after(a_year(7), grids, **WEST_AGAINST_EAST)
    assert ("grids", "not_in_force", 16) in [(x.frame, x.reason, x.count) for x in result.provenance.left_out]
    with pytest.raises(InvalidParams, match="old1"):
        gis.before_after(a_year(7), grids, **{**WEST_AGAINST_EAST, "treated": ["old1"]})
