"""What a planner does to a draft: it keeps the structure or is refused, and every step can be taken back."""

import json

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data.synth.voronoi import CRS
from gis.errors import Conflict, Infeasible, NotFound, PlanRuleBroken
from gis.kernels.plan_objective import Band
from gis.plans.actions.create_dedicated import create_dedicated
from gis.plans.actions.merge_grids import merge_grids
from gis.plans.actions.move_blocks import move_blocks, reassign
from gis.plans.actions.move_node import move_node
from gis.plans.actions.rename import rename
from gis.plans.actions.set_locks import blocks_within, lock, unlock
from gis.plans.actions.split_block import split_block
from gis.plans.actions.split_grid import split_grid, split_grid_by_line
from gis.plans.draft import Delta, Draft
from gis.plans.graph import blocks_of
from gis.plans.plan import Grid, diff, plan_of
from gis.plans.propose import propose
from tests.support.plan_city import city_blocks, grown_plan

CITY = Draft(BLOCKS := city_blocks(60, 2, communities=2), grown_plan(BLOCKS, 3, 1))
WEST, EAST = "320508017001001", "320508017001002"


def chessboard(columns: int = 4, rows: int = 4) -> Draft:
    """Squares of 100 m, the western half one grid and the eastern the other; ``b12`` is column 1, row 2."""
    cells = [(x, y) for x in range(columns) for y in range(rows)]
    codes = [f"b{x}{y}" for x, y in cells]
    frame = gpd.GeoDataFrame(
        {
            "source_id": codes,
            "code": codes,
            "community_code": "320508017001",
            "households_count": 40,
            "residents_count": 101,
        },
        geometry=[shapely.box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100) for x, y in cells],
        crs=CRS,
    )
    blocks = blocks_of(frame, crs=CRS)
    own = [WEST if x < columns / 2 else EAST for x, _ in cells]
    return Draft(blocks, plan_of(codes, own, [Grid(g, "320508017001", beat_code="J1") for g in (WEST, EAST)]))


def load(draft: Draft) -> np.ndarray:
    return draft.blocks.households.astype(float)


def same(one: Draft, other: Draft) -> bool:
    rows = all(one.blocks.row(str(code)) == other.blocks.row(str(code)) for code in one.blocks.codes)
    return one.plan == other.plan and one.blocks.codes.tolist() == other.blocks.codes.tolist() and rows


def sound(draft: Draft) -> None:
    """Hold the rules of structure."""
    plan, blocks = draft.plan, draft.blocks
    assert (plan.grid >= 0).all()
    assert np.unique(plan.grid).size == plan.grids_count
    assert blocks.open_graph.pieces(plan.grid).max() + 1 == plan.grids_count
    for g in range(plan.grids_count):
        assert np.unique(blocks.communities[plan.grid == g].astype(str)).size == 1
    assert shapely.coverage_is_valid(blocks.shapes)
    assert shapely.area(blocks.shapes).sum() == pytest.approx(shapely.area(CITY.blocks.shapes).sum())
    assert blocks.households.sum() == CITY.blocks.households.sum()


def attempt(draft: Draft, kind: str, seed: int) -> Delta:  # noqa: PLR0911 - one return an action
    """Try one action with random arguments."""
    rng = np.random.default_rng(seed)
    grids = [grid.code for grid in draft.plan.grids]
    block = str(rng.choice(draft.blocks.codes))
    middle = draft.blocks.shapes[draft.blocks.place[block]].centroid
    angle = rng.uniform(0, np.pi)
    step = 400 * np.array([np.cos(angle), np.sin(angle)])
    line = shapely.LineString([np.array(middle.coords[0]) - step, np.array(middle.coords[0]) + step])
    near = draft.blocks.graph.neighbour[slice(*draft.blocks.graph.first[draft.blocks.place[block] :][:2])]
    beside = draft.plan.grid_of(str(draft.blocks.codes[rng.choice(near)]))
    assert beside is not None
    match kind:
        case "move":
            return move_blocks(draft, [block], beside)
        case "merge":
            return merge_grids(draft, [str(draft.plan.grid_of(block))], beside)
        case "split":
            return split_grid(draft, str(rng.choice(grids)), load(draft))
        case "split_by_line":
            return split_grid_by_line(draft, str(draft.plan.grid_of(block)), line, load(draft))
        case "dedicated":
            return create_dedicated(draft, [block], name_en="Campus")
        case "rename":
            return rename(draft, str(rng.choice(grids)), code=f"99{seed:013d}", name_zh="新")
        case "split_block":
            return split_block(draft, block, line)
        case "node":
            corner = shapely.get_coordinates(draft.blocks.shapes[draft.blocks.place[block]])[0]
            return move_node(draft, tuple(corner), tuple(corner + rng.normal(0, 8, 2)))
        case "lock":
            return lock(draft, grids=[str(rng.choice(grids))] if seed % 3 == 0 else [], blocks=[block])
        case _:
            return unlock(draft, grids=sorted(draft.plan.locked_grids), blocks=sorted(draft.plan.locked_blocks))


