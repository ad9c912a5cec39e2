"""Two plans side by side: what comes and goes adds up, grid by grid and in the city."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.plans.compare import MOVING, compare
from gis.plans.policy import policy
from gis.plans.workload import LOAD, workload_of
from tests.support.plan_city import city_blocks, grown_plan

BLOCKS = city_blocks(60, 3, communities=2)
WORK = workload_of(BLOCKS, policy().workload)
PLAN = grown_plan(BLOCKS, 3, 5)
BASE = [PLAN.assignment()[code] for code in BLOCKS.codes]
CODES = sorted(set(BASE))


def test_a_plan_beside_itself_differs_in_nothing():
    same = compare(BLOCKS, WORK, BASE, BASE)
    assert same.grids.empty
    assert same.moved.empty
    assert same.totals["households_moved_share"] == 0


def test_one_block_that_moves_is_told_on_both_sides():
    after = list(BASE)
    here = int(np.argmax(BLOCKS.households))
    old, new = BASE[here], next(code for code in CODES if code != BASE[here])
    after[here] = new
    found = compare(BLOCKS, WORK, BASE, after)
    count = int(BLOCKS.households[here])
    assert found.moved.to_dict("records") == [
        {"block": BLOCKS.codes[here], "old": old, "new": new, "households": count}
    ]
    assert sorted(found.grids.index) == sorted([old, new])
    row = found.grids.loc[new]
    assert (row["households_in"], row["households_out"], row["blocks_in"]) == (count, 0, 1)
    assert row["households"] == row["households_before"] + count
    assert found.totals["households_moved_count"] == count
    back = compare(BLOCKS, WORK, after, BASE)
    assert back.grids.loc[new, "households_out"] == count


@given(st.lists(st.sampled_from([*CODES, "new", None]), min_size=60, max_size=60))
def test_what_comes_is_what_goes(after):
    found = compare(BLOCKS, WORK, BASE, after)
    moved = [i for i in range(60) if BASE[i] != after[i]]
    assert found.totals["blocks_moved_count"] == len(found.moved) == len(moved)
    lost = sum(int(BLOCKS.households[i]) for i in moved if after[i] is None)
    assert found.grids["households_out"].sum() == found.grids["households_in"].sum() + lost
    for code, row in found.grids.iterrows():
        own = [i for i in range(60) if after[i] == code]
        assert row["households"] == BLOCKS.households[own].sum()
        assert row[LOAD] == pytest.approx(WORK.load[own].sum())
        for name in MOVING:
            before = WORK.amounts[name].to_numpy()[[i for i in range(60) if BASE[i] == code]].sum()
            now = WORK.amounts[name].to_numpy()[own].sum()
            assert before + row[f"{name}_in"] - row[f"{name}_out"] == pytest.approx(now)
        assert np.isnan(row["compactness"]) == (not own)
    assert found.totals["grids_ended"] == sorted(set(BASE) - set(after))
