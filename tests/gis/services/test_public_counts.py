"""Public counts: nothing small is told, nothing small can be worked out, and what is told is right."""

import numpy as np
import pandas as pd
import pytest

import gis
from gis.errors import Infeasible
from gis.services.public_counts import LEAST_INCIDENTS, LEAST_RENTALS, MONTHS, month_name
from tests.gis.kernels.test_suppression import ranges
from tests.support.small_city import PROFILE, SIDE_M, SOUTH, WEST, anywhere, areas, incidents_at

YEAR = 2025


def city(seed=0, n=3000):
    """Two years of incidents, crowded in the west, and rentals."""
    rng = np.random.default_rng(seed)
    points = anywhere(seed, n)
    points[:, 0] = WEST + (points[:, 0] - WEST) ** 2 / SIDE_M
    times = pd.Timestamp("2025-01-01", tz="Asia/Shanghai") + pd.to_timedelta(rng.uniform(0, 500, n), unit="D")
    homes = areas(*((x, y, x + 10, y + 10) for x, y in rng.uniform(0, SIDE_M, (200, 2))), kind="flat")
    return incidents_at(points, occurred_at=times), homes


def table(features):
    return features[[month_name(month) for month in MONTHS]]


@pytest.mark.parametrize("seed", range(2))
def test_what_is_told_is_right_and_nothing_small_is_known(seed):
    incidents, rentals = city(seed)
    result = gis.public_counts(incidents, rentals, profile=PROFILE)
    told = result.features
    assert result.summary["year"] == YEAR
    at = incidents.to_crs(PROFILE.metric_crs)
    at = at[at["occurred_at"].dt.tz_convert("Asia/Shanghai").dt.year == YEAR]
    cell = np.floor((np.column_stack([at.geometry.x, at.geometry.y]) - PROFILE.lattice_origin) / 1000).astype(int)
    codes = [f"s1000:{column}:{row}" for column, row in cell]
    month = at["occurred_at"].dt.tz_convert("Asia/Shanghai").dt.month
    true = pd.crosstab(pd.Series(codes, name="code"), pd.Series(month.to_numpy(), name="month"))
    true = true.reindex(index=told["code"], columns=list(MONTHS), fill_value=0)
    shown = table(told).to_numpy(dtype=float, na_value=np.nan)
    assert (np.isnan(shown) | (shown == true.to_numpy())).all()
    totals = told["incidents_count"].to_numpy(dtype=float, na_value=np.nan)
    assert (np.isnan(totals) | (totals == true.sum(axis=1).to_numpy())).all()
    assert not ((shown > 0) & (shown < LEAST_INCIDENTS)).any()
    assert not ((totals > 0) & (totals < LEAST_INCIDENTS)).any()
    assert 0 < np.isnan(shown).sum() < shown.size

    full = np.zeros((len(told) + 1, 13), dtype=int)
    full[:-1, :-1] = true
    full[:-1, -1], full[-1, :-1], full[-1, -1] = true.sum(axis=1), true.sum(axis=0), true.to_numpy().sum()
    hidden = np.zeros(full.shape, dtype=bool)
    hidden[:-1, :-1], hidden[:-1, -1] = np.isnan(shown), np.isnan(totals)
    small = [tuple(map(int, place)) for place in np.argwhere((full > 0) & (full < LEAST_INCIDENTS))]
    assert small
    for low, high in ranges(full, hidden, small[:: max(len(small) // 12, 1)]).values():
        assert high - low >= 1 - 1e-6

    homes = told["rentals_count"].to_numpy(dtype=float, na_value=np.nan)
    assert not ((homes > 0) & (homes < LEAST_RENTALS)).any()
    assert np.isnan(homes).sum() != 1, "one alone is the total less the others"


def test_a_year_that_has_not_ended_is_refused_and_an_older_one_is_not():
    incidents, _ = city()
    with pytest.raises(Infeasible):
        gis.public_counts(incidents, profile=PROFILE, year=2026)
    assert gis.public_counts(incidents, profile=PROFILE, year=2020).features.empty
    assert gis.public_counts(incidents, profile=PROFILE).features["rentals_count"].eq(0).all()


def test_too_few_for_anything_are_not_published():
    points = np.array([[WEST + 10, SOUTH + 10]] * 3)
    times = [pd.Timestamp(f"{year}-03-01", tz="Asia/Shanghai") for year in (2024, 2024, 2025)]
    with pytest.raises(Infeasible):
        gis.public_counts(incidents_at(points, occurred_at=times), profile=PROFILE)


def test_the_lattice_and_the_limits_are_no_parameters():
    assert set(gis.services()["public_counts"].params.model_fields) == {"year"}


def test_an_empty_city_has_empty_statistics():
    incidents, _ = city()
    assert gis.public_counts(incidents.iloc[:0], profile=PROFILE).features.empty
