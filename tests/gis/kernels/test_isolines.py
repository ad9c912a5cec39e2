"""Rings around what lies below a level are those of contourpy, and one is in time where any point says so."""

from __future__ import annotations

import contourpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from gis.kernels.isolines import Rings, lateness_s, rings


def lines(found: Rings) -> list[np.ndarray]:
    return [found.corners[a:b] for a, b in zip(found.begins[:-1], found.begins[1:], strict=True)]


def area(line: np.ndarray) -> float:
    x, y = line.T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum() / 2)


def length(line: np.ndarray) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 3.0]))
def test_rings_are_those_of_contourpy(seed: int, smooth: float) -> None:
    rng = np.random.default_rng(seed)
    raster = np.full(rng.integers(5, 30, 2), 9.0)
    raster[2:-2, 2:-2] = ndimage.gaussian_filter(rng.normal(0, 1, raster[2:-2, 2:-2].shape), smooth)
    level = float(rng.normal(0, 0.3))
    ours = lines(rings(raster, level))
    # The frame around closes every line, as ours does.
    theirs = contourpy.contour_generator(z=raster).lines(level)
    assert len(ours) == len(theirs)
    assert sorted(map(length, ours)) == pytest.approx(sorted(map(length, theirs)))
    # contourpy keeps what is below on the right.
    assert sorted(map(area, ours)) == pytest.approx(sorted(-area(line) for line in theirs), abs=1e-9)
    for line in ours:
        assert line[0].tolist() == line[-1].tolist()


def test_a_hill_with_a_crater() -> None:
    row, column = np.mgrid[:41, :41]
    away = np.hypot(row - 20, column - 20)
    found = rings(np.abs(away - 10), 4.0)
    assert sorted(map(area, lines(found))) == pytest.approx([-np.pi * 36, np.pi * 196], rel=0.02)


def test_everything_and_nothing() -> None:
    assert len(rings(np.ones((3, 4)), 0.5).begins) == 1
    whole = lines(rings(np.zeros((3, 4)), 0.5))
    assert len(whole) == 1
    # It ends between the last place and the frame.
    assert 2 * 3 < area(whole[0]) < 4 * 5
    with pytest.raises(ValueError, match="finite"):
        rings(np.array([[np.inf]]), 1.0)


@given(st.integers(0, 10_000))
def test_one_is_in_time_where_a_point_within_reach_lets_one_be(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, seconds = rng.uniform(-2, 12, (7, 2)), rng.uniform(0, 50, 7)
    found = lateness_s(points, seconds, (9, 11), limit_s=40.0, reach_cells=2.5, cell_s=6.0)
    row, column = np.mgrid[:9, :11]
    away = np.hypot(column[..., None] - points[:, 0], row[..., None] - points[:, 1])
    when = seconds + 6.0 * away
    np.testing.assert_array_equal(found <= 0, ((away <= 2.5) & (when <= 40)).any(axis=-1))
    # It changes by no more than the way from one place to the next, so that the line is where it should be.
    assert np.abs(np.diff(found, axis=0)).max() <= 6 + 1e-9
    assert np.abs(np.diff(found, axis=1)).max() <= 6 + 1e-9
