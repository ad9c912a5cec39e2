"""Masked places of a city: inside their area, as far as few households are, and the same whoever asks."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

import gis
from gis.city.masked_places import mask
from gis.kernels.donut import INNER_SHARE, LEAST_OUTER_M, STEPS

METRIC = "EPSG:4549"
SECRET = b"0123456789abcdef0123456789abcdef"
ORIGIN = np.array([553_000.0, 3_463_000.0])
NOTHING = gpd.GeoDataFrame({"households_count": []}, geometry=[], crs="EPSG:4326")


def lonlat(shapes):
    return gpd.GeoSeries(shapes, crs=METRIC).to_crs("EPSG:4326")


def squares(size_m, households=None, count=10):
    x, y = np.meshgrid(np.arange(count) * size_m, np.arange(count) * size_m)
    boxes = shapely.box(
        *(ORIGIN[:, None] + [x.ravel(), y.ravel()]), *(ORIGIN[:, None] + [x.ravel(), y.ravel()] + size_m)
    )
    columns = {} if households is None else {"households_count": households}
    return gpd.GeoDataFrame(columns, geometry=lonlat(boxes), index=range(len(boxes)), crs="EPSG:4326")


def scattered(n, extent_m, seed=3):
    return lonlat(shapely.points(ORIGIN + np.random.default_rng(seed).random((n, 2)) * extent_m))


def metres(places):
    return shapely.get_coordinates(places.to_crs(METRIC).to_numpy())


def test_places_stay_in_their_smallest_area_and_leave_their_inner_circle():
    places = scattered(2000, 2000)
    communities, districts = squares(1000, count=2), squares(2000, count=1)
    found, report = mask(
        places, blocks=squares(100, 80, 20), levels=[communities, districts], secret=SECRET, metric_crs=METRIC
    )
    assert report.withheld_count == found.isna().sum()
    assert report.withheld_count < 0.01 * len(places)
    kept = found.notna().to_numpy()
    before = gpd.GeoDataFrame(geometry=places[kept]).sjoin(communities, predicate="intersects")["index_right"]
    after = gpd.GeoDataFrame(geometry=found[kept]).sjoin(communities, predicate="intersects")["index_right"]
    pd.testing.assert_series_equal(before.groupby(level=0).min(), after.groupby(level=0).min())
    away = np.hypot(*(metres(found[kept]) - metres(places[kept])).T)
    assert away.min() >= report.inner_m[0] - 1e-3
    assert away.max() <= report.outer_m[1] + 1e-3
    assert 0 <= report.own_nearest_share < 0.2


def test_few_households_make_a_wide_ring_and_none_the_widest():
    places = scattered(400, 1000)
    radii = [
        mask(places, blocks=blocks, levels=[], secret=SECRET, metric_crs=METRIC)[1].outer_m
        for blocks in (squares(100, 500), squares(100, 20), squares(100, 0), NOTHING)
    ]
    assert radii[0] == (LEAST_OUTER_M, LEAST_OUTER_M)
    assert radii[0] < radii[1] < radii[2] == radii[3] == (LEAST_OUTER_M * 2 ** (STEPS / 2),) * 2


def test_the_point_of_a_place_depends_on_nothing_but_the_place():
    places = scattered(300, 1000)
    given = {"blocks": squares(100, 40), "levels": [squares(500, count=2)], "secret": SECRET, "metric_crs": METRIC}
    whole, _ = mask(places, **given)
    order = np.random.default_rng(1).permutation(300)
    shuffled, _ = mask(places.iloc[order], **given)
    assert shuffled.sort_index().geom_equals(whole).all()
    part, _ = mask(places.iloc[:10], **given)
    assert part.geom_equals(whole.iloc[:10]).all()
    # Two records at one address come to one point: their middle is no better than either.
    twice, _ = mask(pd.concat([places.iloc[:5], places.iloc[:5]], ignore_index=True), **given)
    assert twice.iloc[:5].reset_index(drop=True).geom_equals(twice.iloc[5:].reset_index(drop=True)).all()


def test_where_the_area_is_smaller_than_the_inner_circle_the_place_is_withheld():
    yard = gpd.GeoDataFrame(geometry=lonlat([shapely.box(*ORIGIN, *(ORIGIN + 10))]), crs="EPSG:4326")
    places = lonlat([shapely.Point(ORIGIN + 5), shapely.Point(ORIGIN + 300)])
    found, report = mask(places, blocks=NOTHING, levels=[yard], secret=SECRET, metric_crs=METRIC)
    assert found.isna().tolist() == [True, False]
    assert (report.moved_count, report.withheld_count) == (1, 1)
    assert "1 withheld" in report.text
    assert "withheld=1" in report.header


def test_rows_without_a_place_and_files_without_rows_are_told_as_they_are():
    for places in (gpd.GeoSeries([None, None], crs="EPSG:4326"), gpd.GeoSeries([], crs="EPSG:4326")):
        found, report = mask(places, blocks=NOTHING, levels=[], secret=SECRET, metric_crs=METRIC)
        assert found.isna().all()
        assert (report.moved_count, report.withheld_count, report.own_nearest_share) == (0, 0, None)
        assert "none moved" in report.text


def test_rentals_of_the_demo_are_hard_to_lead_home():
    city = gis.City.demo()
    places = city.rentals.geometry
    levels = [city.communities, city.streets, city.districts]
    found, report = mask(places, blocks=city.blocks, levels=levels, secret=SECRET, metric_crs=city.profile.metric_crs)
    assert report.withheld_count <= 0.02 * len(places)
    assert report.inner_m[0] >= LEAST_OUTER_M * INNER_SHARE - 1e-9
    # One in twenty of 6,000; of a few that lie far apart many more could be led home.
    assert report.own_nearest_share < 0.05
    assert found.notna().sum() == report.moved_count
