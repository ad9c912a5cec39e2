"""Concentration: published coefficients, and chance told apart from it by exact expectation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import gammaln

from gis.kernels.concentration import by_chance, generalised_gini, gini, held_by_first, places_holding, unseen_places

COUNTS = st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(lambda c: sum(c) > 0).map(np.array)


@pytest.mark.parametrize(
    ("counts", "plain", "generalised"),
    [
        # The examples of the package lorenzgini, by the authors of the generalised coefficient.
        ([10, 8, 2, 0, 0, 0, 0, 0, 0, 0], 0.78, 0.78),
        ([5, 2, 1, 0, 0, 0, 0, 0, 0, 0], 0.8, 0.75),
        ([10, *[0] * 9], 0.9, 0.9),
        ([10, *[0] * 99], 0.99, 0.9),
        # By hand.
        ([1, 1, 1, 0, 0, 0], 0.5, 0.0),
        ([4, 4, 4], 0.0, 0.0),
        ([7], 0.0, 0.0),
    ],
)
def test_published_coefficients(counts: list[int], plain: float, generalised: float) -> None:
    assert gini(np.array(counts)) == pytest.approx(plain, abs=1e-12)
    assert generalised_gini(np.array(counts)) == pytest.approx(generalised, abs=1e-12)


@given(COUNTS)
def test_the_coefficient_is_the_mean_difference_of_two_places(counts: np.ndarray) -> None:
    apart = np.abs(counts[:, None] - counts[None, :]).mean()
    assert gini(counts) == pytest.approx(apart / (2 * counts.mean()), abs=1e-12)
    assert 0 <= gini(counts) <= 1 - 1 / counts.size + 1e-12
    assert -1e-12 <= generalised_gini(counts) <= gini(counts) + 1e-12
    assert gini(counts * 3) == pytest.approx(gini(counts), abs=1e-12)


@given(COUNTS, st.sampled_from([0.2, 0.5, 0.8, 1.0]))
def test_as_few_places_as_possible_hold_a_share(counts: np.ndarray, share: float) -> None:
    held = held_by_first(counts)
    k = places_holding(held, share)
    ordered = np.sort(counts)[::-1]
    assert ordered[:k].sum() >= share * counts.sum() - 1e-9
    assert ordered[: k - 1].sum() < share * counts.sum()


def expected_gini(n: int, places: int) -> float:
    """Of a multinomial with equal chances, exactly: from the difference of two places, given what both hold."""
    both = np.arange(1, n + 1)
    half = np.ceil(both / 2)
    apart = 2 * half * np.exp(gammaln(both + 1) - gammaln(half + 1) - gammaln(both - half + 1) - both * np.log(2))
    return float((places - 1) * (stats.binom.pmf(both, n, 2 / places) @ apart) / (2 * n))


@pytest.mark.parametrize(("n", "places"), [(5, 10), (20, 8), (300, 2_000), (5_000, 1_000)])
def test_chance_has_its_exact_expectation(n: int, places: int) -> None:
    drawn = by_chance(n, places, np.array([0.5, 1.0]), np.array([1.0]), only_seen=False, draws=1_500, seed=1)
    assert drawn.gini == pytest.approx(expected_gini(n, places), abs=0.01 if n < 100 else 1e-3)
    assert drawn.curve[1] == 1
    # All incidents lie at the places that are not empty.
    assert drawn.holding[0] == pytest.approx(1 - (1 - 1 / places) ** n, rel=0.02)


def test_the_curve_by_chance_of_two_places() -> None:
    """Four incidents, two places: the busier holds 2, 3 or 4 with chances 6, 8 and 2 of 16."""
    drawn = by_chance(4, 2, np.array([0.5]), np.array([0.5]), only_seen=False, draws=20_000, seed=2)
    assert drawn.curve[0] == pytest.approx((2 * 6 + 3 * 8 + 4 * 2) / 16 / 4, abs=0.005)
    assert drawn.holding[0] == 0.5


def test_a_draw_at_random_is_no_concentration() -> None:
    rng = np.random.default_rng(3)
    for n, places in ((400, 2_000), (8_000, 2_000)):
        counts = np.bincount(rng.integers(0, places, n), minlength=places)
        chance = by_chance(n, places, np.array([0.1]), np.array([0.5]), only_seen=False, draws=199, seed=4)
        assert gini(counts) > 0.25
        assert (gini(counts) - chance.gini) / (1 - chance.gini) == pytest.approx(0, abs=0.02)
        seen = counts[counts > 0]
        guessed = unseen_places(n, seen.size)
        assert guessed == pytest.approx(places, rel=0.25)
        chance = by_chance(n, guessed, np.array([0.1]), np.array([0.5]), only_seen=True, draws=199, seed=4)
        assert (gini(seen) - chance.gini) / (1 - chance.gini) == pytest.approx(0, abs=0.02)


def test_places_that_never_repeat_are_without_number() -> None:
    assert unseen_places(70, 70) == np.inf
    drawn = by_chance(70, np.inf, np.array([0.1, 1.0]), np.array([0.5]), only_seen=True, draws=19, seed=0)
    assert drawn.curve.tolist() == pytest.approx([0.1, 1.0])
    assert drawn.gini == pytest.approx(0, abs=1e-12)
    assert drawn.holding.tolist() == [0.5]
    # Hardly any repeats: far more places than incidents, and still counted.
    assert unseen_places(70_000, 69_999) > 1e9
    few = by_chance(
        70_000, unseen_places(70_000, 69_999), np.array([0.5]), np.array([0.5]), only_seen=True, draws=19, seed=0
    )
    assert few.gini < 1e-3


def test_the_same_seed_gives_the_same_draws() -> None:
    one, two, other = (
        by_chance(50, 40, np.array([0.2]), np.array([0.5]), only_seen=False, draws=19, seed=s).gini for s in (5, 5, 6)
    )
    assert one == two != other


def test_a_larger_place_may_be_likelier() -> None:
    size = np.array([1.0, 2.0, 7.0])
    drawn = by_chance(10_000, 3, np.array([0.3, 0.6, 1]), np.array([0.5]), size=size, draws=50, seed=7)
    assert drawn.curve == pytest.approx([0.7, 0.9, 1], abs=0.005)
    assert drawn.gini == pytest.approx(gini(size), abs=0.005)
    alike = by_chance(10_000, 3, np.array([0.3]), np.array([0.5]), size=np.full(3, 9.0), draws=200, seed=7)
    plain = by_chance(10_000, 3, np.array([0.3]), np.array([0.5]), draws=200, seed=8)
    assert alike.curve == pytest.approx(plain.curve, abs=2e-3)
