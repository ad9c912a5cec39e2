"""Knox: the moments are those of all permutations, the counts those of others' programs, and units change nothing."""

from itertools import permutations
from pathlib import Path

import geopandas as gpd
import libpysal
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pointpats import Knox
from scipy import sparse
from scipy.spatial.distance import pdist

from gis.errors import InvalidInput
from gis.kernels import knox as module
from gis.kernels.knox import chains, knox
from gis.kernels.near_pairs import rows_of
from tests.support.chicago import CHICAGO, chicago_incidents

POINTS = np.array([(0, 0), (1, 0), (0, 1), (5, 5), (5, 6), (9, 0)], dtype=float)
DAYS = np.array([0, 1, 1, 5, 6, 5])


def counted(points: np.ndarray, days: np.ndarray, distances: list[float], gaps: list[int]) -> np.ndarray:
    """The table, pair by pair."""
    s = np.searchsorted(distances, pdist(points))
    t = np.searchsorted(gaps, pdist(days[:, None], "cityblock"))
    table = np.zeros((len(distances) + 1, len(gaps) + 1), dtype=int)
    np.add.at(table, (s, t), 1)
    return table[:-1, :-1]


def over_all_permutations(points: np.ndarray, days: np.ndarray, distances: list[float], gaps: list[int]) -> np.ndarray:
    return np.array([counted(points, np.array(order), distances, gaps) for order in permutations(days.tolist())])


def test_the_example_by_hand() -> None:
    table = knox(POINTS, DAYS, [1.5], [1], permutations=19_999, seed=1)
    assert table.space_pairs.tolist() == [4]
    assert table.time_pairs.tolist() == [6]
    assert table.observed.item() == 4
    assert table.mean.item() == pytest.approx(1.6, abs=1e-15)
    assert table.variance.item() == pytest.approx(0.84, abs=1e-15)
    assert table.z.item() == pytest.approx(2.4 / np.sqrt(0.84))
    draws = over_all_permutations(POINTS, DAYS, [1.5], [1])
    assert len(draws) == 720
    assert (draws >= 4).mean() == pytest.approx(0.1)
    # 0.1 with a standard deviation of 0.0021.
    assert table.p.item() == pytest.approx(0.1, abs=0.009)


SMALL = st.integers(3, 6).flatmap(
    lambda n: st.tuples(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=n, max_size=n),
        st.lists(st.integers(0, 12), min_size=n, max_size=n),
    )
)


@given(SMALL)
def test_every_band_has_the_moments_of_all_permutations(events) -> None:
    points, days = np.array(events[0], dtype=float), np.array(events[1])
    distances, gaps = [0.0, 1.0, 2.5, 4.0], [0, 2, 5]
    draws = over_all_permutations(points, days, distances, gaps)
    table = knox(points, days, distances, gaps)
    assert table.observed.tolist() == counted(points, days, distances, gaps).tolist()
    assert np.abs(table.mean - draws.mean(axis=0)).max() < 1e-12
    assert np.abs(table.variance - draws.var(axis=0)).max() < 1e-12
    possible = draws.max(axis=0) > 0
    # Where no pair can fall there is nothing to say; where all draws are alike, nothing is unusual.
    assert np.isfinite(table.p[possible]).all()
    assert (table.p[possible & (draws.var(axis=0) < 1e-12)] == 1).all()
    assert (np.isnan(table.z) == (draws.var(axis=0) < 1e-12)).all()


def test_seven_events_and_all_their_permutations() -> None:
    rng = np.random.default_rng(5)
    points, days = rng.uniform(0, 5, (7, 2)), rng.integers(0, 15, 7)
    draws = over_all_permutations(points, days, [2.0, 4.0], [3, 7])
    assert len(draws) == 5_040
    table = knox(points, days, [2.0, 4.0], [3, 7], permutations=9_999, seed=2)
    assert np.abs(table.mean - draws.mean(axis=0)).max() < 1e-12
    assert np.abs(table.variance - draws.var(axis=0)).max() < 1e-12
    exact = (draws >= table.observed).mean(axis=0)
    # Five standard deviations of 9,999 draws.
    assert np.abs(table.p - exact).max() < 5 * 0.5 / 100