KINDS = ["move", "merge", "split", "split_by_line", "dedicated", "rename", "split_block", "node", "lock", "unlock"]


@settings(max_examples=25)
@given(steps=st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 10_000)), min_size=1, max_size=12))
def test_any_sequence_of_actions_stays_sound_and_can_be_undone(steps: list[tuple[str, int]]) -> None:
    draft, done = CITY, []
    for kind, seed in steps:
        before = draft
        locked = {b: draft.plan.grid_of(b) for b in draft.plan.locked_blocks}
        try:
            delta = attempt(draft, kind, seed)
        except PlanRuleBroken:
            assert draft is before
            continue
        delta = Delta.from_dict(json.loads(json.dumps(delta.as_dict())))
        draft = draft.apply(delta)
        if kind != "rename":
            assert {b: draft.plan.grid_of(b) for b in locked} == locked
        done.append((before, delta))
    sound(draft)
    for before, delta in reversed(done):
        draft = draft.apply(delta.inverse())
        assert same(draft, before)
    assert same(draft, CITY)
    again = draft.apply_all(delta for _, delta in done)
    sound(again)


# -- one action each -------------------------------------------------------------------------------------------------


def test_blocks_change_hands_and_a_grid_is_never_torn_or_emptied() -> None:
    board = chessboard()
    after = board.apply(move_blocks(board, ["b10", "b11", "b20"], EAST))
    assert after.plan.blocks_in(EAST).size == 10
    assert move_blocks(board, ["b20"], EAST).empty
    with pytest.raises(PlanRuleBroken, match="2 pieces") as error:
        move_blocks(board, ["b00"], EAST)
    assert error.value.grids == (EAST,)
    with pytest.raises(PlanRuleBroken, match="no block"):
        move_blocks(board, [f"b{x}{y}" for x in (0, 1) for y in range(4)], EAST)
    with pytest.raises(NotFound):
        move_blocks(board, ["b00"], "g9")
    with pytest.raises(NotFound):
        move_blocks(board, ["b99"], EAST)


def test_what_was_in_pieces_before_may_be_mended_step_by_step() -> None:
    board = chessboard()
    torn = Draft(
        board.blocks,
        plan_of(
            board.plan.codes, [EAST if c in ("b00", "b33", "b32") else WEST for c in board.plan.codes], board.plan.grids
        ),
    )
    assert torn.blocks.open_graph.pieces(torn.plan.grid).max() == 2
    assert not move_blocks(torn, ["b00"], WEST).empty
    assert not move_blocks(torn, ["b31"], EAST).empty
    with pytest.raises(PlanRuleBroken, match="3 pieces"):
        move_blocks(torn, ["b12"], EAST)


def test_a_grid_does_not_reach_into_another_community() -> None:
    ends = CITY.blocks.graph.pairs()[0]
    a, b = next((int(a), int(b)) for a, b in ends if CITY.blocks.communities[a] != CITY.blocks.communities[b])
    to = CITY.plan.grid_of(str(CITY.blocks.codes[b]))
    with pytest.raises(PlanRuleBroken, match=r"pieces|communities"):
        move_blocks(CITY, [str(CITY.blocks.codes[a])], str(to))


def test_a_proposal_is_taken_over_as_one_step() -> None:
    band = Band.around(load(CITY).sum() / 6, 0.3)
    plan = propose(CITY.blocks, CITY.plan, load(CITY), band, ways=("even",)).proposals[0].plan
    assert plan.grids == CITY.plan.grids
    step = reassign(CITY, {flip.block: str(flip.new) for flip in diff(CITY.plan, plan)})
    assert CITY.apply(step).plan == plan


def test_grids_are_merged_and_split_again() -> None:
    board = chessboard()
    merged = board.apply(merge_grids(board, [EAST, WEST], WEST))
    assert [grid.code for grid in merged.plan.grids] == [WEST]
    halves = merged.apply(split_grid(merged, WEST, load(merged), taken_codes=["320508017001007"]))
    assert [grid.code for grid in halves.plan.grids] == [WEST, "320508017001008"]
    assert np.bincount(halves.plan.grid).tolist() == [8, 8]
    assert halves.plan.grids[1].beat_code == "J1"
    with pytest.raises(PlanRuleBroken, match="nothing to merge"):
        merge_grids(board, [WEST], WEST)
    tiny = chessboard(2, 1)
    with pytest.raises(PlanRuleBroken, match="single block"):
        split_grid(tiny, WEST, load(tiny))


