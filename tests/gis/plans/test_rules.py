"""Each rule finds what breaks it, names where to look, and is silent about a plan that keeps it."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pytest
from shapely import box

import gis
from gis.plans.graph import blocks_of
from gis.plans.ground import Ground, ground_of
from gis.plans.plan import Flip, Grid, current_plan, plan_of
from gis.plans.policy import policy
from gis.plans.rule import Subject, rules, violations
from gis.plans.workload import workload_of

CRS = "EPSG:4549"
STEP = 100.0
COMMUNITY, OTHER = "320508017003", "320508017004"
LEFT, RIGHT = f"{COMMUNITY}001", f"{COMMUNITY}002"
NOTHING = np.empty(0, object)


def subject(*, columns=4, rows=4, households=40, water=None, key_units=None, communities=None):
    """A chessboard of blocks in one community: its left half is one grid, its right half the other."""
    cells = [(x, y) for y in range(rows) for x in range(columns)]
    codes = [f"b{x}{y}" for x, y in cells]
    frame = gpd.GeoDataFrame(
        {
            "source_id": codes,
            "code": codes,
            "community_code": communities or [COMMUNITY] * len(cells),
            "households_count": households,
        },
        geometry=[box(STEP * x, STEP * y, STEP * (x + 1), STEP * (y + 1)) for x, y in cells],
        crs=CRS,
    )
    ground = Ground(NOTHING if water is None else np.array([water], object), NOTHING, NOTHING, 1.0)
    blocks = blocks_of(frame, crs=CRS, ground=ground)
    own = [LEFT if code[1] < str(columns // 2) else RIGHT for code in blocks.codes]
    plan = plan_of(blocks.codes, own, [Grid(code, COMMUNITY, beat_code="J1") for code in (LEFT, RIGHT)])
    return Subject(blocks, plan, workload_of(blocks, policy().workload), policy(), key_units)


def after(subject, *flips):
    return replace(subject, plan=subject.plan.apply([Flip(*flip) for flip in flips]))


def found(subject, rule):
    return [violation for one, violation in violations(subject) if one.id == rule]


def test_a_good_plan_breaks_nothing():
    assert violations(subject()) == []


def test_there_is_one_file_a_rule_and_each_has_words():
    assert set(rules()) == {
        "assigned", "beat_borders", "beats", "code_history", "codes", "contiguous", "key_units", "load_band", "locks",
        "one_community", "places", "seamless",
    }  # fmt: skip
    assert all(rule.title.zh and rule.title.en for rule in rules().values())


def test_loose_blocks_and_empty_grids_are_incomplete():
    (loose,) = found(after(subject(), ("b00", LEFT, None)), "assigned")
    assert (loose.severity, loose.blocks, loose.bounds) == ("incomplete", ("b00",), (0, 0, STEP, STEP))
    one = subject()
    emptied = after(one, *((code, LEFT, RIGHT) for code in one.blocks.codes if code[1] in "01"))
    (empty,) = found(emptied, "assigned")
    assert (empty.severity, empty.grids) == ("incomplete", (LEFT,))


def test_the_lighter_piece_of_a_torn_grid_is_the_place_to_look():
    (torn,) = found(after(subject(), ("b30", RIGHT, LEFT)), "contiguous")
    assert (torn.severity, torn.grids, torn.blocks) == ("broken", (LEFT,), ("b30",))
    assert torn.bounds == (3 * STEP, 0, 4 * STEP, STEP)


def test_a_grid_does_not_hang_together_across_water():
    river = box(STEP - 1, 0, STEP + 1, 4 * STEP)
    (torn,) = found(subject(water=river), "contiguous")
    assert torn.grids == (LEFT,)
    assert len(torn.blocks) == 4


def test_a_lake_is_no_piece_of_its_own():
    lake = box(3 * STEP, 3 * STEP, 4 * STEP, 4 * STEP)
    assert found(subject(water=lake), "contiguous") == []


def test_a_grid_in_two_communities_is_broken():
    communities = [COMMUNITY] * 15 + [OTHER]
    (crossing,) = found(subject(communities=communities), "one_community")
    assert (crossing.severity, crossing.grids, crossing.blocks) == ("broken", (RIGHT,), ("b33",))


@pytest.mark.parametrize(
    ("households", "severity", "words"),
    [(40, None, ""), (18, "warning", "below 150"), (70, "warning", "above 500"), (90, "broken", "above 700")],
)
def test_loads_beyond_the_band_warn_and_beyond_the_limit_fail(households, severity, words):
    told = found(subject(households=households), "load_band")
    assert {violation.severity for violation in told} == ({severity} if severity else set())
    assert all(words in violation.message.en for violation in told)


def test_a_dedicated_grid_has_no_band():
    one = subject(households=2)
    grids = [replace(grid, kind="dedicated") for grid in one.plan.grids]
    assert found(replace(one, plan=one.plan.with_grids(grids)), "load_band") == []


def test_codes_have_the_citys_form_and_begin_with_their_community():
    one = subject()
    plan = one.plan.with_grids([*one.plan.grids, Grid("g9", COMMUNITY), Grid(f"{OTHER}001", COMMUNITY)])
    assert [(v.severity, v.grids) for v in found(replace(one, plan=plan), "codes")] == [
        ("broken", ("g9",)),
        ("warning", (f"{OTHER}001",)),
    ]
    assert found(replace(one, plan=plan, grid_code_pattern=r".*"), "codes")[0].grids == (f"{OTHER}001",)


def test_a_grid_without_a_beat_is_named_only_where_beats_are_used():
    one = subject()
    grids = [replace(one.plan.grids[0], beat_code=""), one.plan.grids[1]]
    (lost,) = found(replace(one, plan=one.plan.with_grids(grids)), "beats")
    assert lost.grids == (LEFT,)
    none = [replace(grid, beat_code="") for grid in one.plan.grids]
    assert found(replace(one, plan=one.plan.with_grids(none)), "beats") == []


def test_key_units_without_a_grid_and_campuses_without_their_own():
    school = gpd.GeoDataFrame(
        {"source_id": ["s"], "kind": ["school"]}, geometry=[box(10, 10, 20, 20).centroid], crs=CRS
    )
    one = subject(key_units=school)
    assert found(one, "key_units") == []
    (loose,) = found(after(one, ("b00", LEFT, None)), "key_units")
    assert (loose.severity, loose.blocks) == ("incomplete", ("b00",))
    campus = replace(
        one, policy=replace(policy(), dedicated_least_area_m2=STEP**2, dedicated_most_households=60), plan=one.plan
    )
    (asked,) = found(campus, "key_units")
    assert (asked.severity, asked.grids, asked.blocks) == ("warning", (LEFT,), ("b00",))


def test_the_demo_citys_plan_in_force_breaks_only_what_its_planner_has_to_mend():
    city = gis.City.demo()
    metric = {name: frame.to_crs(city.profile.metric_crs) for name, frame in city.frames.items()}
    ground = ground_of(policy(), water_areas=metric["water_areas"], segments=metric["segments"])
    blocks = blocks_of(metric["blocks"], crs=city.profile.metric_crs, ground=ground)
    plan = current_plan(metric["blocks"], metric["grids"])
    whole = Subject(blocks, plan, workload_of(blocks, policy().workload), policy(), metric["key_units"])
    told = violations(whole)
    assert {(rule.id, violation.severity) for rule, violation in told} == {
        ("load_band", "warning"), ("key_units", "warning"), ("contiguous", "broken"), ("contiguous", "warning"),
    }  # fmt: skip
    households = metric["blocks"].groupby("grid_code")["households_count"].sum()
    kinds = metric["grids"].set_index("code")["kind"]
    outside = {c for c, n in households.items() if not 150 <= n <= 500 and kinds[c] == "comprehensive"}
    assert {grid for rule, v in told if rule.id == "load_band" for grid in v.grids} == outside
