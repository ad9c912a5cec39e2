"""The scan statistic: published clusters of New York, enumeration of small cases, and what must never change it."""

import itertools
import json
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gis.errors import InvalidInput
from gis.kernels import scan_null
from gis.kernels.scan import (
    Scan,
    clusters,
    critical_ratio,
    gumbel_p,
    monte_carlo_p,
    null_maxima,
    permutation_scan,
    poisson_scan,
    relative_risk,
)
from gis.kernels.scan_zones import circular_zones, prospective, retrospective
from tests.support.chicago import CHICAGO, chicago_beats, chicago_incidents


def new_york(shared_data: Path) -> Scan:
    folder = shared_data / "oracles/hotspots"
    cases, people, places = (np.loadtxt(folder / f"satscan_ny_{name}.txt") for name in ("cases", "pop", "coords"))
    zones = circular_zones(places[:, 1:], people[:, 2], share=0.5)
    return poisson_scan(cases[:, [1]].astype(np.int64), people[:, 2], zones, retrospective(1, 1))


def test_the_clusters_of_new_york_are_those_of_satscan(shared_data: Path) -> None:
    expected = json.loads((shared_data / "oracles/expected.json").read_text())["hotspots"]["ny_leukemia_50pct"]
    scan = new_york(shared_data)
    assert scan.zones.count == 41_584
    assert scan.cylinders_count == 41_584
    found = clusters(scan, most=6)
    null = null_maxima(scan, 9_999, seed=1)
    p = monte_carlo_p(np.array([one.llr for one in found]), null)
    for one, chance, known in zip(found, p, expected["clusters"], strict=True):
        assert one.places.size == known["locations"]
        assert one.observed == known["cases"]
        assert round(one.expected, 2) == known["expected_cases"]
        assert int(scan.baseline[one.places].sum()) == known["population"]
        assert one.llr == pytest.approx(known["llr"], abs=1e-6)
        assert relative_risk(one.observed, one.expected, 552) == pytest.approx(known["relative_risk"], abs=0.005)
        # SaTScan drew 999 and we 9,999: four standard deviations of the difference. Its first p is Gumbel's.
        spread = math.sqrt(known["p"] * (1 - known["p"]) * (1 / 999 + 1 / 9_999))
        assert abs(chance - known["p"]) < 4 * spread + 2e-3
    # The fourth circle has four possible centres; all hold the same tracts.
    assert sorted(found[3].places + 1) == [62, 64, 65, 67]
    assert gumbel_p(np.array([found[0].llr]), null)[0] == pytest.approx(0.00015, rel=1.0)


