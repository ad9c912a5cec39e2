"""Proposals: never worse than the plan in force, as few moves as can be, bounds that hold, locks kept."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gis
from data.synth.voronoi import voronoi_city
from gis.errors import Conflict, Infeasible, InvalidInput
from gis.kernels.annealing import BRIEF, LATTICE, THOROUGH
from gis.kernels.block_graph import BlockGraph
from gis.kernels.exact_partition import most_even
from gis.kernels.partition_bounds import lattice_cut_bound
from gis.kernels.plan_objective import EQUAL_BLOCKS, FROM_SCRATCH, Band, cut_length
from gis.plans.division import divided, in_two, rough
from gis.plans.graph import Blocks, blocks_of, with_households
from gis.plans.ground import ground_of
from gis.plans.plan import Flip, Grid, Plan, current_plan, diff, plan_of
from gis.plans.policy import policy
from gis.plans.propose import WAYS, propose
from gis.plans.task import task_of
from gis.plans.workload import workload_of
from tests.support.block_cities import square_lattice
from tests.support.plan_city import city_blocks, grown_plan
from tests.support.redraw_oracles import florida, gerrymandria

BLOCKS = city_blocks(160, 4, communities=2)
LOAD = BLOCKS.households.astype(float)
PLAN = grown_plan(BLOCKS, 5, 3)
BAND = Band.around(LOAD.sum() / 10, 0.3)


def whole(blocks: Blocks, plan: Plan) -> bool:
    """Every grid in one piece, over borders that it may reach across."""
    return blocks.open_graph.pieces(plan.grid).max() + 1 == np.unique(plan.grid).size


# -- divisions from nothing ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "k"), [(1, 1), (3, 3), (13, 5), (25, 12), (90, 30), (400, 10)])
def test_a_division_has_all_its_grids_in_one_piece_each(n: int, k: int) -> None:
    graph, load, _ = voronoi_city(max(n, 3), 2)
    graph, load = graph.part(np.arange(n)) if n < 3 else graph, load[:n]
    band = Band.around(max(load.sum() / k, 1.0), 0.5)
    for grid in (rough(graph, load, k), divided(graph, load, k, band=band, weights=FROM_SCRATCH, schedule=BRIEF)):
        assert sorted(np.unique(grid)) == list(range(k))
        assert graph.pieces(grid).max() + 1 == k


def test_more_grids_than_blocks() -> None:
    with pytest.raises(Infeasible, match="3 blocks"):
        rough(square_lattice(3, 1), np.ones(3), 4)


@pytest.mark.parametrize("n", [2, 20, 60])
def test_two_halves_are_as_even_as_can_be(n: int) -> None:
    graph = square_lattice(n // 2, 2) if n > 2 else square_lattice(2, 1)
    half = in_two(graph, np.ones(n))
    assert graph.pieces(half).max() == 1
    assert np.bincount(half).tolist() == [n // 2, n // 2]


def test_a_small_division_is_florida_s_optimum(shared_data: Path) -> None:
    graph, load = florida(shared_data)
    mean = load.sum() / 3
    grid = divided(graph, load, 3, band=Band.around(mean, 0.1), weights=FROM_SCRATCH, schedule=THOROUGH)
    deviation = np.abs(np.bincount(grid, load) / mean - 1).max()
    assert most_even(graph, load, 3).deviation <= deviation <= 0.1


def test_a_lattice_divided_comes_within_four_per_cent_of_the_proven_bound() -> None:
    """60 by 60 squares, 90 grids, the published bound of 1,020."""
    graph = square_lattice(60, 60)
    band = Band.around(40.0, 0.1)
    grid = divided(graph, np.ones(3600), 90, band=band, weights=EQUAL_BLOCKS, schedule=LATTICE)
    bound = lattice_cut_bound(60, 60, 90, tolerance=0.1)
    assert bound == 1020
    assert band.holds(np.bincount(grid)).all()
    assert bound <= cut_length(graph, grid) <= 1.04 * bound


@pytest.mark.parametrize(
    ("file", "outer", "grids"), [("gerrymandria.json", "county", 4), ("8x8_with_muni.json", "muni", 4)]
)
def test_grids_stay_inside_the_areas_that_hold_them(shared_data: Path, file: str, outer: str, grids: int) -> None:
    """Four squares a grid in counties of sixteen, two a grid in municipalities of four."""
    graph, columns = gerrymandria(shared_data, file)
    ends, _ = graph.pairs()
    inside = graph.without(columns[outer][ends[:, 0]] != columns[outer][ends[:, 1]])
    component = inside.components()
    for part in np.unique(component):
        mine = np.flatnonzero(component == part)
        count = grids if outer == "county" else 2
        grid = divided(
            inside.part(mine),
            np.ones(mine.size),
            count,
            band=Band.around(mine.size / count, 0.0),
            weights=FROM_SCRATCH,
            schedule=BRIEF,
        )
        assert np.bincount(grid).tolist() == [mine.size // count] * count
        assert np.unique(columns[outer][mine]).size == 1


def test_water_that_cuts_a_county_leaves_no_grid_across_it(shared_data: Path) -> None:
    graph, columns = gerrymandria(shared_data, "gerrymandria.json")
    ends, _ = graph.pairs()
    water = columns["water_dist"]
    assert (water[ends[:, 0]] != water[ends[:, 1]]).sum() == 27
    dry: BlockGraph = graph.without(water[ends[:, 0]] != water[ends[:, 1]])
    assert dry.components().max() + 1 == 4


# -- proposals -------------------------------------------------------------------------------------------------------


@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), way=st.sampled_from(list(WAYS)))
def test_every_proposal_keeps_the_rules_and_is_never_worse(seed: int, way: str) -> None:
    rng = np.random.default_rng(seed)
    plan = grown_plan(BLOCKS, 5, seed)
    locked = plan_of(
        plan.codes,
        [plan.grid_of(str(code)) for code in plan.codes],
        plan.grids,
        locked_grids=[plan.grids[seed % 10].code],
        locked_blocks=[str(code) for code in rng.choice(plan.codes, 6, replace=False)],
    )
    found = propose(BLOCKS, locked, LOAD, BAND, ways=(way,), seed=seed)  # type: ignore[arg-type]
    proposal = found.proposals[0]
    new = proposal.plan
    assert (new.grid >= 0).all()
    assert whole(BLOCKS, new)
    assert new.grids_count == np.unique(new.grid).size
    still = locked.fixed()
    names = np.array([g.code for g in new.grids])[new.grid]
    old_names = np.array([g.code for g in locked.grids])[locked.grid]
    assert (names == old_names)[still].all()
    closed = locked.grids[seed % 10].code
    assert ((names == closed) == (old_names == closed)).all()
    for grid in range(new.grids_count):
        assert np.unique(BLOCKS.communities[new.grid == grid]).size == 1
    assert proposal.score.excess_share <= found.before.excess_share + 1e-9
    moved = LOAD[names != old_names].sum()
    assert proposal.score.moved_households_count == moved
    assert proposal.bounds.must_move_load <= moved + 1e-6
    assert set(proposal.opened) == {g.code for g in new.grids} - {g.code for g in locked.grids}
    assert set(proposal.ended) == {g.code for g in locked.grids} - {g.code for g in new.grids}
    again = propose(BLOCKS, locked, LOAD, BAND, ways=(way,), seed=seed)  # type: ignore[arg-type]
    assert again.proposals[0].plan == new


def test_a_plan_that_keeps_the_band_is_left_alone() -> None:
    good = propose(BLOCKS, PLAN, LOAD, BAND, ways=("fresh",)).proposals[0]
    assert good.score.out_of_band_count == 0
    again = propose(BLOCKS, good.plan, LOAD, BAND)
    assert again.proposals[0].plan == good.plan
    assert not again.proposals[0].improved
    assert again.before.out_of_band_count == 0


def estates_and_demolitions(blocks: Blocks, plan: Plan, seed: int) -> Blocks:
    """Return the blocks after new estates in a few grids and demolitions in a few others."""
    rng = np.random.default_rng(seed)
    households = blocks.households.astype(float)
    changed = rng.choice(plan.grids_count, 6, replace=False)
    for grid in changed[:3]:
        households[rng.choice(plan.blocks_in(plan.grids[grid].code), 3, replace=False)] += 40
    for grid in changed[3:]:
        mine = plan.blocks_in(plan.grids[grid].code)
        households[mine] = np.round(households[mine] * 0.7)
    return with_households(blocks, households.astype(np.int64))


def test_from_the_plan_in_force_far_fewer_households_move_than_from_scratch() -> None:
    blocks = city_blocks(1500, 5)
    load = blocks.households.astype(float)
    k = round(load.sum() / 400)
    plan = propose(blocks, grown_plan(blocks, k, 1), load, Band.around(load.sum() / k, 0.1), ways=("fresh",))
    base = plan.proposals[0].plan
    later = estates_and_demolitions(blocks, base, 5)
    load = later.households.astype(float)
    band = Band.around(load.sum() / k, 0.1)
    found = propose(later, base, load, band, ways=("fewest_moves", "fresh"))
    few, fresh = found["fewest_moves"], found["fresh"]
    assert found.before.out_of_band_count >= 5
    assert few.score.out_of_band_count == fresh.score.out_of_band_count == 0
    assert few.score.moved_households_share < 0.3 * fresh.score.moved_households_share
    assert few.bounds.must_move_load <= few.score.moved_households_count
    assert few.score.moved_households_count <= 3 * few.bounds.flow_load


def test_alternatives_show_the_trade_off() -> None:
    found = propose(BLOCKS, PLAN, LOAD, BAND, ways=tuple(WAYS))
    by_way = {p.way: p.score for p in found.proposals}
    assert min(by_way, key=lambda way: by_way[way].moved_households_count) == "fewest_moves"
    assert by_way["even"].load_cv_share < by_way["fewest_moves"].load_cv_share
    assert by_way["compact"].cut_m < by_way["even"].cut_m
    assert "fewest_moves" not in found.dominated
    for worse, better in found.dominated.items():
        assert by_way[better].moved_households_count <= by_way[worse].moved_households_count
        assert by_way[better].cut_m <= by_way[worse].cut_m
    with pytest.raises(KeyError):
        propose(BLOCKS, PLAN, LOAD, BAND)["even"]


def test_a_grid_is_opened_where_too_many_live_and_ended_where_too_few() -> None:
    # One grid for a whole strip that has work for several, and many for one that has work for few.
    codes = np.where(BLOCKS.communities == "320508017001", "320508017001001", None)
    second = BLOCKS.communities == "320508017002"
    local = grown_plan(BLOCKS, 40, 1)
    codes[second] = [local.grid_of(str(code)) for code in BLOCKS.codes[second]]
    names = sorted({str(code) for code in codes})
    plan = plan_of(BLOCKS.codes, codes, [Grid(name, name[:12]) for name in names])
    found = propose(BLOCKS, plan, LOAD, BAND, taken_codes=("320508017001004",)).proposals[0]
    assert found.score.out_of_band_count == 0
    assert found.opened[:2] == ("320508017001005", "320508017001006")
    assert found.ended
    assert all(code.startswith("320508017002") for code in found.ended)
    assert whole(BLOCKS, found.plan)


def test_dedicated_grids_stay_and_are_not_asked_for_households() -> None:
    first = PLAN.grids[0]
    grids = [Grid(first.code, first.community_code, "dedicated"), *PLAN.grids[1:]]
    plan = plan_of(PLAN.codes, [PLAN.grid_of(str(code)) for code in PLAN.codes], grids)
    found = propose(BLOCKS, plan, LOAD, BAND, ways=("even",)).proposals[0].plan
    assert found.blocks_in(first.code).tolist() == plan.blocks_in(first.code).tolist()
    assert task_of(BLOCKS, plan, LOAD, BAND).excess(plan.grid)[0] == 0


def test_progress_rises_and_may_cancel() -> None:
    seen: list[tuple[float, str]] = []
    propose(BLOCKS, PLAN, LOAD, BAND, ways=("fewest_moves", "fresh"), progress=lambda *told: seen.append(told))
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any(words.startswith("fresh") for _, words in seen)

    def cancel(share: float, words: str) -> None:
        raise TimeoutError(share, words)

    with pytest.raises(TimeoutError):
        propose(BLOCKS, PLAN, LOAD, BAND, progress=cancel)


def test_what_cannot_be_asked() -> None:
    loose = PLAN.apply([Flip("B000001", PLAN.grid_of("B000001"), None)])
    with pytest.raises(InvalidInput, match="B000001"):
        propose(BLOCKS, loose, LOAD, BAND)
    with pytest.raises(InvalidInput, match="load"):
        propose(BLOCKS, PLAN, LOAD[:5], BAND)
    with pytest.raises(Conflict, match="other blocks"):
        propose(city_blocks(30, 1), PLAN, LOAD, BAND)


# -- the demo city ---------------------------------------------------------------------------------------------------


def test_the_demo_planner_from_the_grids_in_force_to_a_proposal_with_its_bounds() -> None:
    city, ours = gis.City.demo(), policy()
    crs = city.profile.metric_crs
    ground = ground_of(ours, water_areas=city.water_areas.to_crs(crs), segments=city.segments.to_crs(crs))
    blocks = blocks_of(city.blocks, crs=crs, ground=ground)
    plan = current_plan(city.blocks, city.grids)
    load = workload_of(blocks, ours.workload).load
    found = propose(blocks, plan, load, ours.band)
    proposal = found.proposals[0]
    assert found.before.out_of_band_count > 80
    assert proposal.score.out_of_band_count < 0.35 * found.before.out_of_band_count
    assert proposal.score.moved_households_share < 0.05
    assert proposal.bounds.must_move_load <= proposal.score.moved_households_count
    # Every grid that is still outside the band is named with the reason, and each reason is true.
    task = task_of(blocks, proposal.plan, load, ours.band)
    outside = {proposal.plan.grids[g].code for g in np.flatnonzero(task.excess(proposal.plan.grid) > 1e-9)}
    named = {code for island in proposal.bounds.islands for code in island.grids}
    assert outside <= named
    for island in proposal.bounds.islands:
        here = blocks.positions(island.blocks)
        assert island.load == load[here].sum()
        assert (island.load > ours.band.most) == (island.reason == "heavy_block")
        west, south, east, north = island.bounds
        assert west < east
        assert south < north
        assert str(round(island.load)) in island.message.en
    moved = sum(blocks.households[plan.place[flip.block]] for flip in diff(plan, proposal.plan))
    assert moved == proposal.score.moved_households_count
