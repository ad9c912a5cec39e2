"""The demo city's streets can be travelled, and its water is where nobody stands."""

import numpy as np
import shapely
from scipy import sparse
from scipy.sparse import csgraph


def network(segments, *, directed: bool) -> tuple[int, np.ndarray]:
    lines = segments.geometry.to_numpy()
    ends = np.vstack([shapely.get_coordinates(shapely.get_point(lines, i)) for i in (0, -1)])
    corners, number = np.unique(ends, axis=0, return_inverse=True)
    start, end = number.ravel()[: len(lines)], number.ravel()[len(lines) :]
    both = ~segments["oneway"].to_numpy(dtype=bool)
    rows, cols = np.append(start, end[both]), np.append(end, start[both])
    graph = sparse.csr_array((np.ones(len(rows)), (rows, cols)), shape=(len(corners), len(corners)))
    return csgraph.connected_components(graph, directed=directed, connection="strong")[0], number


def test_streets_are_one_network_also_for_one_way_traffic(demo) -> None:
    segments = demo.segments
    assert network(segments, directed=False)[0] == 1
    assert segments["oneway"].sum() > 50
    assert network(segments, directed=True)[0] == 1


def test_streets_meet_only_at_corners(demo) -> None:
    lines = demo.segments.geometry.to_numpy()
    crossing = shapely.STRtree(lines).query(lines, predicate="crosses")
    assert crossing.size == 0
    assert (shapely.length(lines) > 0).all()


def test_every_class_is_there_and_has_a_name_in_both_languages(demo) -> None:
    segments = demo.segments
    assert set(segments["road_class"]) == {"main", "secondary", "local", "path"}
    assert segments[["name_zh", "name_en"]].notna().all().all()
    assert segments["name_en"].str.isascii().all()
    assert segments["name_zh"].nunique() > 500


def test_main_roads_are_borders_of_communities(metric) -> None:
    main = metric["segments"][metric["segments"]["road_class"] == "main"].union_all()
    borders = metric["streets"].boundary.union_all().difference(metric["districts"].boundary.iloc[0].buffer(1))
    assert borders.intersection(main.buffer(1)).length > 0.5 * borders.length


def test_water_is_in_the_city_and_dry_where_people_are(demo, metric) -> None:
    water = demo.water_areas.geometry.to_numpy()
    assert shapely.is_valid(water).all()
    assert shapely.covers(demo.districts.geometry.iloc[0].buffer(1e-6), water).all()
    assert {"护城河", "大运河"} <= set(demo.water_areas["name_zh"])
    wet = shapely.union_all(water)
    for name in ("rentals", "posts"):
        assert not shapely.intersects(wet, demo.frames[name].geometry.to_numpy()).any()
    # What happens in the water happens on its bridges.
    placed = metric["incidents"][metric["incidents"].geometry.notna()].geometry
    over = placed[shapely.intersects(metric["water_areas"].union_all(), placed.to_numpy())]
    tree = shapely.STRtree(metric["segments"].geometry.to_numpy())
    _, away = tree.query_nearest(over.to_numpy(), return_distance=True, all_matches=False)
    assert away.max() < 0.5
