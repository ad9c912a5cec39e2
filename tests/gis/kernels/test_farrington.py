"""Expected counts, by R's own models; their tails, by other libraries; outbreaks of the past, that must not blind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special, stats

from gis.kernels.farrington import NODES, Trends, _diagnose, _fit, fit_trends, limits, tail

TREND, FLAT = True, False
WEEKS = np.arange(26)
WEIGHTS = np.where(WEEKS % 7 == 3, 0.25, 1.1)
SERIES = np.array(
    [
        [2, 0, 2, 3, 3, 6, 4, 3, 1, 3, 2, 0, 2, 3, 4, 0, 3, 1, 0, 2, 2, 2, 2, 0, 4, 4],
        [16, 11, 16, 7, 5, 9, 21, 8, 8, 9, 13, 10, 15, 14, 15, 14, 14, 17, 17, 8, 26, 9, 19, 14, 10, 9],
        [3, 1, 0, 4, 6, 2, 4, 3, 1, 2, 0, 7, 3, 2, 5, 0, 5, 1, 1, 3, 4, 3, 7, 6, 6, 4],
        [6, 8, 5, 10, 11, 10, 9, 9, 8, 8, 9, 3, 2, 6, 3, 4, 0, 5, 5, 1, 6, 3, 3, 6, 5, 3],
        [0, 3, 0, 1, 1, 0, 1, 0, 2, 0, 2, 0, 1, 0, 6, 0, 2, 1, 0, 0, 5, 2, 0, 1, 2, 1],
        [28, 30, 34, 18, 30, 31, 49, 41, 28, 63, 56, 34, 46, 38, 31, 30, 39, 23, 47, 21, 46, 41, 45, 32, 30, 63],
    ]
)
GLM = [
    # R 4.2.2, glm(y ~ t, quasipoisson, weights): level, slope, dispersion, log of the mean at t = 26, its variance over
    # the dispersion; and dispersion, log mean and variance of glm(y ~ 1).
    (0.925943513117, -0.0116261370555, 1.11573682357, 0.623663949674, 0.0848652018084),
    (2.44441270167, 0.00950861710737, 1.84319113432, 2.69163674646, 0.012554665227),
    (0.781618530132, 0.0301346846749, 1.26704422327, 1.56512033168, 0.0448085843974),
    (2.20132780781, -0.0448935882233, 1.06843001611, 1.03409451401, 0.043176334077),
    (-0.232020327784, 0.0283325355577, 2.26213490629, 0.504625596716, 0.127794667384),
    (3.496568189, 0.0115960078359, 2.9251777998, 3.79806439274, 0.00421536607912),
]
GLM_FLAT = [
    (1.09270886076, 0.785928914011, 0.0180831826401),
    (1.84499587724, 2.56449137715, 0.00305390135898),
    (1.32288350711, 1.17926531067, 0.0122025621545),
    (1.59712703998, 1.70149605685, 0.00723850884837),
    (2.25329657959, 0.140451835469, 0.0344827581942),
    (3.13494535264, 3.64367659785, 0.00103793658207),
]
SURVEILLANCE = [
    # R surveillance 1.20.3, the fit of farringtonFlexible (weightsThreshold 2.58, pThresholdTrend 1): mean, dispersion,
    # slope. In these series no week stands out, by its measure or by ours.
    (1.99949555334, 1.08574435998, -0.0079750660244),
    (14.6650358995, 1.8338448439, 0.0100179793692),
    (4.68966016886, 1.39057046564, 0.0304062556137),
    (3.01787481625, 1.02853995328, -0.0431632651979),
    (1.69150257415, 2.02346913592, 0.0274712604767),
    (42.7835445938, 3.64531554668, 0.0100502218191),
]


def test_the_fit_is_that_of_r() -> None:
    mean, leverage = np.empty(26), np.empty(26)
    x = WEEKS.astype(float)
    for y, line, flat in zip(SERIES.astype(float), GLM, GLM_FLAT, strict=True):
        a, b, converged = _fit(y, x, WEIGHTS, TREND, 0.0, 0.0)
        phi, spread = _diagnose(y, x, WEIGHTS, a, b, 26.0, TREND, 0.0, mean, leverage)
        assert converged
        assert (a, b, phi, a + 26 * b, spread) == pytest.approx(line, rel=1e-7, abs=1e-9)
        # Each fitted number takes up one unit of leverage.
        assert leverage.sum() == pytest.approx(2.0)
        a, b, _ = _fit(y, x, WEIGHTS, FLAT, 0.0, 0.0)
        phi, spread = _diagnose(y, x, WEIGHTS, a, b, 26.0, FLAT, 0.0, mean, leverage)
        assert (phi, a, spread) == pytest.approx(flat, rel=1e-7)
        assert b == 0
        assert leverage.sum() == pytest.approx(1.0)


def test_the_fit_is_the_maximum_of_the_likelihood() -> None:
    for y in SERIES:

        def loss(c: np.ndarray, y: np.ndarray = y) -> float:
            eta = c[0] + c[1] * WEEKS / 26
            return float((WEIGHTS * (np.exp(eta) - y * eta)).sum())

        best = optimize.minimize(loss, [np.log(y.mean()), 0.0], method="BFGS", options={"gtol": 1e-9})
        a, b, _ = _fit(y.astype(float), WEEKS / 26, WEIGHTS, TREND, 0.0, 0.0)
        assert (a, b) == pytest.approx(best.x, abs=1e-5)


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_a_trend_is_held_near_another(prior: float) -> None:
    """The slope that maximises the likelihood with a normal prior; wide open it is free, tight it is the prior."""
    y = SERIES[2]
    pull = 0.5**-2

    def loss(c: np.ndarray) -> float:
        eta = c[0] + c[1] * (WEEKS - 12.5) / 25
        return float((np.exp(eta) - y * eta).sum() + 0.5 * pull * (c[1] - prior) ** 2)

    best = optimize.minimize(loss, [np.log(y.mean()), 0.0], method="BFGS", options={"gtol": 1e-9})
    held = fit_trends(y[None, :], WEEKS, 26.0, around=np.full(1, prior / 25), looseness=0.5, outbreak_beyond=np.inf)
    assert held.slope[0] * 25 == pytest.approx(best.x[1], abs=1e-5)
    free, tight = (
        fit_trends(y[None, :], WEEKS, 26.0, around=np.full(1, prior / 25), looseness=loose, outbreak_beyond=np.inf)
        for loose in (np.inf, 1e-4)
    )
    assert tight.slope[0] * 25 == pytest.approx(prior, abs=1e-4)
    assert tight.spread[0] < held.spread[0] < free.spread[0]


def test_without_outbreaks_it_is_farringtons_flexible_algorithm() -> None:
    fitted = fit_trends(SERIES, WEEKS, 26.0)
    mean, dispersion, slope = np.transpose(SURVEILLANCE)
    # R stops at a relative change of the deviance of 1e-8.
    assert fitted.mean == pytest.approx(mean, rel=1e-6)
    assert fitted.dispersion == pytest.approx(dispersion, rel=1e-4)
    assert fitted.slope == pytest.approx(slope, rel=1e-5)
    assert fitted.freedom.tolist() == [24] * 6
    assert np.exp(fitted.level + 26 * fitted.slope) == pytest.approx(mean, rel=1e-6)


def test_time_in_any_unit() -> None:
    weeks, days = fit_trends(SERIES, WEEKS, 26.0), fit_trends(SERIES, WEEKS * 7 + 20_000, 20_182.0)
    for name in ("mean", "dispersion", "spread"):
        assert getattr(days, name) == pytest.approx(getattr(weeks, name), rel=1e-6)
    assert days.slope * 7 == pytest.approx(weeks.slope, rel=1e-6)


def test_a_trend_is_not_carried_on_beyond_all_that_was_seen() -> None:
    rising = np.array([[1, 1, 1, 2, 1, 2, 2, 3, 4, 4, 6, 7]])
    fitted = fit_trends(rising, np.arange(12), 12.0)
    assert np.exp(fitted.level[0] + 12 * fitted.slope[0]) > 8
    assert fitted.mean[0] == 7
    falling = fit_trends(rising[:, ::-1], np.arange(12), 12.0)
    assert falling.slope[0] == pytest.approx(-fitted.slope[0])
    assert falling.mean[0] < 1


def test_where_nothing_can_be_fitted_the_mean_is_left() -> None:
    fitted = fit_trends(np.array([[0] * 11 + [5], [5] + [0] * 11]), np.arange(12), 12.0)
    assert fitted.slope.tolist() == [0, 0]
    assert fitted.mean == pytest.approx([5 / 12, 5 / 12])
    assert (fitted.dispersion > 4).all()


def poisson(mean: float) -> Trends:
    """Return what is known without doubt."""
    one, zero = np.ones(1), np.zeros(1)
    return Trends(mean * one, np.log(mean) * one, zero, one, zero, np.ones(1, int))


@given(st.floats(0.05, 2_000), st.floats(0.0, 6.0))
def test_without_doubt_the_tail_is_poissons(mean: float, far: float) -> None:
    count = np.array([round(mean + far * np.sqrt(mean))])
    p = tail(count, poisson(mean), np.full(1, 1e-9), np.full(1, 24.0))[0]
    assert p == pytest.approx(stats.poisson.sf(count[0] - 1, mean), rel=1e-9)


def test_the_tail_is_averaged_over_the_dispersion() -> None:
    fitted = fit_trends(SERIES[[1]], WEEKS, 26.0)
    freedom, phi, count = 24.0, fitted.dispersion, 30
    drawn = freedom * phi / stats.chi2.ppf((np.arange(20_000) + 0.5) / 20_000, freedom)
    scale = np.maximum(drawn, 1.0) * (1 + fitted.mean * fitted.spread)
    exact = stats.nbinom.sf(count - 1, fitted.mean / (scale - 1), 1 / scale).mean()
    assert tail(np.array([count]), fitted, phi, np.full(1, freedom))[0] == pytest.approx(exact, rel=0.1)
    plugged = stats.nbinom.sf(count - 1, fitted.mean / (phi - 1), 1 / phi)[0]
    assert exact > 1.5 * plugged


@pytest.mark.parametrize("level", [0.05, 1e-3, 1e-7])
def test_limits_are_where_the_tail_passes_the_level(level: float) -> None:
    counts = np.random.default_rng(1).poisson([[0.5], [3.0], [40.0], [480.0], [560.0], [3_000.0]], (6, 26))
    fitted = fit_trends(counts, WEEKS, 26.0)
    freedom = np.full(6, 49.0)
    count, chance = limits(fitted, fitted.dispersion, freedom, level=level, least=3)
    assert (count >= 3).all()
    assert (chance <= level).all()
    assert chance == pytest.approx(tail(count, fitted, fitted.dispersion, freedom), rel=1e-6, abs=1e-14)
    below = tail(count - 1, fitted, fitted.dispersion, freedom)
    assert (below[count > 3] > level).all()


def test_chance_keeps_to_the_level() -> None:
    """Steady, rising and falling series of known rate, Poisson and overdispersed: no more false calls than stated."""
    rng = np.random.default_rng(2)
    for phi in (1.0, 1.5):
        for growth in (0.5, 1.0, 1.5):
            rate = 4 * growth ** (np.arange(27) / 26)
            size = rate / max(phi - 1, 1e-9)
            every = rng.poisson(rate, (20_000, 27)) if phi == 1 else rng.negative_binomial(size, 1 / phi, (20_000, 27))
            fitted = fit_trends(every[:, :26], WEEKS, 26.0)
            shared = (24 * fitted.dispersion + 25 * phi) / 49
            p = tail(every[:, 26], fitted, shared, np.full(20_000, 49.0))
            for level in (0.01, 0.001):
                share = (p <= level).mean()
                assert share <= 1.6 * level, (phi, growth, level)
                assert share >= 0.1 * level, (phi, growth, level)


def test_past_outbreaks_do_not_blind() -> None:
    rng = np.random.default_rng(3)
    quiet = rng.poisson(5.0, (2_000, 26))
    troubled = quiet.copy()
    troubled[:, 8:11] += 16
    clean, after = fit_trends(quiet, WEEKS, 26.0), fit_trends(troubled, WEEKS, 26.0)
    plain = fit_trends(troubled, WEEKS, 26.0, outbreak_beyond=np.inf)
    assert after.mean.mean() == pytest.approx(clean.mean.mean(), rel=0.05)
    assert after.dispersion.mean() < 1.2
    assert plain.dispersion.mean() > 4.0
    observed = np.full(2_000, 18)
    found = [
        (tail(observed, t, (24 * t.dispersion + 25) / 49, np.full(2_000, 49.0)) <= 1e-3).mean()
        for t in (clean, after, plain)
    ]
    assert found[0] > 0.8
    assert found[1] > 0.9 * found[0]
    assert found[2] < 0.1


def test_the_nodes_are_equal_shares_of_chi_square() -> None:
    middles = special.gammaincinv(12.0, (np.arange(NODES) + 0.5) / NODES) * 2 / 24
    fitted = poisson(10.0)
    p = tail(np.array([25]), fitted, np.full(1, 2.0), np.full(1, 24.0))[0]
    scale = np.maximum(2.0 / middles, 1.0)
    assert p == pytest.approx(stats.nbinom.sf(24, 10 / (scale - 1), 1 / scale).mean(), rel=1e-9)
