"""Masked points: on their ring, spread evenly over it, the same in every file, and of no use to whoever averages."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gis.kernels.donut import (
    INNER_HOUSEHOLDS,
    LEAST_OUTER_M,
    NEAREST_BLOCKS,
    OUTER_HOUSEHOLDS,
    STEPS,
    density,
    draws,
    moved,
    own_nearest_share,
    radii,
    rings,
)

SECRET = b"a secret of the server, 32 bytes"
SEED = np.random.default_rng(11)
MANY = SEED.integers(-(2**31), 2**31, (20_000, 2))


def of(places, steps=3, *, secret=SECRET, attempt=0):
    return draws(places, np.full(len(places), steps), secret=secret, attempt=attempt)


@given(
    st.lists(
        st.tuples(*[st.integers(-(10**10), 10**10)] * 2, st.integers(0, STEPS), st.integers(0, 50)),
        min_size=1,
        max_size=20,
    ),
    st.binary(min_size=1, max_size=40),
)
def test_a_point_lies_on_its_ring_whatever_the_place_the_ring_and_the_secret(rows, secret):
    table = np.array(rows)
    places, steps = table[:, :2], table[:, 2]
    points = places / 100.0
    found = moved(points, steps, draws(places, steps, secret=secret, attempt=int(table[0, 3])))
    away = np.hypot(*(found - points).T)
    inner, outer = radii(steps)
    assert (away >= inner - 1e-6).all()
    assert (away <= outer + 1e-6).all()


def test_places_spread_evenly_over_the_area_of_the_ring():
    found = moved(np.zeros((len(MANY), 2)), np.full(len(MANY), 3), of(MANY))
    inner, outer = (float(r[0]) for r in radii(np.array([3])))
    away, angle = np.hypot(*found.T), np.arctan2(found[:, 1], found[:, 0]) % (2 * np.pi)
    assert stats.kstest((away**2 - inner**2) / (outer**2 - inner**2), "uniform").pvalue > 1e-3
    assert stats.kstest(angle / (2 * np.pi), "uniform").pvalue > 1e-3
    # Angle and distance tell nothing of one another, nor does the place of either.
    assert abs(stats.spearmanr(away, angle).statistic) < 0.03
    assert abs(stats.spearmanr(MANY[:, 0], angle).statistic) < 0.03


def test_neighbouring_places_are_drawn_without_regard_to_one_another():
    row = np.column_stack([np.arange(5_000), np.zeros(5_000, dtype=int)])
    drawn = of(row)
    for column in drawn.T:
        assert abs(np.corrcoef(column[:-1], column[1:])[0, 1]) < 0.05


def test_the_same_place_is_the_same_point_in_every_file_and_an_average_does_not_lead_home():
    place = np.array([[1206012345, 313012345]])
    here = np.array([[500.0, 800.0]])
    steps = np.array([3])
    files = np.array([moved(here, steps, draws(place, steps, secret=SECRET, attempt=0))[0] for _ in range(200)])
    inner = radii(steps)[0][0]
    assert np.ptp(files, axis=0).max() == 0
    assert np.hypot(*(files.mean(axis=0) - here[0])) >= inner


def test_whoever_lacks_the_secret_draws_something_else():
    with_it, without = of(MANY), of(MANY, secret=b"guessed")
    assert abs(np.corrcoef(with_it[:, 0], without[:, 0])[0, 1]) < 0.03
    assert (with_it != without).all()


@pytest.mark.parametrize("change", [{"steps": 4}, {"attempt": 1}])
def test_another_ring_or_another_attempt_is_another_draw(change):
    first, other = of(MANY), of(MANY, **change)
    assert abs(np.corrcoef(first[:, 0], other[:, 0])[0, 1]) < 0.03


def test_rings_hold_the_households_they_promise_and_widen_where_few_live():
    per_m2 = np.geomspace(1e-7, 0.1, 200)
    steps = rings(per_m2)
    inner, outer = radii(steps)
    assert (np.diff(outer) <= 0).all()
    assert np.allclose(inner / outer, (INNER_HOUSEHOLDS / OUTER_HOUSEHOLDS) ** 0.5)
    between = (steps > 0) & (steps < STEPS)
    households = per_m2 * np.pi * outer**2
    assert (households[between] >= OUTER_HOUSEHOLDS * 0.999).all()
    assert (households[between] <= 2 * OUTER_HOUSEHOLDS * 1.001).all()
    assert radii(rings(np.array([0.0])))[1][0] == LEAST_OUTER_M * 2 ** (STEPS / 2)


def test_density_is_that_of_the_blocks_around():
    x, y = np.meshgrid(np.arange(10) * 100.0, np.arange(10) * 100.0)
    centres = np.column_stack([x.ravel(), y.ravel()])
    households = np.where(centres[:, 0] < 500, 20.0, 200.0)
    found = density(np.array([[0.0, 0.0], [900.0, 900.0]]), centres, households, np.full(100, 1e4))
    assert found.tolist() == [20 / 1e4, 200 / 1e4]
    assert density(np.zeros((1, 2)), centres[:1], households[:1], np.full(1, 1e4)).tolist() == [20 / 1e4]
    assert NEAREST_BLOCKS > 1


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_spruills_measure_is_what_comparing_every_pair_gives(count, seed):
    rng = np.random.default_rng(seed)
    original = rng.integers(0, 30, (count, 2)).astype(float)  # several at one place
    masked = original + rng.normal(0, 8, (count, 2))
    between = np.hypot(*(masked[:, None] - original[None]).transpose(2, 0, 1))
    expected = np.mean([between[i, i] <= between[i].min() + 1e-6 for i in range(count)])
    assert own_nearest_share(original, masked) == pytest.approx(expected)


def test_spruills_measure_is_one_where_nothing_moved_and_undefined_without_points():
    points = np.random.default_rng(2).random((50, 2))
    assert own_nearest_share(points, points) == 1.0
    assert np.isnan(own_nearest_share(np.zeros((0, 2)), np.zeros((0, 2))))
