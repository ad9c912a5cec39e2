"""Measures of coverage against sums written out, and facts that hold for any city."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gis.kernels.coverage import Reached, gains, gaussian_decay, post_changes, two_step_access, weighted_quantiles

LIMIT_S = 300.0


@st.composite
def cities(draw):
    """Seconds (m, n) from posts to places, some of them not there at all, and weights and supplies."""
    m, n = draw(st.integers(1, 6)), draw(st.integers(1, 12))
    seconds = draw(hnp.arrays(float, (m, n), elements=st.floats(0, 900, width=32)))
    seconds[draw(hnp.arrays(bool, (m, n)))] = np.inf
    weight = draw(hnp.arrays(float, n, elements=st.integers(0, 50).map(float)))
    supply = draw(hnp.arrays(float, m, elements=st.integers(0, 9).map(float)))
    return seconds, weight, supply


def reached(seconds, limit_s=LIMIT_S):
    post, place = np.nonzero(seconds <= limit_s)
    return Reached(post, place, seconds[post, place], *seconds.shape)


def nearest(seconds):
    padded = np.vstack([seconds, np.full(seconds.shape[1], np.inf)])
    order = np.argsort(padded, axis=0, kind="stable")
    first_s, second_s = np.sort(padded, axis=0)[:2] if len(padded) > 1 else (padded[0], padded[0])
    return np.where(np.isfinite(first_s), order[0], -1), first_s, second_s


@settings(deadline=None)
@given(cities())
def test_closing_a_post_is_what_a_city_without_it_has_lost(city):
    seconds, weight, _ = city
    whole = reached(seconds)
    change = post_changes(whole, weight, *nearest(seconds))
    covered = weight[whole.within_count > 0].sum()
    for post in range(len(seconds)):
        without = seconds.copy()
        without[post] = np.inf
        rest = weight[reached(without).within_count > 0].sum()
        assert change.only[post] + rest == pytest.approx(covered)
        assert change.covers[post] == pytest.approx(weight[seconds[post] <= LIMIT_S].sum())
        first, first_s, second_s = nearest(seconds)
        mine = (first == post) & (weight > 0)
        with np.errstate(invalid="ignore"):
            assert change.slower_s[post] == pytest.approx((weight[mine] * (second_s - first_s)[mine]).sum())
        # Who is nearest to a post waits, without it, for the second nearest.
        after = nearest(without)[1]
        assert np.array_equal(after[mine], second_s[mine])


@settings(deadline=None)
@given(cities(), st.data())
def test_a_post_more_gains_what_is_said_and_never_less_where_there_are_fewer(city, data):
    seconds, weight, _ = city
    have = data.draw(hnp.arrays(bool, len(seconds)))
    fewer = have & data.draw(hnp.arrays(bool, len(seconds)))
    every = reached(seconds)

    def covered(posts):
        return (seconds[posts] <= LIMIT_S).any(axis=0)

    gained, gained_early = (gains(every, weight, covered(posts)) for posts in (have, fewer))
    for site in range(len(seconds)):
        with_it = have.copy()
        with_it[site] = True
        assert weight[covered(with_it)].sum() - weight[covered(have)].sum() == pytest.approx(gained[site])
    assert (gained_early >= gained - 1e-9).all()


@settings(deadline=None)
@given(cities(), st.booleans())
def test_the_two_steps_share_out_all_that_is_there(city, decays):
    seconds, weight, supply = city
    pairs = reached(seconds)
    access = two_step_access(pairs, weight, supply, limit_s=LIMIT_S, decays=decays)
    share = gaussian_decay(seconds, LIMIT_S) if decays else np.ones_like(seconds)
    share = np.where(seconds <= LIMIT_S, share, 0.0)
    asked = (share * weight).sum(axis=1)
    assert (access * weight).sum() == pytest.approx(supply[asked > 0].sum())
    by_hand = sum(
        (supply[j] / asked[j] * share[j] for j in range(len(seconds)) if asked[j] > 0), start=np.zeros(len(weight))
    )
    assert access == pytest.approx(by_hand)


def test_the_decay_is_the_bell_of_the_reference():
    assert gaussian_decay(np.array([0.0, 150.0, 300.0]), 300.0) == pytest.approx([1.0, 0.701367, 0.0], abs=1e-6)
    assert (np.diff(gaussian_decay(np.linspace(0, 300, 50), 300.0)) < 0).all()


@settings(deadline=None)
@given(
    hnp.arrays(float, 9, elements=st.integers(0, 30).map(float)),
    hnp.arrays(float, 9, elements=st.integers(0, 4).map(float)),
)
def test_a_weighted_quantile_is_that_of_everybody_written_out(values, weight):
    shares = np.array([0.1, 0.5, 0.9, 1.0])
    found = weighted_quantiles(values, weight, shares)
    everybody = np.repeat(values, weight.astype(int))
    if not everybody.size:
        assert np.isnan(found).all()
        return
    assert found == pytest.approx(np.quantile(everybody, shares, method="inverted_cdf"))
