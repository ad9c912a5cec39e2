"""Equal-split kernels: published formulas at junctions, every walk counted, no incident lost."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.kernels.network_density import Kernel, Split, network_density, predictive_score
from gis.kernels.street_graph import Lixels, StreetGraph, lixels
from tests.support.streets import chain, random_streets, star

SPLITS = pytest.mark.parametrize("split", ["continuous", "discontinuous"])
KERNELS = pytest.mark.parametrize("kernel", ["quartic", "epanechnikov"])


def k(distance: Any, h: float, kernel: str = "quartic") -> Any:
    u = np.minimum(np.abs(distance) / h, 1.0)
    return (15 / 16 * (1 - u**2) ** 2 if kernel == "quartic" else 3 / 4 * (1 - u**2)) / h


GAUSS = np.polynomial.legendre.leggauss(5)
"""Places and weights of a rule that is exact for our kernels, which are polynomials."""


def integral(distance: float, h: float, kernel: str) -> float:
    """Of the kernel from 0 to a distance."""
    end = np.clip(distance, -h, h)
    return float(end / 2 * (GAUSS[1] * k(end / 2 * (GAUSS[0] + 1), h, kernel)).sum())


def density(graph: StreetGraph, edge: int, offset_m: float, *, h: float, lixel_m: float = 5.0, **how: Any) -> Any:
    """Return the mean density on each lixel, where five places on it are, from end to end, and its edge."""
    cut = lixels(graph.length_m, lixel_m)
    mass = network_density(graph, cut, np.array([edge]), np.array([offset_m]), bandwidth_m=h, **how)
    places = cut.lower_m[:, None] + cut.length_m[:, None] * (GAUSS[0] + 1) / 2
    return mass / cut.length_m, places, cut.edge


def assert_close(value: Any, formula: Any, *, h: float) -> None:
    """Mean densities against a formula at the five places on each lixel."""
    # The steps change an integral by at most a millionth, and a lixel has 5 m or more.
    assert np.abs(value - formula @ GAUSS[1] / 2).max() < 4e-7
    assert formula.max() > 0.5 / h


def by_walking(graph: StreetGraph, cut: Lixels, start: tuple[int, float], *, h: float, kernel: str, split: str) -> Any:
    """List every walk, one after the other: the definition itself."""
    edge, offset = start
    mass = np.zeros(cut.edge.size)
    degree = graph.degree
    waiting = [(2 * edge, graph.length_m[edge] - offset, 1.0), (2 * edge + 1, offset, 1.0)]
    for i in range(cut.first[edge], cut.first[edge + 1]):
        mass[i] += integral(cut.upper_m[i] - offset, h, kernel) - integral(cut.lower_m[i] - offset, h, kernel)
    while waiting:
        arrived, far, share = waiting.pop()
        node = graph.ends[arrived // 2, 1 - arrived % 2]
        m = degree[node]
        for dart in graph.leaving[graph.first[node] : graph.first[node + 1]]:
            turned = dart == arrived ^ 1
            straight_on = float(turned) if m == 1 else (not turned) / (m - 1)
            part = 2 / m - turned if split == "continuous" else straight_on
            if part == 0 or far >= h:
                continue
            e = dart // 2
            for i in range(cut.first[e], cut.first[e + 1]):
                a, b = cut.lower_m[i], cut.upper_m[i]
                near, end = (a, b) if dart % 2 == 0 else (graph.length_m[e] - b, graph.length_m[e] - a)
                mass[i] += share * part * (integral(far + end, h, kernel) - integral(far + near, h, kernel))
            waiting.append((dart, far + graph.length_m[e], share * part))
    return mass


@SPLITS
@KERNELS
def test_a_straight_street_has_the_kernel_of_the_line(split: Split, kernel: Kernel) -> None:
    h, at = 300.0, 1_210.0
    value, x, _ = density(chain(2_000), 0, at, h=h, kernel=kernel, split=split)
    assert_close(value, k(x - at, h, kernel), h=h)
    # Nodes between two streets only, and very short edges, change nothing.
    parts = (1_200.0, 13.0, 0.4, 2.0, 184.6, 600.0)
    cut = lixels(np.array(parts), 50.0)
    mass = network_density(
        chain(*parts), cut, np.array([1]), np.array([at - 1_200]), bandwidth_m=h, kernel=kernel, split=split
    )
    start = np.concatenate([[0], np.cumsum(parts)])[cut.edge]
    ends = [np.array([integral(x - at, h, kernel) for x in start + side]) for side in (cut.upper_m, cut.lower_m)]
    assert np.abs(mass - (ends[0] - ends[1])).max() < 2e-6
    # Not even on the piece of 40 cm, where others go wrong (spatstat, issue 133).
    assert mass[cut.edge == 2][0] / 0.4 == pytest.approx(k(3.2, h, kernel), rel=1e-3)


def test_the_published_values_at_a_junction_of_four() -> None:
    """The cases of the tests of spNetwork 0.4, in tenths of a metre: bandwidth 10, an incident 3 from the junction."""
    far, x, edge = density(star(500, 500, 500, 500), 0, 300, h=1_000, split="discontinuous")
    assert far[(edge == 2) & (x[:, 2] == 302.5)][0] == pytest.approx(k(602.5, 1_000) / 3, rel=1e-3)
    near, x, edge = density(star(1_000, 1_000, 1_000, 1_000), 0, 300, h=500)
    assert near[(edge == 0) & (x[:, 2] == 102.5)][0] == pytest.approx(k(197.5, 500) - k(402.5, 500) / 2, rel=1e-3)


@KERNELS
def test_the_formulas_of_okabe_at_a_junction_of_three(kernel: Kernel) -> None:
    h, a = 300.0, 80.0
    graph = star(400, 400, 400)
    value, x, edge = density(graph, 0, a, h=h, split="continuous", kernel=kernel)
    own = k(x - a, h, kernel) - k(x + a, h, kernel) / 3
    assert_close(value, np.where(edge[:, None] == 0, own, k(x + a, h, kernel) * 2 / 3), h=h)
    value, x, edge = density(graph, 0, a, h=h, split="discontinuous", kernel=kernel)
    assert_close(value, np.where(edge[:, None] == 0, k(x - a, h, kernel), k(x + a, h, kernel) / 2), h=h)


def test_only_the_continuous_one_has_no_jump_at_a_junction() -> None:
    for split, jump in (("continuous", 1.0), ("discontinuous", 3.0)):
        value, x, _ = density(star(300, 300, 300, 300), 0, 60, h=200, lixel_m=1.0, split=split)
        first = value[x[:, 2] == 0.5]
        assert first[0] / first[1] == pytest.approx(jump, rel=0.02)


@SPLITS
def test_a_dead_end_sends_everything_back(split: Split) -> None:
    value, x, _ = density(chain(500), 0, 60, h=200, split=split)
    assert_close(value, k(x - 60, 200) + k(x + 60, 200), h=200)


@SPLITS
def test_a_ring_is_walked_round_and_round(split: Split) -> None:
    h, around = 250.0, 180.0
    turns = np.arange(-2, 3)[:, None, None] * around
    loop = StreetGraph(np.array([[0, 0]]), np.array([around]))
    value, x, _ = density(loop, 0, 35, h=h, split=split)
    assert_close(value, k(x - 35 + turns, h).sum(axis=0), h=h)
    three = StreetGraph(np.array([[0, 1], [1, 2], [2, 0]]), np.array([50.0, 70.0, 60.0]))
    value, x, edge = density(three, 0, 35, h=h, split=split)
    along = x + np.array([0, 50, 120])[edge][:, None]
    assert_close(value, k(along - 35 + turns, h).sum(axis=0), h=h)


@SPLITS
@KERNELS
@pytest.mark.parametrize("seed", range(4))
def test_one_sweep_equals_listing_every_walk(seed: int, kernel: Kernel, split: Split) -> None:
    rng = np.random.default_rng(seed)
    graph = random_streets(rng, edges=int(rng.integers(2, 8)), nodes=4, lengths_m=(50, 200))
    cut = lixels(graph.length_m, 30.0)
    edge = rng.integers(0, graph.length_m.size, 3)
    offset = rng.uniform(0, 1, 3) * graph.length_m[edge]
    ours = network_density(graph, cut, edge, offset, bandwidth_m=300, kernel=kernel, split=split)
    listed = sum(by_walking(graph, cut, at, h=300, kernel=kernel, split=split) for at in zip(edge, offset, strict=True))
    assert np.abs(ours - listed).max() < 2e-5


def test_the_error_of_the_steps_is_of_second_order() -> None:
    rng = np.random.default_rng(8)
    graph = random_streets(rng, edges=6, nodes=4, lengths_m=(70, 200))
    cut = lixels(graph.length_m, 30.0)
    edge, offset = rng.integers(0, 6, 5), np.full(5, 31.7)
    how = {"h": 300, "kernel": "quartic", "split": "continuous"}
    exact = sum(by_walking(graph, cut, at, **how) for at in zip(edge, offset, strict=True))
    off = [
        np.abs(network_density(graph, cut, edge, offset, bandwidth_m=300, steps=n) - exact).max() for n in (100, 400)
    ]
    assert off[1] < off[0] / 8


@SPLITS
@KERNELS
@settings(max_examples=30)
@given(st.integers(0, 10_000), st.floats(0.3, 400), st.floats(20, 900))
def test_no_incident_is_lost(kernel: Kernel, split: Split, seed: int, shortest: float, h: float) -> None:
    rng = np.random.default_rng(seed)
    graph = random_streets(rng, int(rng.integers(1, 25)), int(rng.integers(1, 12)), (shortest, 2 * shortest))
    cut = lixels(graph.length_m, 40.0)
    edge = rng.integers(0, graph.length_m.size, 17)
    offset = rng.uniform(0, 1, 17) * graph.length_m[edge]
    mass = network_density(graph, cut, edge, offset, bandwidth_m=h, kernel=kernel, split=split)
    assert mass.sum() == pytest.approx(17, rel=1e-9)
    if split == "discontinuous":
        assert mass.min() >= -1e-12


@SPLITS
@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_units_directions_and_order_do_not_matter(split: Split, seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_streets(rng, 9, 6, (30, 150))
    edge = rng.integers(0, 9, 6)
    offset = rng.uniform(0, 1, 6) * graph.length_m[edge]

    def per_edge(graph: StreetGraph, edge: Any, offset: Any, h: float) -> Any:
        return network_density(graph, lixels(graph.length_m, None), edge, offset, bandwidth_m=h, split=split)

    plain = per_edge(graph, edge, offset, 200)
    doubled = StreetGraph(graph.ends, graph.length_m * 2)
    assert np.allclose(per_edge(doubled, edge, offset * 2, 400), plain, atol=1e-12)
    turned = StreetGraph(graph.ends[:, ::-1], graph.length_m)
    assert np.allclose(per_edge(turned, edge, graph.length_m[edge] - offset, 200), plain, atol=1e-12)
    order = rng.permutation(9)
    moved = StreetGraph(graph.ends[order], graph.length_m[order])
    assert np.allclose(per_edge(moved, np.argsort(order)[edge], offset, 200), plain[order], atol=1e-12)
    fine = lixels(graph.length_m, 20.0)
    mass = network_density(graph, fine, edge, offset, bandwidth_m=200, split=split)
    assert np.allclose(np.bincount(fine.edge, weights=mass, minlength=9), plain, atol=1e-12)


def test_the_same_way_there_and_back() -> None:
    """The kernel is symmetric: what an incident here gives there, one there gives here."""
    graph = random_streets(np.random.default_rng(5), 12, 7, (30, 150))
    cut = lixels(graph.length_m, 5.0)
    ends = [cut.first[3] + 2, cut.first[8] + 3]
    for split in ("continuous", "discontinuous"):
        mass = [
            network_density(
                graph, cut, cut.edge[[i]], (cut.lower_m + cut.upper_m)[[i]] / 2, bandwidth_m=400, split=split
            )[j]
            for i, j in (ends, ends[::-1])
        ]
        assert mass[0] == pytest.approx(mass[1], rel=1e-3)


def test_two_halves_choose_a_bandwidth_as_wide_as_the_truth() -> None:
    rng = np.random.default_rng(2)
    graph = chain(*np.full(100, 100.0))
    cut = lixels(graph.length_m, 50.0)

    def best(place: Any) -> float:
        edge = (place // 100).astype(int)
        half = rng.random(place.size) < 0.5
        tried = (50.0, 200.0, 800.0, 3_000.0)
        scores = [
            predictive_score(graph, cut, edge, place % 100, half, bandwidth_m=h, kernel="quartic", split="continuous")
            for h in tried
        ]
        return tried[int(np.argmax(scores))]

    narrow = rng.normal(rng.choice([2_000, 5_000, 8_000], 600), 20)
    wide = rng.normal(5_000, 900, 600)
    assert best(narrow) == 50
    assert best(wide) == 800
    assert best(rng.uniform(0, 10_000, 600)) >= 800
