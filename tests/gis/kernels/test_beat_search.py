"""Beats from grids: the best of all divisions where all can be looked at, never worse than the beats in force."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.errors import Infeasible
from gis.kernels.beat_search import Aim, centres_of, measured, search, whole_start
from gis.kernels.block_graph import BlockGraph, Floats, Ints
from tests.support.block_cities import grown, square_lattice


def some_aim(columns: int, rows: int, beats: int, seed: int) -> tuple[BlockGraph, Aim]:
    """Return a lattice with uneven loads and ways that are longer there than back; odd seeds have beats in force."""
    graph, n = square_lattice(columns, rows), columns * rows
    rng = np.random.default_rng(seed)
    xy = np.column_stack([np.arange(n) % columns, np.arange(n) // columns]).astype(float)
    seconds = np.abs(xy[:, None] - xy).sum(axis=2) * (1 + 0.3 * rng.random((n, n)))
    posts = rng.choice(n, beats, replace=False) if seed % 4 >= 2 else None
    base = grown(graph, beats, seed) if seed % 2 else None
    return graph, Aim(rng.gamma(2, 1, n), seconds, beats, 0.15, 1.0, 0.3 * (seed % 2), base, posts)


def price(graph: BlockGraph, aim: Aim, beat: Ints) -> float:
    """The number that is made small, written down anew from the module's formula."""
    target = aim.load.sum() / aim.beats_count
    near = max(round(aim.load.size / aim.beats_count), 2) - 1
    reach = np.median(np.sort(aim.seconds, axis=1)[:, near])
    total = 0.0
    for b in range(aim.beats_count):
        own = np.flatnonzero(beat == b)
        d = aim.load[own].sum() / target - 1
        h = max(abs(d) - aim.tolerance, 0.0)
        total += 4 * d**2 + 200 * (h + 4 * h**2)
        centres = own if aim.posts is None else [aim.posts[b]]
        total += aim.response_weight * min(aim.load[own] @ aim.seconds[c, own] for c in centres) / target / reach
    ends, border_m = graph.pairs()
    total += 0.1 * border_m[beat[ends[:, 0]] != beat[ends[:, 1]]].sum()
    if aim.base is not None:
        away = beat != aim.base
        total += aim.change_weight * (aim.load[away].sum() / target + 1e-4 * away.sum())
    return float(total)


@pytest.mark.parametrize(
    ("columns", "rows", "beats", "seed"), [*((3, 3, 2, seed) for seed in range(4)), (4, 2, 3, 1), (4, 2, 3, 2)]
)
def test_few_grids_are_divided_in_the_best_of_all_ways(columns: int, rows: int, beats: int, seed: int) -> None:
    graph, aim = some_aim(columns, rows, beats, seed)
    best = np.inf
    for numbers in product(range(beats), repeat=columns * rows):
        beat = np.array(numbers)
        if np.unique(beat).size < beats or graph.pieces(beat).max() + 1 > beats:
            continue
        if aim.posts is None or (beat[aim.posts] == np.arange(beats)).all():
            best = min(best, price(graph, aim, beat))
    found = search(graph, aim, seed=seed)
    assert found.cost.total == pytest.approx(best, abs=1e-9)
    assert price(graph, aim, found.beat) == pytest.approx(best, abs=1e-9)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), beats=st.integers(2, 9))
def test_beats_hang_together_hold_their_posts_and_are_never_worse_than_those_in_force(seed: int, beats: int) -> None:
    graph, aim = some_aim(9, 7, beats, seed)
    start = whole_start(graph, aim.load, grown(graph, beats, seed), beats_count=beats)
    assert start is not None
    starts = (start,) if aim.posts is None else ()
    found = search(graph, aim, starts=starts, seed=seed)
    assert graph.pieces(found.beat).max() + 1 == beats
    assert sorted(np.unique(found.beat)) == list(range(beats))
    assert (found.beat[found.centre] == np.arange(beats)).all()
    if aim.posts is not None:
        assert found.centre.tolist() == aim.posts.tolist()
    assert found.cost.total == pytest.approx(price(graph, aim, found.beat))
    if starts:
        assert found.cost.total <= measured(graph, aim, start).cost.total
    assert search(graph, aim, starts=starts, seed=seed).beat.tolist() == found.beat.tolist()


