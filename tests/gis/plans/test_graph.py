"""Blocks with their borders: coverage, communities, water and roads."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

import gis
from data.synth.voronoi import CRS, SIDE_M, block_frame, voronoi_city
from gis.errors import Conflict, FrameMismatch, NotFound
from gis.plans.graph import BlockRow, Blocks, blocks_of, coverage_problems
from gis.plans.ground import Ground, ground_of
from gis.plans.policy import policy
from tests.support.plan_city import city_blocks

NOTHING = np.empty(0, object)


def squares(columns: int, rows: int, **columns_of_frame: object) -> gpd.GeoDataFrame:
    """Return squares of 100 m, numbered row by row."""
    boxes = [shapely.box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100) for y in range(rows) for x in range(columns)]
    codes = [f"b{i:02d}" for i in range(len(boxes))]
    table = {"source_id": codes, "code": codes, "community_code": "c1", "households_count": 10}
    return gpd.GeoDataFrame({**table, **columns_of_frame}, geometry=boxes, crs=CRS)


def crossing(blocks: Blocks) -> set[tuple[int, int]]:
    return {(int(a), int(b)) for a, b in blocks.open_graph.pairs()[0]}


def test_borders_are_those_of_the_shapes() -> None:
    blocks = city_blocks(120, 3)
    graph, _, _ = voronoi_city(120, 3)
    assert blocks.graph.pairs()[1].sum() == pytest.approx(graph.pairs()[1].sum() * SIDE_M, rel=1e-4)
    assert blocks.graph.area_m2 == pytest.approx(graph.area_m2 * SIDE_M**2, rel=1e-3)
    assert blocks.graph.perimeter_m == pytest.approx(shapely.length(blocks.shapes))
    assert len(crossing(blocks)) == len(blocks.graph.pairs()[0])


def test_a_grid_does_not_leave_its_community() -> None:
    blocks = city_blocks(120, 3, communities=3)
    ends = blocks.open_graph.pairs()[0]
    assert (blocks.communities[ends[:, 0]] == blocks.communities[ends[:, 1]]).all()
    assert blocks.open_graph.components().max() + 1 == 3
    assert blocks.open_graph.perimeter_m == pytest.approx(blocks.graph.perimeter_m)


def test_blocks_are_in_the_order_of_their_codes_whatever_the_rows() -> None:
    frame = block_frame(40, 1)
    one, other = blocks_of(frame, crs=CRS), blocks_of(frame.sample(frac=1, random_state=1), crs=CRS)
    assert one.codes.tolist() == sorted(frame["code"])
    assert one.codes.tolist() == other.codes.tolist()
    assert one.graph.border_m == pytest.approx(other.graph.border_m)
    assert one.households.tolist() == other.households.tolist()


def test_a_road_that_is_a_barrier_and_one_that_is_preferred() -> None:
    road = np.array([shapely.LineString([(100, -50), (100, 350)])], object)
    barrier = blocks_of(squares(3, 3), crs=CRS, ground=Ground(NOTHING, road, NOTHING, 1.0))
    assert barrier.open_graph.components().tolist() == [0, 1, 1, 0, 1, 1, 0, 1, 1]
    preferred = blocks_of(squares(3, 3), crs=CRS, ground=Ground(NOTHING, NOTHING, road, 0.25))
    assert preferred.open_graph.components().max() == 0
    length = dict(
        zip(map(tuple, preferred.cost_graph.pairs()[0].tolist()), preferred.cost_graph.pairs()[1], strict=True)
    )
    assert length[0, 1] == 25
    assert length[1, 2] == 100


def test_water_between_blocks_and_blocks_of_water() -> None:
    river = np.array([shapely.box(90, -50, 110, 350)], object)
    cut = blocks_of(squares(3, 3), crs=CRS, ground=Ground(river, NOTHING, NOTHING, 1.0))
    assert cut.open_graph.components().max() == 1
    lake = np.array([shapely.box(100, 0, 200, 300)], object)
    wet = blocks_of(squares(3, 3), crs=CRS, ground=Ground(lake, NOTHING, NOTHING, 1.0))
    assert np.flatnonzero(wet.watery).tolist() == [1, 4, 7]
    # Each block of water belongs to one neighbour on land, and joins nothing.
    assert np.diff(wet.open_graph.first)[[1, 4, 7]].tolist() == [1, 1, 1]
    assert wet.open_graph.components()[[0, 2]].tolist() == [0, 1]


def test_a_coverage_that_is_none_is_refused_and_named() -> None:
    frame = squares(3, 1)
    shapes = frame.geometry.to_numpy().copy()
    shapes[1] = shapely.box(95, 0, 200, 100)
    with pytest.raises(FrameMismatch, match="b00, b01"):
        blocks_of(frame.set_geometry(gpd.GeoSeries(shapes, crs=CRS)), crs=CRS)
    tee = frame.geometry.to_numpy().copy()
    tee[1] = shapely.Polygon([(100, 0), (200, 0), (200, 100), (100, 100), (100, 50)])
    assert coverage_problems(tee, frame["code"].to_numpy(object))[0].code == "no_coverage"
    gap = frame.geometry.to_numpy().copy()
    gap[1] = shapely.box(100.5, 0, 200, 100)
    assert coverage_problems(gap, frame["code"].to_numpy(object), gap_width_m=1.0)[0].code == "no_coverage"
    twice = frame.assign(code=["b00", "b01", "b01"])
    with pytest.raises(FrameMismatch, match="more than once"):
        blocks_of(twice, crs=CRS)


def row(code: str, west: float, east: float, households: int) -> BlockRow:
    shape = shapely.box(west, 0, east, 100)
    return BlockRow(code, "c1", shapely.to_wkb(shape), households, int(households * 2.6))


def test_blocks_are_replaced_by_others_that_fill_the_same_area() -> None:
    blocks = blocks_of(squares(3, 1), crs=CRS)
    old = blocks.row("b01")
    halves = (row("b01a", 100, 160, 6), row("b01b", 160, 200, 4))
    change = ((old, None), (None, halves[0]), (None, halves[1]))
    split = blocks.changed(change)
    assert split.codes.tolist() == ["b00", "b01a", "b01b", "b02"]
    assert split.households.sum() == blocks.households.sum()
    assert crossing(split) == {(0, 1), (1, 2), (2, 3)}
    back = split.changed([(new, old) for old, new in reversed(change)])
    assert back.codes.tolist() == blocks.codes.tolist()
    assert [back.row(c) for c in back.codes] == [blocks.row(c) for c in blocks.codes]
    with pytest.raises(Conflict, match="b01"):
        split.changed(change)
    with pytest.raises(FrameMismatch, match="fit together"):
        blocks.changed(((old, None), (None, halves[0])))
    with pytest.raises(FrameMismatch, match="fit together"):
        blocks.changed(((old, None), (None, row("b01a", 100, 170, 6)), (None, halves[1])))
    with pytest.raises(NotFound, match="b77"):
        blocks.row("b77")


def test_the_demo_city_is_a_coverage_whose_grids_mostly_hang_together() -> None:
    city = gis.City.demo()
    crs = city.profile.metric_crs
    ground = ground_of(policy(), water_areas=city.water_areas.to_crs(crs), segments=city.segments.to_crs(crs))
    blocks = blocks_of(city.blocks, crs=crs, ground=ground)
    assert len(blocks) == 2_228
    assert blocks.watery.sum() == 18
    assert blocks.households[blocks.watery].sum() < 10
    codes = city.blocks.set_index("code")["grid_code"].loc[list(blocks.codes)]
    grid = np.unique(codes, return_inverse=True)[1]
    assert blocks.graph.pieces(grid).max() + 1 == 879
    # A few are cut by water, which the demo's generator did not ask about.
    assert 880 < blocks.open_graph.pieces(grid).max() + 1 < 920
    shortened = blocks.cost_graph.border_m / blocks.open_graph.border_m
    assert shortened.min() == pytest.approx(policy().preferred_weight)
    assert shortened.max() == pytest.approx(1)
