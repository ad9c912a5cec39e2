"""Rare counts against their own past: exact by enumeration, and as many false calls as stated."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gis.errors import InvalidInput
from gis.kernels.rare_counts import rare_limits, rare_tail, shared_dispersion


def one(observed: int, past: int, share: float, dispersion: float = 1.0) -> float:
    return float(rare_tail(np.array([observed]), np.array([past]), np.array([share]), np.array([dispersion]))[0])


@given(st.integers(0, 12), st.integers(0, 40), st.floats(0.005, 0.5))
def test_independent_incidents_are_binomial(observed: int, past: int, share: float) -> None:
    exact = stats.binom.sf(observed - 1, observed + past, share)
    assert one(observed, past, share) == pytest.approx(exact, rel=1e-10)


@given(st.integers(1, 8), st.integers(0, 20), st.integers(2, 60), st.integers(1, 32))
def test_incidents_in_bunches_are_beta_binomial(observed: int, past: int, windows: int, eighths: int) -> None:
    """In whole numbers: P(k) = C(N, k) a^(k) b^(N - k) / (a + b)^(N), rising factorials."""
    total, share = observed + past, Fraction(1, windows)
    concentration = Fraction(total * 8, eighths)

    def rising(base: Fraction, steps: int) -> Fraction:
        return math.prod((base + i for i in range(steps)), start=Fraction(1))

    ways = [
        math.comb(total, k)
        * rising(share * concentration, k)
        * rising((1 - share) * concentration, total - k)
        / rising(concentration, total)
        for k in range(total + 1)
    ]
    assert sum(ways) == 1
    exact = float(sum(ways[observed:]))
    assert one(observed, past, float(share), 1 + eighths / 8) == pytest.approx(exact, rel=1e-11)


def test_by_hand() -> None:
    """Two of three incidents in the last of three windows: every way in which they can fall."""
    ways = list(itertools.product(range(3), repeat=3))
    exact = Fraction(sum(way.count(2) >= 2 for way in ways), len(ways))
    assert exact == Fraction(7, 27)
    assert one(2, 1, 1 / 3) == pytest.approx(float(exact), rel=1e-12)


def test_nothing_is_never_unusual() -> None:
    assert one(0, 0, 0.1) == 1.0
    assert one(0, 9, 0.1, 2.0) == 1.0
    with pytest.raises(InvalidInput, match="not rare"):
        one(200_000, 0, 0.1)


@pytest.mark.parametrize("phi", [1.0, 1.4])
def test_limits_say_when_and_how_often(phi: float) -> None:
    past = np.arange(0, 26)
    observed = np.arange(26) % 5
    share, dispersion = np.full(26, 1 / 27), np.full(26, phi)
    count, chance = rare_limits(observed, past, share, dispersion, level=0.002, least=2)
    for i in range(26):
        p = [one(k, int(past[i]), 1 / 27, phi) for k in range(2, 30)]
        assert count[i] == 2 + next(k for k, value in enumerate(p) if value <= 0.002)
        total = int(observed[i] + past[i])
        tails = [one(x, total - x, 1 / 27, phi) for x in range(2, total + 1)]
        # Given the total, the call is made by chance just as often as the first tail below the level says.
        assert chance[i] == pytest.approx(next((value for value in tails if value <= 0.002), 0.0))


def test_as_many_false_calls_as_stated() -> None:
    rng = np.random.default_rng(4)
    rate = rng.gamma(0.5, 0.5, 200_000)
    every = rng.poisson(rate[:, None], (200_000, 27))
    past, now = every[:, :26].sum(axis=1), every[:, 26]
    share, phi = np.full(now.size, 1 / 27), np.ones(now.size)
    p = rare_tail(now, past, share, phi)
    for level in (0.01, 0.001):
        _, chance = rare_limits(now, past, share, phi, level=level, least=3)
        calls, stated = int(((p <= level) & (now >= 3)).sum()), float(chance.sum())
        assert stated < level * now.size / 2
        assert abs(calls - stated) < 4 * np.sqrt(stated)


@pytest.mark.parametrize("phi", [1.0, 1.3, 2.0])
def test_the_dispersion_is_found_however_rare_the_incidents(phi: float) -> None:
    rng = np.random.default_rng(5)
    rate = rng.gamma(1.0, 0.3, (20_000, 1)) * np.linspace(0.5, 1.5, 26)
    counts = rng.poisson(rate) if phi == 1 else rng.negative_binomial(rate / (phi - 1) + 1e-12, 1 / phi)
    found = shared_dispersion(counts, rate.sum(axis=0))
    # Against Poisson exactly; beyond it the total of a series stands for its mean, which errs on the safe side.
    assert phi - 0.01 <= found <= 1 + 1.35 * (phi - 1) + 0.01


def test_one_incident_a_series_says_nothing() -> None:
    assert shared_dispersion(np.eye(10, dtype=int), np.ones(10)) == 1.0
    assert shared_dispersion(np.zeros((0, 10), int), np.ones(10)) == 1.0
    assert shared_dispersion(np.full((4, 10), 3), np.ones(10)) == 1.0
    assert shared_dispersion(np.eye(10, dtype=int) * 500, np.ones(10)) > 100