def test_pairs_are_counted_in_every_lane() -> None:
    """More pairs than a 16-bit counter holds, and days as far apart as can be."""
    rng = np.random.default_rng(6)
    lanes = rng.choice([0, 3, 10, 11, 20_000, 32_767], (50, module.LANES)).astype(np.int16)
    left, right = rng.integers(0, 50, (2, 70_000)).astype(np.int32)
    top = np.array([0, 3, 10, 20_000, 32_767])
    apart = np.abs(lanes[left].astype(int) - lanes[right])
    assert module._count(lanes, left, right, top).tolist() == [(apart <= days).sum(axis=0).tolist() for days in top]
    assert module._count(lanes, left[:0], right[:0], top).max() == 0


def test_a_draw_is_equally_likely_to_be_any_order() -> None:
    rng = np.random.default_rng(7)
    pool, lanes = np.arange(4, dtype=np.int16), np.zeros((3, module.LANES), np.int16)
    seen: dict[tuple[int, ...], int] = {}
    for _ in range(12_000):
        module._shuffle(pool, rng.random(3), lanes, 5)
        drawn = tuple(lanes[:, 5].tolist())
        seen[drawn] = seen.get(drawn, 0) + 1
    assert len(seen) == 24
    # Chi-square of 23 degrees of freedom: 49.7 is passed once in a thousand.
    assert sum((n - 500) ** 2 / 500 for n in seen.values()) < 49.7


def test_p_is_a_count_of_draws() -> None:
    """Their number need not fill the lanes."""
    points, days = clustered(4)
    for permutations_count in (1, 32, 70):
        counts = knox(points, days, [0.0, 100.0], [3, 10], permutations=permutations_count).p * (permutations_count + 1)
        known = counts[np.isfinite(counts)]
        assert known == pytest.approx(np.rint(known))
        assert known.min() >= 1
        assert known.max() <= permutations_count + 1


def test_draws_of_a_crowd_do_not_overflow() -> None:
    """79,800 pairs, more than a 16-bit counter holds, all of them near."""
    table = knox(np.zeros((400, 2)), np.arange(400) % 3, [1.0], [5], permutations=33)
    assert table.observed.item() == table.space_pairs.item() == 79_800
    assert table.variance.item() == 0
    assert table.p.item() == 1
    assert np.isnan(table.z.item())
    halves = knox(np.zeros((400, 2)), np.arange(400) % 3, [1.0], [0], permutations=33)
    assert halves.observed.item() == halves.mean.item()
    assert halves.p.item() == 1


def test_burkitt_as_pointpats_counts_it() -> None:
    frame = gpd.read_file(libpysal.examples.get_path("burkitt.shp"))
    points, days = frame[["X", "Y"]].to_numpy(dtype=float), frame["T"].to_numpy(dtype=int)
    table = knox(points, days, [20.0], [5], permutations=999, seed=4)
    assert len(frame) == 188
    assert table.observed.item() == 13
    assert 0.12 < table.p.item() < 0.25


def test_pointpats_agrees() -> None:
    rng = np.random.default_rng(7)
    parents = rng.integers(0, 60, 400)
    points = rng.uniform(0, 4_000, (60, 2))[parents] + rng.normal(0, 120, (400, 2))
    days = rng.integers(0, 200, 60)[parents] + rng.integers(0, 9, 400)
    np.random.seed(8)  # noqa: NPY002 - where pointpats takes its numbers from
    theirs = Knox(points, days[:, None], 150.0, 7, permutations=99, keep=True)
    ours = knox(points, days, [150.0], [7], permutations=99)
    assert ours.observed.item() == theirs.observed[0, 0]
    assert ours.mean.item() == pytest.approx(theirs.expected[0, 0], abs=1e-9)
    assert ours.space_pairs.item() == theirs.observed[0].sum()
    assert ours.time_pairs.item() == theirs.observed[:, 0].sum()
    assert ours.p.item() == theirs.p_sim == 0.01
    # Theirs are draws from the distribution whose moments are exact here: 99 of them.
    spread = np.sqrt(ours.variance.item())
    assert abs(theirs.sim.mean() - ours.mean.item()) < 5 * spread / np.sqrt(99)
    assert 0.7 < theirs.sim.std() / spread < 1.4