def lattice_aim(load: Floats, **more: object) -> tuple[BlockGraph, Aim]:
    graph = square_lattice(12, 8)
    xy = np.column_stack([np.arange(96) % 12, np.arange(96) // 12]).astype(float)
    told = {"tolerance": 0.1, "response_weight": 1.0, "change_weight": 0.0, **more}
    return graph, Aim(load, np.abs(xy[:, None] - xy).sum(axis=2), 6, **told)  # type: ignore[arg-type]


def test_even_loads_on_a_lattice_become_even_and_compact_beats() -> None:
    graph, aim = lattice_aim(np.ones(96))
    found = search(graph, aim)
    loads = np.bincount(found.beat)
    assert loads.min() >= 15
    assert loads.max() <= 17
    # Six squares of 4 x 4: the mean way from one of the four middle blocks is 2.
    assert aim.seconds[found.centre[found.beat], np.arange(96)].mean() <= 2.05


def test_what_counts_more_becomes_better() -> None:
    load = np.random.default_rng(4).gamma(1.5, 1, 96)

    def way_and_spread(response: float) -> tuple[float, float]:
        graph, aim = lattice_aim(load, response_weight=response, tolerance=0.6)
        found = search(graph, aim)
        way = float(load @ aim.seconds[found.centre[found.beat], np.arange(96)])
        return way, found.cost.spread

    (slow, even), (fast, uneven) = way_and_spread(0.05), way_and_spread(20.0)
    assert fast < slow
    assert uneven > even


def test_beats_that_are_good_already_stay_when_change_counts() -> None:
    squares = np.arange(96) // 12 // 4 * 3 + np.arange(96) % 12 // 4
    graph, aim = lattice_aim(np.ones(96), base=squares, change_weight=5.0)
    assert search(graph, aim, starts=(squares,)).beat.tolist() == squares.tolist()


def test_beats_made_from_nothing_carry_the_numbers_of_those_in_force() -> None:
    squares = np.arange(96) // 12 // 4 * 3 + np.arange(96) % 12 // 4
    names = np.array([3, 1, 5, 0, 2, 4])
    graph, aim = lattice_aim(np.ones(96), base=names[squares], change_weight=0.01)
    found = search(graph, aim)
    assert (found.beat == names[squares]).mean() > 0.7


def test_a_grid_that_is_not_reached_still_has_a_beat() -> None:
    graph, aim = lattice_aim(np.ones(96))
    aim.seconds[:, 5] = aim.seconds[5, :] = np.inf
    found = search(graph, aim)
    assert np.isfinite(found.cost.total)
    assert graph.pieces(found.beat).max() == 5
    assert 5 not in found.centre


def test_centres_without_load_are_in_the_middle() -> None:
    steps = np.abs(np.arange(5.0)[:, None] - np.arange(5.0))
    assert centres_of(np.zeros(5, np.int64), np.zeros(5), steps, beats_count=1).tolist() == [2]


def test_as_many_beats_as_grids_and_no_more() -> None:
    graph, aim = some_aim(3, 2, 6, 0)
    assert np.unique(search(graph, aim).beat).size == 6
    graph, aim = some_aim(2, 2, 4, 0)
    with pytest.raises(Infeasible, match="cannot make 5 beats"):
        search(graph, Aim(aim.load, aim.seconds, 5, 0.1, 1.0, 0.0))


def test_beats_in_pieces_are_put_together_to_begin_with() -> None:
    graph = square_lattice(4, 1)
    assert whole_start(graph, np.ones(4), np.array([0, 1, 0, 1]), beats_count=2) is not None
    assert whole_start(graph, np.ones(4), np.array([0, 0, 0, 0]), beats_count=2) is None
