"""Rules that look back: locks, codes, beats; places outside; and the published nestings of 8 by 8 squares."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis.kernels.plan_objective import cut_length
from gis.plans.draft import Delta, Draft, Lock
from gis.plans.graph import blocks_of
from gis.plans.ground import Ground
from gis.plans.plan import Flip, Grid, Plan, plan_of
from gis.plans.policy import policy
from gis.plans.rule import Subject, Violation, added_faults, violations
from gis.plans.workload import workload_of
from tests.support.redraw_oracles import gerrymandria

CRS = "EPSG:4549"
NOTHING = np.empty(0, object)
WEST, EAST = "320508017001001", "320508017001002"


def squares(columns: int, rows: int, communities: list[str] | None = None) -> gpd.GeoDataFrame:
    cells = [(x, y) for x in range(columns) for y in range(rows)]
    codes = [f"b{i:03d}" for i in range(len(cells))]
    table = {"source_id": codes, "code": codes, "households_count": 40}
    table["community_code"] = communities or "320508017001"  # type: ignore[assignment]
    shapes = [shapely.box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100) for x, y in cells]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=CRS)


def subject(plan: Plan | None = None, **more: object) -> Subject:
    """Eight squares, four in each of two grids; the plan in force beside it."""
    blocks = blocks_of(squares(4, 2), crs=CRS)
    grids = [Grid(WEST, "320508017001", beat_code="J1"), Grid(EAST, "320508017001", beat_code="J2")]
    base = plan_of(blocks.codes, [WEST] * 4 + [EAST] * 4, grids)
    workload = workload_of(blocks, policy().workload)
    return Subject(blocks, plan or base, workload, policy(), base=Draft(blocks, base), **more)  # type: ignore[arg-type]


def told(one: Subject, rule: str) -> list[Violation]:
    return [violation for of, violation in violations(one) if of.id == rule]


def test_the_plan_in_force_has_nothing_to_look_back_on() -> None:
    assert violations(subject()) == []


def test_what_was_locked_may_not_have_moved() -> None:
    one = subject()
    moved = one.plan.apply([Flip("b003", WEST, EAST)])
    assert told(replace(one, plan=moved), "locks") == []
    assert one.base is not None
    for lock in (Lock("block", "b003", locked=True), Lock("grid", WEST, locked=True), Lock("grid", EAST, locked=True)):
        locked = one.base.apply(Delta(locks=(lock,)))
        drawn = replace(moved, locked_grids=locked.plan.locked_grids, locked_blocks=locked.plan.locked_blocks)
        (found,) = told(replace(one, plan=drawn, base=locked), "locks")
        assert (found.severity, found.grids, found.blocks) == ("broken", (WEST, EAST), ("b003",))
        assert found.bounds == (100, 100, 200, 200)
        # A lock that the draft has undone, or has set after it moved the block, is for people to weigh.
        for plan, base in ((moved, locked), (drawn, one.base)):
            (found,) = told(replace(one, plan=plan, base=base), "locks")
            assert (found.severity, found.blocks) == ("warning", ("b003",))


def test_what_was_broken_before_may_stay_but_not_grow() -> None:
    one = subject()
    assert one.base is not None
    # The west grid is torn already, and the east one far too heavy.
    torn = one.base.plan.apply([Flip("b000", WEST, EAST), Flip("b007", EAST, WEST)])
    heavy = replace(one.policy, soft_most_households=100.0, hard_most_households=100.0, target_households=90.0,
                    soft_least_households=10.0)  # fmt: skip
    was = replace(one, plan=torn, base=Draft(one.blocks, torn), policy=heavy)
    assert {rule.id for rule, v in violations(was) if v.severity == "broken"} == {"contiguous", "load_band"}
    assert added_faults(was) == []
    # Another change of a grid in pieces is no fault as long as there are no more of them; a heavier grid is one.
    after = replace(was, plan=torn.apply([Flip("b002", WEST, EAST)]))
    assert {(rule.id, v.grids) for rule, v in added_faults(after)} == {("load_band", (EAST,))}
    worse = replace(was, plan=torn.apply([Flip("b004", EAST, None)]))
    assert {rule.id for rule, _ in added_faults(worse)} == {"assigned", "contiguous"}
    assert len(added_faults(replace(was, base=None))) == 4


def test_a_code_never_comes_back() -> None:
    one = subject()
    new = Grid("320508017001009", "320508017001")
    after = one.plan.with_grids([*one.plan.grids, new]).apply([Flip("b000", WEST, new.code)])
    (found,) = told(replace(one, plan=after, retired_codes=frozenset({new.code, WEST})), "code_history")
    assert (found.severity, found.grids) == ("broken", (new.code,))
    assert told(replace(one, plan=after), "code_history") == []


def test_a_code_stays_with_its_households() -> None:
    one = subject()
    flips = [Flip(f"b{i:03d}", WEST, EAST) for i in range(4)] + [Flip(f"b{i:03d}", EAST, WEST) for i in range(4, 8)]
    found = told(replace(one, plan=one.plan.apply(flips)), "code_history")
    assert {v.grids for v in found} == {(WEST, EAST), (EAST, WEST)}
    assert {v.severity for v in found} == {"warning"}


def test_a_grid_over_a_beat_s_border_says_whom_it_moves() -> None:
    one = subject()
    (found,) = told(replace(one, plan=one.plan.apply([Flip("b003", WEST, EAST)])), "beat_borders")
    assert (found.grids, found.blocks) == ((EAST,), ("b003",))
    assert "40 households leave beat J1 for J2" in found.message.en
    together = [Grid(g.code, g.community_code, beat_code="J1") for g in one.plan.grids]
    quiet = replace(one, plan=one.plan.with_grids(together))
    assert told(replace(quiet, base=Draft(one.blocks, quiet.plan)), "beat_borders") == []


def test_places_lie_in_a_grid() -> None:
    points = [shapely.Point(50, 50), shapely.Point(100, 100), shapely.Point(-50, 50), None]
    units = gpd.GeoDataFrame(
        {"source_id": ["a", "border", "out", "secret"], "kind": "school"}, geometry=points, crs=CRS
    )
    (found,) = told(subject(key_units=units), "places")
    assert (found.severity, found.bounds) == ("warning", (-50, 50, -50, 50))
    assert "out" in found.message.en
    one = subject(open_incidents=units.iloc[:2])
    assert told(one, "places") == []
    loose = replace(one, plan=one.plan.apply([Flip("b000", WEST, None)]))
    (missing,) = told(loose, "places")
    assert (missing.severity, missing.blocks) == ("incomplete", ("b000",))


def test_a_piece_with_nowhere_to_go_is_a_warning() -> None:
    one = subject()
    river = np.array([shapely.box(190, -10, 210, 300)], object)
    cut = blocks_of(squares(4, 2), crs=CRS, ground=Ground(river, NOTHING, NOTHING, 1.0))
    whole = plan_of(cut.codes, [WEST] * 8, [Grid(WEST, "320508017001")])
    (found,) = told(replace(one, blocks=cut, plan=whole, base=None), "contiguous")
    assert found.severity == "warning"
    astray = plan_of(cut.codes, [WEST] * 4 + [EAST] * 3 + [WEST], one.plan.grids)
    (found,) = told(replace(one, blocks=cut, plan=astray, base=None), "contiguous")
    assert found.severity == "broken"
    assert found.suggestion is not None
    assert EAST in found.suggestion.en


# -- Gerrymandria: nesting that is published -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "column", "parts", "cut"),
    [
        ("gerrymandria.json", "county", 4, 16),
        ("gerrymandria.json", "muni", 16, 48),
        ("gerrymandria.json", "district", 8, 56),
        ("gerrymandria.json", "water_dist", 4, 27),
        ("8x8_with_muni.json", "county2", 8, 39),
    ],
)
def test_published_cuts(shared_data: Path, file: str, column: str, parts: int, cut: int) -> None:
    graph, columns = gerrymandria(shared_data, file)
    assert (graph.blocks_count, len(graph.pairs()[0]), int(columns["boundary_node"].sum())) == (64, 112, 28)
    assert np.unique(columns[column]).size == parts
    assert cut_length(graph, columns[column]) == cut
    assert graph.pieces(columns[column]).max() + 1 == parts


@pytest.mark.parametrize(
    ("file", "grids", "community", "straddling"),
    [
        ("gerrymandria.json", "muni", "county", 0),
        ("gerrymandria.json", "district", "county", 8),
        ("gerrymandria.json", "county", "water_dist", 4),
        ("gerrymandria.json", "muni", "water_dist", 7),
        ("8x8_with_muni.json", "county2", "county", 4),
    ],
)
def test_grids_that_straddle_communities_are_counted_as_published(
    shared_data: Path, file: str, grids: str, community: str, straddling: int
) -> None:
    _, columns = gerrymandria(shared_data, file)
    frame = squares(8, 8, [f"c{c}" for c in columns[community]])
    blocks = blocks_of(frame, crs=CRS)
    plan = plan_of(blocks.codes, [f"g{g:02d}" for g in columns[grids]], [Grid(f"g{g:02d}") for g in range(16)])
    plan = plan.with_grids(g for i, g in enumerate(plan.grids) if (plan.grid == i).any())
    one = Subject(blocks, plan, workload_of(blocks, policy().workload), policy(), grid_code_pattern=r"g\d\d")
    found = told(one, "one_community")
    assert len(found) == straddling
    assert all(v.blocks and v.bounds for v in found)