def test_grids_that_do_not_touch_are_not_merged() -> None:
    board = chessboard(6, 1)
    three = board.apply(split_grid_by_line(board, WEST, shapely.LineString([(150, 0), (150, 100)]), load(board)))
    far = next(g.code for g in three.plan.grids if three.plan.grid_of("b00") == g.code)
    with pytest.raises(PlanRuleBroken, match="pieces"):
        merge_grids(three, [far], EAST)


def test_a_line_splits_a_grid_where_it_runs() -> None:
    board = chessboard()
    across = shapely.LineString([(20, 210), (180, 190)])
    after = board.apply(split_grid_by_line(board, WEST, across, load(board)))
    new = next(g.code for g in after.plan.grids if g.code not in (WEST, EAST))
    parts = [{str(after.plan.codes[i]) for i in after.plan.blocks_in(code)} for code in (WEST, new)]
    assert {"b00", "b01", "b10", "b11"} in parts
    assert {"b02", "b03", "b12", "b13"} in parts
    bent = shapely.LineString([(0, 160), (100, 160), (100, 260), (200, 260)])
    stairs = board.apply(split_grid_by_line(board, WEST, bent, load(board)))
    south = stairs.plan.blocks_in(str(stairs.plan.grid_of("b00")))
    assert {str(stairs.plan.codes[i]) for i in south} == {"b00", "b01", "b10", "b11", "b12"}
    with pytest.raises(PlanRuleBroken, match="one side"):
        split_grid_by_line(board, WEST, shapely.LineString([(500, 0), (500, 400)]), load(board))
    with pytest.raises(PlanRuleBroken, match="two different corners"):
        split_grid_by_line(board, WEST, shapely.LineString([(5, 5), (5, 5)]), load(board))


def test_a_dedicated_grid_is_carved_out() -> None:
    board = chessboard()
    after = board.apply(create_dedicated(board, ["b11", "b21"], name_zh="示范学校", name_en="Demo School"))
    new = after.plan.grids[-1]
    assert (new.kind, new.name_zh, new.beat_code, new.community_code) == ("dedicated", "示范学校", "J1", "320508017001")
    assert after.plan.blocks_in(new.code).size == 2
    whole = [f"b{x}{y}" for x in (0, 1) for y in range(4)]
    turned = board.apply(create_dedicated(board, whole))
    assert turned.plan.grids[0].kind == "dedicated"
    assert turned.plan.grids_count == 2
    with pytest.raises(PlanRuleBroken, match="pieces"):
        create_dedicated(board, ["b00", "b33"])
    with pytest.raises(PlanRuleBroken, match="at least one"):
        create_dedicated(board, [])


def test_codes_run_out_only_after_a_thousand_grids() -> None:
    board = chessboard()
    with pytest.raises(Infeasible, match="used up"):
        create_dedicated(board, ["b00"], taken_codes=["320508017001999"])


def test_a_grid_gets_another_code_and_keeps_its_blocks() -> None:
    board = chessboard()
    delta = rename(board, WEST, code="320508017001005", name_en="West")
    after = board.apply(delta)
    assert after.plan.blocks_in("320508017001005").size == 8
    assert after.plan.grids[1].name_en == "West"
    assert after.apply(delta.inverse()).plan == board.plan
    assert rename(board, WEST).empty
    for taken in (EAST, "320508017001004"):
        with pytest.raises(PlanRuleBroken, match="in use"):
            rename(board, WEST, code=taken, taken_codes=["320508017001004"])


