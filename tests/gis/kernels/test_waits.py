"""Visits and waits against loops over the passes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.kernels.waits import waits

END_S = 100.0
PASSES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100).map(float), st.integers(0, 2)), max_size=25)


def by_hand(passes, place, merge_s):
    mine = sorted((at, unit) for p, at, unit in passes if p == place)
    starts, before = [], -np.inf
    for at, _ in mine:
        if at - before > merge_s:
            starts.append(at)
        before = at
    stops = [0.0, *starts, END_S]
    longest = max(np.diff(stops)) if starts else END_S
    return len(starts), len({unit for _, unit in mine}), np.diff(starts), longest, starts[-1] if starts else np.nan


@given(PASSES, st.sampled_from([0.0, 3.0, 20.0]))
def test_all_numbers_are_those_of_a_loop(passes, merge_s):
    place, at, unit = (np.array(column) for column in zip(*passes, strict=True)) if passes else (np.empty(0, int),) * 3
    found = waits(place.astype(int), at.astype(float), unit.astype(int), 5, (0.0, END_S), merge_s=merge_s)
    for p in range(5):
        count, units, gaps, longest, last = by_hand(passes, p, merge_s)
        assert (found.count[p], found.units[p]) == (count, units)
        assert found.longest_s[p] == pytest.approx(longest)
        assert found.last_s[p] == pytest.approx(last, nan_ok=True)
        assert found.median_s[p] == pytest.approx(np.median(gaps) if len(gaps) else np.nan, nan_ok=True)