@pytest.fixture(scope="module")
def chicago(shared_data: Path) -> pd.DataFrame:
    incidents = chicago_incidents(shared_data).to_crs(CHICAGO.metric_crs)
    days = incidents["occurred_at"].dt.tz_localize(None).dt.floor("D")
    return pd.DataFrame(
        {
            "x": incidents.geometry.x,
            "y": incidents.geometry.y,
            "day": (days - days.min()).dt.days,
            "category": incidents["category"].str.lower(),
        }
    )


@pytest.mark.parametrize(
    ("category", "counts", "moments"),
    [
        ("burglary", (6_797, 10_559, 1_014), (720.8, 25.99, 11.3)),
        ("theft", (37_291, 1_284_023, 93_866), (87_419.4, 393.52, 16.4)),
        (None, (156_385, 8_071_237, 570_523), (546_503.8, 868.66, 27.7)),
    ],
)
def test_chicago_has_the_known_values(chicago, category, counts, moments) -> None:
    rows = chicago if category is None else chicago[chicago["category"] == category]
    table = knox(rows[["x", "y"]].to_numpy(), rows["day"].to_numpy(), [200.0], [7])
    assert (len(rows), table.space_pairs.item(), table.observed.item()) == counts
    mean, spread, z = moments
    assert table.mean.item() == pytest.approx(mean, abs=0.05)
    assert np.sqrt(table.variance.item()) == pytest.approx(spread, abs=0.005)
    assert table.z.item() == pytest.approx(z, abs=0.06)


def test_bands_add_up_to_what_they_divide(chicago) -> None:
    rows = chicago[chicago["category"] == "burglary"]
    points, days = rows[["x", "y"]].to_numpy(), rows["day"].to_numpy()
    whole, parts = knox(points, days, [200.0], [14]), knox(points, days, [0.0, 50.0, 200.0], [0, 7, 14])
    assert parts.observed.sum() == whole.observed.item()
    assert parts.mean.sum() == pytest.approx(whole.mean.item())
    assert parts.space_pairs.sum() == whole.space_pairs.item()
    assert parts.space_pairs[0] == 655
    # The normal distribution and the draws agree where many pairs are expected.
    drawn = knox(points, days, [200.0], [7, 14], permutations=999, seed=9)
    assert drawn.p[0, 0] == 0.001
    assert drawn.p[0, 1] == pytest.approx(knox(points, days, [200.0], [7, 14]).p[0, 1], abs=0.05)


def clustered(seed: int, n: int = 150) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    parents = rng.integers(0, n // 4, n)
    # Multiples of 1/8 metre: sums, differences and quarter turns of them are exact.
    points = np.rint(8 * (rng.uniform(0, 3_000, (n // 4, 2))[parents] + rng.normal(0, 150, (n, 2)))) / 8
    return points, rng.integers(0, 300, n // 4)[parents] + rng.integers(0, 10, n)


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.25, 4.0, 1024.0]),
    st.integers(0, 3),
    st.integers(-1_000, 1_000),
    st.integers(-20_000, 20_000),
)
def test_units_turns_shifts_and_order_change_nothing(seed, unit, turns, shift, days_on) -> None:
    points, days = clustered(seed)
    distances, gaps = [0.0, 100.0, 250.0], [7, 14]
    order = np.random.default_rng(seed).permutation(len(days))
    turned = points @ np.linalg.matrix_power(np.array([[0.0, -1.0], [1.0, 0.0]]), turns)
    moved = (turned + shift)[order] * unit
    ours, theirs = (
        knox(points, days, distances, gaps),
        knox(moved, days[order] + days_on, unit * np.array(distances), gaps),
    )
    for field in ("observed", "mean", "variance", "space_pairs", "time_pairs"):
        assert getattr(ours, field).tolist() == getattr(theirs, field).tolist()
    chain = chains(points, days, 100.0, 7)
    other = np.empty_like(chain)
    other[order] = chains(moved, days[order] + days_on, 100.0 * unit, 7)
    assert same_groups(chain, other)


def test_other_units_of_time_change_nothing() -> None:
    points, days = clustered(1)
    a, b = knox(points, days, [200.0], [7, 14]), knox(points, days * 24, [200.0], [7 * 24, 14 * 24])
    assert a.observed.tolist() == b.observed.tolist()
    assert a.variance.tolist() == b.variance.tolist()


def test_a_stray_date_is_no_trouble() -> None:
    points, days = clustered(2)
    strayed = np.append(days, -700_000)
    table = knox(np.vstack([points, points[:1]]), strayed, [200.0], [7], permutations=99)
    alone = knox(points, days, [200.0], [7])
    assert table.observed.item() == alone.observed.item()
    assert table.time_pairs.item() == alone.time_pairs.item()


def same_groups(a: np.ndarray, b: np.ndarray) -> bool:
    pairs = set(zip(a.tolist(), b.tolist(), strict=True))
    return len(pairs) == len({x for x, _ in pairs}) == len({y for _, y in pairs}) and ((a < 0) == (b < 0)).all()


@given(st.integers(0, 10_000))
def test_chains_are_the_connected_parts(seed: int) -> None:
    points, days = clustered(seed, 80)
    chain = chains(points, days, 150.0, 5)
    near = np.hypot(*(points[:, None] - points).T) <= 150.0
    near &= np.abs(days[:, None] - days) <= 5
    _, label = sparse.csgraph.connected_components(sparse.csr_array(near))
    label = np.where(np.bincount(label)[label] > 1, label, -1)
    assert same_groups(chain, label)
    first = [int(np.flatnonzero(chain == c)[0]) for c in range(chain.max() + 1)]
    assert first == sorted(first)


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40),
    st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.3, 50.0]),
)
def test_the_walk_meets_every_near_pair_once(places, reach) -> None:
    points = np.array(places, dtype=float).reshape(-1, 2)
    rows = rows_of(points, reach)
    met = [(i, j) for i, (own, low, high) in enumerate(rows.runs) for j in (*range(i + 1, own), *range(low, high))]
    assert len(met) == len(set(met)) == rows.candidates_count
    assert all(i < j for i, j in met)
    near = {pair for pair in met if np.hypot(*(rows.points[pair[0]] - rows.points[pair[1]])) <= reach}
    assert len(near) == (pdist(points) <= reach).sum()


