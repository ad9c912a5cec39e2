"""Points put into a vector tile are read back by a library that knows nothing of how they got there."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.kernels.vector_tiles import EXTENT, with_counts
from tests.support.mvt import decode

unit = st.integers(0, EXTENT - 1)
points = st.lists(st.tuples(unit, unit, st.integers(1, 2**40)), min_size=1, max_size=60)


def add(tile, rows, key="n"):
    x, y, count = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return with_counts(tile, layer="a", key=key, x=x, y=y, count=count)


def read(tile, layer="a", key="n"):
    """Return how often each point and number is in a tile; GDAL counts from the south, we from the north."""
    found = decode(tile)[layer]
    places = zip(found.geometry.x, EXTENT - found.geometry.y, found[key], strict=True)
    return Counter((round(x), round(y), int(n)) for x, y, n in places)


@settings(deadline=None, max_examples=30)
@given(points)
def test_what_is_written_is_read(rows):
    assert read(add(b"", rows)) == Counter(rows)


@settings(deadline=None, max_examples=30)
@given(points, points)
def test_points_are_added_to_those_that_are_there(first, second):
    tile = add(add(b"", first), second)
    assert read(tile) == Counter(first) + Counter(second)
    assert list(decode(tile)) == ["a"]


def test_another_key_leaves_those_that_are_there_alone():
    tile = add(add(b"", [(1, 2, 3)], "m"), [(4, 5, 3), (6, 7, 300)])
    found = decode(tile)["a"]
    assert {(row.m, row.n) for row in found[["m", "n"]].fillna(-1).itertuples()} == {(3, -1), (-1, 3), (-1, 300)}


def test_nothing_added_changes_nothing():
    tile = add(b"", [(1, 2, 3)])
    assert add(tile, []) == tile
    assert add(b"", []) == b""


def test_what_is_no_single_layer_is_refused():
    tile = add(b"", [(1, 2, 3)])
    with pytest.raises(ValueError, match="one layer"):
        add(tile + tile, [(1, 2, 3)])