def test_the_burglaries_of_chicago(shared_data: Path) -> None:
    """Regression values of our own first computation, by another program."""
    rows = chicago_incidents(shared_data)
    burglaries = rows[rows["category"] == "BURGLARY"].to_crs(CHICAGO.metric_crs)
    beats = chicago_beats(shared_data).to_crs(CHICAGO.metric_crs)
    held = gpd.sjoin(burglaries, beats[["code", "geometry"]], predicate="within")
    local = held["occurred_at"].dt.tz_convert("America/Chicago").dt.tz_localize(None)
    week = ((local - pd.Timestamp("2018-01-01")).dt.days // 7).to_numpy()
    counts = np.zeros((275, 32), np.int64)
    np.add.at(counts, (pd.Index(beats["code"]).get_indexer(held["code"]), week), 1)
    assert counts.sum() == 6_784
    middle = beats.geometry.centroid
    zones = circular_zones(np.column_stack([middle.x, middle.y]), counts.sum(axis=1))

    now = permutation_scan(counts, zones, prospective(32, 16))
    assert now.cylinders_count == 621_008
    best = clusters(now, most=1)[0]
    assert best.llr == pytest.approx(7.4066, abs=5e-5)
    assert sorted(beats["code"].iloc[best.places]) == ["1432", "1921", "1922", "1931", "1932", "1933"]
    assert (best.start, best.end, best.observed) == (29, 32, 31)
    assert best.expected == pytest.approx(14.215, abs=5e-4)
    assert 0.07 < monte_carlo_p(np.array([best.llr]), null_maxima(now, 999))[0] < 0.14

    ever = permutation_scan(counts, zones, retrospective(32, 16))
    assert ever.cylinders_count == 15_214_696
    best = clusters(ever, most=1)[0]
    assert best.llr == pytest.approx(16.5640, abs=5e-5)
    assert (best.places.size, best.start, best.end, best.observed) == (22, 1, 10, 178)
    assert best.expected == pytest.approx(112.383, abs=5e-4)


def ratio(c: int, mu: float, total: int) -> float:
    if c < 2 or c <= mu:
        return 0.0
    rest = (total - c) * math.log((total - c) / (total - mu)) if c < total else 0.0
    return c * math.log(c / mu) + rest


def every_cylinder(scan: Scan, points: np.ndarray, weights: np.ndarray, share: float) -> list[tuple]:
    """Enumerate cylinders without the kernels: sets of places, spans, and their ratios."""
    spans = list(zip(scan.windows.starts.tolist(), scan.windows.ends.tolist(), strict=True))
    people = scan.baseline.sum()
    found = []
    for centre in range(len(points)):
        distance = np.round(np.hypot(*(points - points[centre]).T), 9)
        for reach in np.unique(distance):
            places = np.flatnonzero(distance <= reach)
            if weights[places].sum() > share * weights.sum() * (1 + 1e-9):
                break
            for start, end in spans:
                c = int(scan.counts[places, start:end].sum())
                mu = scan.total * scan.baseline[places, start:end].sum() / people
                found.append((ratio(c, mu, scan.total), frozenset(places.tolist()), start, end, c, mu))
    return found


def small_case(seed: int, *, lattice: bool) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = np.stack(np.meshgrid(np.arange(4.0), np.arange(3.0)), -1).reshape(-1, 2) * 300
    if not lattice:
        points = points + rng.normal(0, 60, points.shape)
    return points + np.array([550_000, 3_460_000]), rng.poisson(rng.gamma(1.0, 1.0, (12, 1)) * np.ones(6), (12, 6))


@pytest.mark.parametrize("lattice", [True, False])
@pytest.mark.parametrize("model", ["permutation", "poisson"])
@pytest.mark.parametrize("spans", [prospective, retrospective])
def test_clusters_are_those_of_enumeration(model: str, spans, *, lattice: bool) -> None:
    for seed in range(5):
        points, counts = small_case(seed, lattice=lattice)
        people = np.random.default_rng(seed + 50).integers(1, 40, (12, 6))
        weights = counts.sum(axis=1) if model == "permutation" else people.sum(axis=1)
        zones = circular_zones(points, weights, share=0.5)
        make = permutation_scan if model == "permutation" else lambda c, z, w: poisson_scan(c, people, z, w)  # noqa: B023
        scan = make(counts, zones, spans(6, 3))
        cylinders = every_cylinder(scan, points, weights, 0.5)
        assert scan.cylinders_count == len(cylinders)
        taken: set[int] = set()
        for one in clusters(scan, most=20):
            best = max(r for r, places, *_ in cylinders if not places & taken)
            assert one.llr == pytest.approx(best, abs=1e-9)
            same = [c for c in cylinders if c[1:4] == (frozenset(one.places.tolist()), one.start, one.end)]
            assert same
            assert same[0][4] == one.observed
            assert same[0][5] == pytest.approx(one.expected)
            assert not taken & same[0][1]
            taken |= same[0][1]
        assert max((r for r, places, *_ in cylinders if not places & taken), default=0) == 0


@pytest.mark.parametrize("model", ["permutation", "poisson"])
def test_the_maximum_of_a_replicate_is_that_of_enumeration(model: str) -> None:
    points, counts = small_case(3, lattice=True)
    people = np.random.default_rng(1).integers(1, 9, 12)
    zones = circular_zones(points, counts.sum(axis=1))
    scan = permutation_scan(counts, zones, retrospective(6, 3))
    if model == "poisson":
        scan = poisson_scan(counts, people, zones, retrospective(6, 3))
    null = null_maxima(scan, 70, seed=7)
    sums = np.empty((12, 7, 70), np.float32)
    if model == "permutation":
        place, step = (np.repeat(index, counts[counts > 0]) for index in np.nonzero(counts))
        scan_null.shuffled(sums, place, step, 0, 7, 0)
    else:
        table = scan_null.alias_table(scan.baseline.ravel())
        scan_null.drawn(sums, *table, scan.total, 6, 0, 7, 0)
    for lane in range(0, 70, 7):
        drawn = np.diff(sums[:, :, lane], axis=1).astype(np.int64)
        assert drawn.sum() == scan.total
        if model == "permutation":
            assert (drawn.sum(axis=0) == counts.sum(axis=0)).all()
            assert (drawn.sum(axis=1) == counts.sum(axis=1)).all()
        again = Scan(scan.model, drawn, scan.baseline, zones, scan.windows)
        best = max(r for r, *_ in every_cylinder(again, points, counts.sum(axis=1), 0.5))
        assert null[lane] == pytest.approx(best, abs=1e-9)


def test_p_is_that_of_all_orders_of_time() -> None:
    """Six incidents at three places: all 720 orders, against drawn ones."""
    points = np.array([[0.0, 0.0], [1.0, 0.0], [5.0, 0.0]])
    place, step = np.array([0, 0, 1, 1, 2, 2]), np.array([2, 2, 0, 0, 1, 0])
    counts = np.zeros((3, 3), np.int64)
    np.add.at(counts, (place, step), 1)
    zones = circular_zones(points, counts.sum(axis=1), share=0.7)
    scan = permutation_scan(counts, zones, prospective(3, 2))
    every = []
    for order in itertools.permutations(step.tolist()):
        shuffled = np.zeros((3, 3), np.int64)
        np.add.at(shuffled, (place, list(order)), 1)
        every.append(clusters(permutation_scan(shuffled, zones, prospective(3, 2)), most=1))
    ratios = np.array([one[0].llr if one else 0.0 for one in every])
    observed = clusters(scan, most=1)[0].llr
    truth = (ratios >= observed).mean()
    assert 0.05 < truth < 0.5
    drawn = monte_carlo_p(np.array([observed]), null_maxima(scan, 20_000))[0]
    assert drawn == pytest.approx(truth, abs=4 * math.sqrt(truth * (1 - truth) / 20_000))


def test_incidents_are_drawn_by_the_population() -> None:
    weights = np.array([0.0, 1.0, 5.0, 0.0, 2.0, 12.0])
    table = scan_null.alias_table(weights)
    sums = np.empty((3, 3, 64), np.float32)
    scan_null.drawn(sums, *table, 1_000, 2, 0, 5, 0)
    totals = np.diff(sums, axis=1).sum(axis=2).ravel()
    assert totals[[0, 3]].tolist() == [0, 0]
    expected = 64_000 * weights / weights.sum()
    assert stats.chisquare(totals[weights > 0], expected[weights > 0]).pvalue > 1e-4


def test_every_order_is_as_likely() -> None:
    sums = np.empty((4, 5, 2_400), np.float32)
    scan_null.shuffled(sums, np.arange(4), np.arange(4), 0, 11, 0)
    step = np.diff(sums, axis=1).argmax(axis=1)
    orders = np.unique(step.T, axis=0, return_counts=True)[1]
    assert orders.size == 24
    assert stats.chisquare(orders).pvalue > 1e-4


def test_a_replicate_does_not_depend_on_its_company(monkeypatch: pytest.MonkeyPatch) -> None:
    points, counts = small_case(4, lattice=True)
    scan = permutation_scan(counts, circular_zones(points, counts.sum(axis=1)), retrospective(6, 3))
    many = null_maxima(scan, 200, seed=3)
    assert (null_maxima(scan, 37, seed=3) == many[:37]).all()
    assert (null_maxima(scan, 200, seed=4) != many).any()
    monkeypatch.setattr("gis.kernels.scan.lanes_for", lambda _places, _rows: 5)
    assert (null_maxima(scan, 200, seed=3) == many).all()


@given(
    st.integers(2, 10_000).flatmap(lambda total: st.tuples(st.just(total), st.integers(2, total))),
    st.floats(1e-6, 0.999),
)
def test_what_is_passed_over_is_no_maximum(sizes: tuple[int, int], share: float) -> None:
    total, c = sizes
    mu = share * c
    slope, shift = np.empty(1, np.float32), np.empty(1, np.float32)
    scan_null.slopes(np.array([0.0, mu]), np.array([0]), np.array([1]), 1.0, float(total), slope, shift)
    bound = np.float32(c) * slope[0] - shift[0]
    assert scan_null.llr(float(c), mu, float(total)) == pytest.approx(ratio(c, mu, total), rel=1e-12, abs=1e-12)
    if c > mu:
        assert math.sqrt(max(ratio(c, mu, total), 0.0)) <= bound
        # Tighter than chi-square, but for what single precision adds on purpose.
        assert bound <= (c - mu) * math.sqrt(total / (mu * (total - mu))) + 4e-6 * c * slope[0]


@pytest.mark.parametrize("model", ["permutation", "poisson"])
def test_units_rotation_origin_and_order_change_nothing(model: str) -> None:
    points, counts = small_case(5, lattice=True)
    people = np.random.default_rng(2).integers(1, 9, 12)

    def found(where: np.ndarray, order: np.ndarray) -> list[tuple]:
        weights = counts.sum(axis=1) if model == "permutation" else people
        zones = circular_zones(where[order], weights[order])
        if model == "permutation":
            scan = permutation_scan(counts[order], zones, retrospective(6, 3))
        else:
            scan = poisson_scan(counts[order], people[order], zones, retrospective(6, 3))
        return [(frozenset(order[c.places].tolist()), c.start, c.end, c.llr) for c in clusters(scan)]

    same = np.arange(12)
    truth = found(points, same)
    assert len(truth) >= 2
    angle = np.array([[math.cos(0.7), -math.sin(0.7)], [math.sin(0.7), math.cos(0.7)]])
    for where in (points * 1000, points - [550_000, 3_460_000], points @ angle.T):
        assert found(where, same) == truth
    shuffled = found(points, np.random.default_rng(3).permutation(12))
    assert [one[3] for one in shuffled] == [one[3] for one in truth]
    assert shuffled[0][:3] == truth[0][:3]


def test_shuffled_data_alarm_no_more_often_than_stated() -> None:
    """P of data in which nothing happens is uniform, so 5 % of such cities have a cluster at 0.05."""
    rng = np.random.default_rng(8)
    points = rng.uniform(0, 5_000, (25, 2))
    place = rng.choice(25, 200, p=rng.dirichlet(np.ones(25)))
    step = rng.integers(0, 10, 200)
    zones = circular_zones(points, np.bincount(place, minlength=25))
    p = []
    for case in range(150):
        counts = np.zeros((25, 10), np.int64)
        np.add.at(counts, (place, rng.permutation(step)), 1)
        scan = permutation_scan(counts, zones, prospective(10, 5))
        best = clusters(scan, most=1)[0]
        p.append(monte_carlo_p(np.array([best.llr]), null_maxima(scan, 199, seed=case))[0])
    alarms = int((np.array(p) <= 0.05).sum())
    assert alarms <= stats.binom.ppf(0.999, 150, 0.05)
    assert stats.kstest(p, "uniform").pvalue > 1e-3


def test_gumbel_agrees_with_counting_where_both_can_tell() -> None:
    points, counts = small_case(6, lattice=False)
    scan = permutation_scan(counts, circular_zones(points, counts.sum(axis=1)), retrospective(6, 3))
    null = null_maxima(scan, 9_999)
    levels = np.quantile(null, [0.5, 0.9, 0.99])
    assert gumbel_p(levels, null) == pytest.approx(monte_carlo_p(levels, null), rel=0.35)
    assert 0 < gumbel_p(np.array([1e9]), null)[0] < 1e-300
    assert np.isnan(gumbel_p(np.array([1.0]), np.ones(99))).all()


def test_the_critical_ratio_is_where_p_passes_the_level() -> None:
    null = np.random.default_rng(9).gumbel(5, 1, 999)
    limit = critical_ratio(null, 0.05)
    assert monte_carlo_p(np.array([limit]), null)[0] > 0.05
    assert monte_carlo_p(np.array([np.nextafter(limit, 9e9)]), null)[0] <= 0.05
    assert np.isnan(critical_ratio(np.ones(9), 0.05))


def test_places_at_one_distance_enter_together_and_the_radius_holds() -> None:
    points = np.stack(np.meshgrid(np.arange(5.0), np.arange(5.0)), -1).reshape(-1, 2) * 300 + [549_000.1, 3_459_000.3]
    zones = circular_zones(points, np.ones(25), share=0.5, radius=450)
    begin, end = zones.offsets[12:14]
    sizes = [m + 1 - begin for m in range(begin, end) if zones.closed[m]]
    assert sizes == [1, 5, 9]
    assert zones.radius(12, end - 1) == pytest.approx(300 * math.sqrt(2))
    # The next ring would hold 13 of 25, more than half.
    free = circular_zones(points, np.ones(25), share=0.5)
    assert free.offsets[13] - free.offsets[12] == 9
    twice = circular_zones(np.repeat(points[:2], 2, axis=0), np.ones(4), share=1.0)
    assert twice.closed.reshape(4, 4).tolist() == [[False, True, False, True]] * 4


def test_nothing_to_find_is_found() -> None:
    points, _ = small_case(0, lattice=True)
    even = np.full((12, 6), 2)
    scan = permutation_scan(even, circular_zones(points, even.sum(axis=1)), retrospective(6, 3))
    assert clusters(scan) == []
    one_place = np.zeros((12, 6), np.int64)
    one_place[3] = [1, 2, 3, 0, 0, 1]
    alone = permutation_scan(one_place, circular_zones(points, one_place.sum(axis=1)), prospective(6, 3))
    assert clusters(alone) == []
    assert (null_maxima(alone, 20) == 0).all()
    assert relative_risk(5, 1.0, 5) == math.inf


def test_what_cannot_be_scanned_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    points, counts = small_case(0, lattice=True)
    zones = circular_zones(points, np.ones(12))
    spans = prospective(6, 3)
    for wrong in (counts * 1.5, counts[:5], -counts, counts * 0):
        with pytest.raises(InvalidInput):
            permutation_scan(wrong, zones, spans)
    with pytest.raises(InvalidInput, match="after the last step"):
        permutation_scan(counts[:, :4], zones, spans)
    with pytest.raises(InvalidInput, match="population"):
        poisson_scan(counts, np.ones(5), zones, spans)
    with pytest.raises(InvalidInput, match="nothing is expected"):
        poisson_scan(counts, np.zeros(12), zones, spans)
    for longest in (0, 7):
        with pytest.raises(InvalidInput, match="longest"):
            retrospective(6, longest)
    for options in ({"share": 0}, {"radius": 0.0}):
        with pytest.raises(InvalidInput):
            circular_zones(points, np.ones(12), **options)
    with pytest.raises(InvalidInput):
        circular_zones(points, -np.ones(12))
    monkeypatch.setattr("gis.kernels.scan_zones.MOST_MEMBERS", 10)
    with pytest.raises(InvalidInput, match="smaller share"):
        circular_zones(points, np.ones(12))