def test_chance_alone_is_seldom_significant() -> None:
    """300 cities without interaction: 15 are expected at 5 %, more than 26 in three of a thousand cases."""
    drawn, normal = [], []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        points, days = rng.normal(0, 1_000, (200, 2)), rng.integers(0, 180, 200)
        drawn.append(knox(points, days, [300.0], [14], permutations=199, seed=seed).p.item())
        normal.append(knox(points, days, [300.0], [14]).p.item())
    assert 6 <= (np.array(drawn) <= 0.05).sum() <= 26
    assert 6 <= (np.array(normal) <= 0.05).sum() <= 26
    assert np.abs(np.array(drawn) - normal).max() < 0.2


def test_draws_are_the_same_for_the_same_seed_only() -> None:
    points, days = clustered(3)
    days = np.random.default_rng(3).permutation(days)
    one, same, other = (knox(points, days, [500.0], [3], permutations=299, seed=s).p for s in (1, 1, 2))
    assert one.tolist() == same.tolist()
    assert one.tolist() != other.tolist()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_events(n: int) -> None:
    table = knox(POINTS[:n], DAYS[:n], [0.0, 1.5], [1, 9], permutations=9)
    assert table.observed.sum() == (n == 2)
    assert table.mean.tolist() == table.observed.tolist()
    assert table.variance.max() == 0
    assert chains(POINTS[:n], DAYS[:n], 1.5, 1).tolist() == ([0, 0] if n == 2 else [-1] * n)


@pytest.mark.parametrize(("distances", "gaps"), [([], [1]), ([2, 1], [1]), ([-1, 1], [1]), ([1], []), ([1], [3, 3])])
def test_bands_must_rise(distances: list[float], gaps: list[int]) -> None:
    with pytest.raises(InvalidInput, match="must rise"):
        knox(POINTS, DAYS, distances, gaps)


def test_what_cannot_be_computed_is_said(monkeypatch) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        knox(POINTS + np.nan, DAYS, [1.0], [1])
    with pytest.raises(InvalidInput, match="days must lie within"):
        knox(np.zeros((40_000, 2)) + np.arange(40_000)[:, None], np.arange(40_000), [1.0], [1])
    monkeypatch.setattr(module, "MOST_CANDIDATES", 3)
    with pytest.raises(InvalidInput, match="pairs of events"):
        chains(POINTS, DAYS, 5.0, 1)
    monkeypatch.setattr(module, "MOST_EVENTS", 5)
    with pytest.raises(InvalidInput, match="more than the 5"):
        chains(POINTS, DAYS, 1.0, 1)