def test_nothing_touches_what_is_locked() -> None:
    board = chessboard()
    area = shapely.box(0, 0, 210, 110)
    assert blocks_within(board, area) == ("b00", "b10")
    held = board.apply(lock(board, blocks=blocks_within(board, area)))
    for action in (
        lambda d: move_blocks(d, ["b10"], EAST),
        lambda d: merge_grids(d, [WEST], EAST),
        lambda d: split_block(d, "b00", shapely.LineString([(-9, 50), (109, 50)])),
        lambda d: move_node(d, (100.0, 100.0), (105.0, 100.0)),
        lambda d: create_dedicated(d, ["b10"]),
    ):
        with pytest.raises(PlanRuleBroken, match="locked"):
            action(held)
    shut = board.apply(lock(board, grids=[WEST]))
    for action in (
        lambda d: move_blocks(d, ["b20"], WEST),
        lambda d: move_blocks(d, ["b10"], EAST),
        lambda d: merge_grids(d, [EAST], WEST),
        lambda d: split_grid(d, WEST, load(d)),
        lambda d: rename(d, WEST, name_en="x"),
        lambda d: split_block(d, "b00", shapely.LineString([(-9, 50), (109, 50)])),
        lambda d: move_node(d, (100.0, 100.0), (105.0, 100.0)),
    ):
        with pytest.raises(PlanRuleBroken, match="locked") as error:
            action(shut)
        assert WEST in error.value.grids
    opened = shut.apply(unlock(shut, grids=[WEST]))
    assert opened.plan == board.plan
    assert lock(shut, grids=[WEST]).empty
    with pytest.raises(NotFound):
        lock(board, grids=["g9"])


def test_a_block_is_cut_with_its_households_and_the_neighbours_follow() -> None:
    board = chessboard()
    line = shapely.LineString([(130, 90), (130, 210)])
    after = board.apply(split_block(board, "b11", line))
    assert [c for c in after.blocks.codes if c.startswith("b11")] == ["b11-1", "b11-2"]
    west, east = (after.blocks.row(code) for code in ("b11-1", "b11-2"))
    assert (west.households_count, east.households_count) == (12, 28)
    assert (west.residents_count, east.residents_count) == (30, 71)
    assert west.shape.area == pytest.approx(3000)
    assert after.plan.grid_of("b11-1") == after.plan.grid_of("b11-2") == WEST
    assert shapely.coverage_is_valid(after.blocks.shapes)
    assert shapely.get_num_coordinates(after.blocks.shapes[after.blocks.place["b10"]]) == 6
    halves = {after.blocks.place[c] for c in ("b11-1", "b11-2")}
    ends = [set(pair) for pair in after.blocks.graph.pairs()[0].tolist()]
    assert halves in ends
    moved = after.apply(move_blocks(after, ["b11-2"], EAST))
    assert moved.plan.grid_of("b11-1") == WEST


def test_households_go_with_the_buildings() -> None:
    board = chessboard()
    line = shapely.LineString([(130, 90), (130, 210)])
    spots = gpd.GeoDataFrame(geometry=gpd.points_from_xy([110, 120, 150, 900], [150, 150, 150, 150]), crs=CRS)
    after = board.apply(split_block(board, "b11", line, buildings=spots))
    assert after.blocks.row("b11-1").households_count == 27
    flats = board.apply(split_block(board, "b11", line, buildings=spots.assign(households_count=[0, 0, 12, 5])))
    assert flats.blocks.row("b11-1").households_count == 0
    elsewhere = board.apply(split_block(board, "b11", line, buildings=spots.iloc[3:]))
    assert elsewhere.blocks.row("b11-1").households_count == 12


def test_a_cut_that_is_none() -> None:
    board = chessboard()
    for line in (
        shapely.LineString([(500, 0), (500, 9)]),
        shapely.LineString([(110, 150), (150, 150)]),
        shapely.LineString([(90, 130), (210, 130), (210, 170), (90, 170)]),
    ):
        with pytest.raises(PlanRuleBroken, match="not into two"):
            split_block(board, "b11", line)


def test_a_corner_moves_in_every_block_that_has_it() -> None:
    board = chessboard()
    delta = move_node(board, (100.0, 100.0), (120.0, 110.0))
    after = board.apply(delta)
    assert len(delta.blocks) == 4
    assert shapely.coverage_is_valid(after.blocks.shapes)
    assert shapely.area(after.blocks.shapes).sum() == pytest.approx(160_000)
    assert same(after.apply(delta.inverse()), board)
    with pytest.raises(PlanRuleBroken, match="fit together") as error:
        move_node(board, (0.0, 100.0), (-20.0, 100.0))
    assert error.value.grids == (WEST,)
    with pytest.raises(PlanRuleBroken, match="fit together"):
        move_node(board, (100.0, 100.0), (390.0, 390.0))
    with pytest.raises(PlanRuleBroken, match="no block has a corner"):
        move_node(board, (50.0, 50.0), (60.0, 50.0))


def test_an_action_on_a_stale_draft_is_a_conflict() -> None:
    board = chessboard()
    step = move_blocks(board, ["b10"], EAST)
    after = board.apply(step)
    with pytest.raises(Conflict, match="b10"):
        after.apply(step)
