"""Plans, flips and drafts: what changes can be undone, and what is stale is refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gis
from gis.errors import Conflict, FrameMismatch, NotFound
from gis.plans.draft import Delta, Draft, Lock
from gis.plans.plan import NONE, Flip, Grid, current_plan, diff, plan_of, relabelled, with_assignment
from tests.support.plan_city import city_blocks, grown_plan

BLOCKS = city_blocks(60, 2, communities=2)
PLAN = grown_plan(BLOCKS, 3, 1)
CODES = [grid.code for grid in PLAN.grids]


def test_a_plan_from_a_table_in_any_order() -> None:
    plan = plan_of(["b2", "b1", "b3"], ["g2", "g1", None], [Grid("g2"), Grid("g1")])
    assert plan.assignment() == {"b1": "g1", "b2": "g2", "b3": None}
    assert plan.grid_of("b3") is None
    assert plan.blocks_in("g2").tolist() == [1]
    assert [plan.position(code) for code in ("g1", "g2")] == [0, 1]
    for unknown in ("g0", "g15", "g3"):
        with pytest.raises(NotFound, match=unknown):
            plan.position(unknown)


def test_a_table_that_is_no_plan() -> None:
    with pytest.raises(FrameMismatch) as error:
        plan_of(["b1", "b1"], ["g1", "g9"], [Grid("g1"), Grid("g1")])
    assert {p.code for p in error.value.problems} == {"unknown_grid", "not_unique"}


def test_the_plan_in_force_of_the_demo_city() -> None:
    city = gis.City.demo()
    plan = current_plan(city.blocks, city.grids)
    assert plan.grids_count == 879
    assert (plan.grid != NONE).all()
    assert plan.grid_of("32050801700301") == "320508017003001"
    grid = plan.grids[plan.position("320508017003001")]
    assert (grid.community_code, grid.beat_code, grid.kind) == ("320508017003", "320508017J01", "comprehensive")
    ended = city.grids[city.grids["code"] != "320508017003001"]
    without = current_plan(city.blocks, ended)
    assert without.grid_of("32050801700301") is None


@settings(max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_the_difference_leads_from_one_plan_to_the_other_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    other = with_assignment(PLAN, np.where(rng.random(60) < 0.3, rng.integers(-1, 6, 60), PLAN.grid))
    flips = diff(PLAN, other)
    assert PLAN.apply(flips) == other
    assert other.apply(flip.inverse() for flip in flips) == PLAN
    assert diff(other, PLAN) == tuple(flip.inverse() for flip in flips)
    assert len(flips) == (other.grid != PLAN.grid).sum()


def test_a_plan_never_changes_under_a_reader() -> None:
    with pytest.raises(ValueError, match="read-only"):
        PLAN.grid[0] = 1
    moved = PLAN.apply([Flip("B000000", PLAN.grid_of("B000000"), CODES[5])])
    assert moved != PLAN
    assert PLAN.grid_of("B000000") != CODES[5] or moved == PLAN


def test_a_stale_flip_is_refused() -> None:
    was = PLAN.grid_of("B000007")
    wrong = next(code for code in CODES if code != was)
    with pytest.raises(Conflict, match="B000007"):
        PLAN.apply([Flip("B000007", wrong, was)])
    with pytest.raises(NotFound, match="B999999"):
        PLAN.apply([Flip("B999999", None, was)])
    with pytest.raises(NotFound, match="g77"):
        PLAN.apply([Flip("B000007", was, "g77")])


def test_plans_of_different_blocks_are_compared_by_code() -> None:
    old = plan_of(["b1", "b2"], ["g1", "g1"], [Grid("g1")])
    new = plan_of(["b1", "b3"], ["g2", "g2"], [Grid("g2")])
    assert diff(old, new) == (Flip("b1", "g1", "g2"), Flip("b2", "g1", None), Flip("b3", None, "g2"))


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), k=st.integers(2, 9), more=st.integers(-1, 2))
def test_names_keep_as_many_households_as_any_naming_can(seed: int, k: int, more: int) -> None:
    """Against the dense assignment problem."""
    from scipy.optimize import linear_sum_assignment

    rng = np.random.default_rng(seed)
    grid, base = rng.integers(0, k + more, 80), rng.integers(-1, k, 80)
    households = rng.integers(0, 30, 80).astype(float)
    found = relabelled(grid, base, households, grids_count=k + more, base_count=k)
    named = found[found != NONE]
    assert np.unique(named).size == named.size
    common = np.zeros((k + more, k))
    np.add.at(common, (grid[base >= 0], base[base >= 0]), households[base >= 0])
    rows, columns = linear_sum_assignment(common, maximize=True)
    kept = sum(common[i, g] for i, g in enumerate(found) if g != NONE)
    assert kept == pytest.approx(common[rows, columns].sum(), abs=1e-3)


def draft() -> Draft:
    return Draft(BLOCKS, PLAN)


def test_grids_begin_end_and_change_their_name() -> None:
    first, second = PLAN.grids[0], PLAN.grids[1]
    new = Grid("320508017001009", "320508017001")
    begun = Delta(grids=((None, new),), flips=(Flip("B000000", PLAN.grid_of("B000000"), new.code),))
    after = draft().apply(begun)
    assert after.plan.grid_of("B000000") == new.code
    assert after.apply(begun.inverse()).plan == PLAN
    flips = tuple(Flip(str(PLAN.codes[i]), first.code, second.code) for i in PLAN.blocks_in(first.code))
    merged = draft().apply(Delta(grids=((first, None),), flips=flips))
    assert first.code not in {g.code for g in merged.plan.grids}
    assert merged.apply(Delta(grids=((first, None),), flips=flips).inverse()).plan == PLAN
    renamed = Grid("320508017001777", first.community_code, first.kind, first.beat_code, "新名", "New name")
    delta = Delta(grids=((first, renamed),), renamed=((first.code, renamed.code),))
    other = draft().apply(delta)
    assert other.plan.blocks_in(renamed.code).tolist() == PLAN.blocks_in(first.code).tolist()
    assert other.apply(delta.inverse()).plan == PLAN


def test_what_does_not_fit_is_refused_and_changes_nothing() -> None:
    first = PLAN.grids[0]
    here = draft()
    for delta, why in (
        (Delta(grids=((first, None),)), "does not know"),
        (Delta(grids=((None, first),)), "exists already"),
        (Delta(grids=((Grid(first.code, kind="dedicated"), None),)), "no longer"),
        (Delta(locks=(Lock("grid", first.code, locked=False),)), "not locked already"),
    ):
        with pytest.raises(Conflict, match=why):
            here.apply(delta)
    assert here.plan == PLAN
    with pytest.raises(Conflict, match="other blocks"):
        Draft(city_blocks(30, 1), PLAN)


def test_locks_are_part_of_the_history() -> None:
    delta = Delta(locks=(Lock("grid", CODES[0], locked=True), Lock("block", "B000003", locked=True)))
    locked = draft().apply(delta)
    assert locked.plan.closed().tolist() == [True, False, False, False, False, False]
    assert locked.plan.fixed()[3]
    assert locked.plan.fixed()[PLAN.blocks_in(CODES[0])].all()
    assert locked.apply(delta.inverse()).plan == PLAN
    first = PLAN.grids[0]
    renamed = Grid("320508017001777", first.community_code)
    rename = Delta(grids=((first, renamed),), renamed=((first.code, renamed.code),))
    assert locked.apply(rename).plan.locked_grids == {renamed.code}
    assert locked.apply(rename).apply(rename.inverse()).plan == locked.plan


def test_a_delta_survives_json_with_its_shapes() -> None:
    row = BLOCKS.row("B000001")
    delta = Delta(
        flips=(Flip("B000001", CODES[0], None),),
        grids=((None, Grid("g9", name_zh="九")), (PLAN.grids[0], None)),
        blocks=((row, None),),
        locks=(Lock("block", "B000002", locked=True),),
        renamed=(("a", "b"),),
    )
    again = Delta.from_dict(json.loads(json.dumps(delta.as_dict())))
    assert again == delta
    assert again.blocks[0][0] is not None
    assert again.blocks[0][0].shape.equals_exact(BLOCKS.shapes[1], 0.0)
    assert not delta.empty
    assert Delta().empty
    assert delta.inverse().inverse() == delta
