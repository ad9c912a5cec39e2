"""The demo city's incidents: when, where, by whom, and what was planted."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from data.synth.incidents import CATEGORIES, HOTSPOTS, HOURS
from gis.city import codebooks

ZONE = "Asia/Shanghai"


@pytest.fixture(scope="module")
def incidents(demo) -> gpd.GeoDataFrame:
    local = demo.incidents["occurred_at"].dt.tz_convert(ZONE)
    return demo.incidents.assign(hour=local.dt.hour, weekday=local.dt.day_of_week, month=local.dt.strftime("%Y-%m"))


def test_a_hundred_thousand_in_three_years(incidents, demo) -> None:
    local = demo.incidents["occurred_at"].dt.tz_convert(ZONE)
    assert len(incidents) == 100_000
    assert local.min() >= pd.Timestamp("2023-07-01", tz=ZONE)
    assert local.max() < pd.Timestamp("2026-07-01", tz=ZONE)
    assert local.dt.date.nunique() == 1096


def test_every_category_and_origin_occurs(incidents) -> None:
    assert set(incidents["category"]) == set(codebooks()["incident_categories"])
    assert set(incidents["origin"]) == {"public_report", "patrol", "inspection"}
    assert 0.6 < (incidents["origin"] == "public_report").mean() < 0.9


@pytest.mark.parametrize("name", sorted(CATEGORIES))
def test_the_hours_follow_the_rhythm_of_the_category(incidents, name: str) -> None:
    mine = incidents[incidents["category"] == name]
    found = np.bincount(mine["hour"], minlength=24) / len(mine)
    profile = np.array(HOURS[CATEGORIES[name]["hours"]])
    # Full hours and late weekends bend it a little; a flat or shifted day would correlate far less.
    assert np.corrcoef(found, profile / profile.sum())[0, 1] > 0.8


def test_nights_weekends_and_summers(incidents) -> None:
    night = incidents["hour"].isin([22, 23, 0, 1, 2])
    weekend = incidents["weekday"] >= 5
    by = incidents["category"]
    assert night[by == "noise"].mean() > 2 * night[by == "fraud"].mean()
    assert weekend[by == "assault"].mean() > 1.3 * weekend[by == "traffic_accident"].mean()
    summer = incidents["month"].str[-2:].isin(["06", "07", "08"])
    winter = incidents["month"].str[-2:].isin(["12", "01", "02"])
    noise = by == "noise"
    assert summer[noise].mean() > 1.6 * winter[noise].mean()
    assert winter[by == "fire"].mean() > 1.2 * summer[by == "fire"].mean()


def test_times_are_in_order(demo) -> None:
    rows = demo.incidents
    assert (rows["reported_at"] > rows["occurred_at"]).all()
    spans = rows["occurred_until_at"].notna()
    assert (rows["occurred_until_at"][spans] > rows["occurred_at"][spans]).all()
    assert (rows["reported_at"][spans] > rows["occurred_until_at"][spans]).all()
    assert spans[rows["category"] == "burglary"].mean() == pytest.approx(CATEGORIES["burglary"]["span"], abs=0.05)
    assert not spans[rows["category"] == "fire"].any()


def test_a_withheld_place_is_nowhere(demo) -> None:
    rows = demo.incidents
    withheld = rows["location_withheld"].astype(bool)
    assert 20 < withheld.sum() < 1000
    assert (rows.geometry.isna() == withheld).all()
    assert rows.loc[withheld, ["grid_code", "address"]].isna().all().all()


def test_places_lie_in_their_grid_beside_a_street(demo, metric) -> None:
    placed = demo.incidents[demo.incidents.geometry.notna()]
    areas = demo.grids.set_index("code").geometry
    assert shapely.intersects(areas.loc[placed["grid_code"]].to_numpy(), placed.geometry.to_numpy()).all()
    points = metric["incidents"].geometry.dropna().to_numpy()
    tree = shapely.STRtree(metric["segments"].geometry.to_numpy())
    _, away = tree.query_nearest(points, return_distance=True, all_matches=False)
    assert np.median(away) < 15
    assert np.quantile(away, 0.99) < 60


def test_the_truth_counts_what_was_planted(truth, metric, demo) -> None:
    assert truth["synthetic"] is True
    assert truth["incidents_count"] == len(demo.incidents)
    assert [spot["id"] for spot in truth["hotspots"]] == list(HOTSPOTS)
    kinds = [spot["kind"] for spot in truth["hotspots"]]
    assert (kinds.count("permanent"), kinds.count("emerging"), kinds.count("vanished")) == (5, 1, 1)
    for spot in truth["hotspots"]:
        near, far = around(metric["incidents"], spot)
        assert len(near) == pytest.approx(spot["all_within_radius_count"], abs=10)
        assert spot["extra_within_radius_count"] == pytest.approx(0.9 * spot["extra_count"], rel=0.04)
        assert spot["extra_within_radius_count"] <= len(near)
        mine = near["category"].isin(spot["categories"]) & (near["origin"] == spot["origin"])
        usual = far["category"].isin(spot["categories"]) & (far["origin"] == spot["origin"])
        assert mine.mean() > 1.5 * usual.mean()


def around(incidents: gpd.GeoDataFrame, spot) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    centre = gpd.GeoSeries.from_xy([spot["lon"]], [spot["lat"]], crs=4326).to_crs(incidents.crs).iloc[0]
    away = incidents.geometry.distance(centre)
    return incidents[away <= spot["radius_m"]], incidents[(away > 2000) & (away < 4000)]


def test_hotspots_live_in_their_months(truth, metric) -> None:
    for spot in truth["hotspots"]:
        near, _ = around(metric["incidents"], spot)
        near = near[near["category"].isin(spot["categories"]) & (near["origin"] == spot["origin"])]
        month = near["occurred_at"].dt.tz_convert(ZONE).dt.strftime("%Y-%m")
        inside = (month >= spot["first_month"]) & (month <= spot["last_month"])
        months = pd.period_range(spot["first_month"], spot["last_month"], freq="M").size
        assert inside.sum() >= 0.9 * spot["extra_within_radius_count"]
        if months < 36:
            assert inside.sum() / months > 4 * (~inside).sum() / (36 - months)
