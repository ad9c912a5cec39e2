"""Streets from OpenStreetMap: cut where they meet, directed, and the same network as an independent reading of it."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import networkx as nx
import osmium
import pytest
import shapely

import gis
from gis.city import FRAMES, codebooks
from gis.errors import FrameMismatch, InvalidInput, UnsupportedMedia
from gis.files.child.osm_tags import MOTOR_CLASSES
from gis.files.formats import to_write
from gis.files.whole import COUNTS_ATTR
from gis.store.ingest import import_file
from tests.support.osm_file import ORIGIN, STEP, osm_file

STREET = {"highway": "residential"}
CROSS = {1: (0, 0), 2: (1, 0), 3: (2, 0), 4: (1, 1), 5: (1, -1)}


def streets(path):
    return gis.City.from_files(segments=path).segments


def read(tmp_path, nodes, ways, **more):
    return streets(osm_file(tmp_path / "city.osm.pbf", nodes, ways, **more)).set_index("source_id")


def counted(frame) -> dict[str, str]:
    return {note["code"]: note["message"] for note in frame.attrs[COUNTS_ATTR]}


def corners(line) -> list[tuple[float, float]]:
    return [(round((x - ORIGIN[0]) / STEP, 6), round((y - ORIGIN[1]) / STEP, 6)) for x, y in line.coords]


def test_ways_are_cut_where_they_share_a_node_and_nowhere_else(tmp_path):
    found = read(tmp_path, CROSS, [(10, [1, 2, 3], STREET), (11, [4, 2, 5], {"highway": "primary", "name": "环路"})])
    assert list(found.index) == ["w10-1", "w10-2", "w11-1", "w11-2"]
    assert found["from_node"].tolist() == ["n1", "n2", "n4", "n2"]
    assert found["to_node"].tolist() == ["n2", "n3", "n2", "n5"]
    assert found["road_class"].tolist() == ["local", "local", "main", "main"]
    assert found["name_zh"].iloc[2] == "环路"
    assert corners(found.geometry["w10-1"]) == [(0, 0), (1, 0)]
    FRAMES["segments"].check(found.reset_index(), codes=codebooks())


def test_a_bridge_does_not_meet_what_it_crosses(tmp_path):
    over = {**STREET, "bridge": "yes", "layer": "2"}
    found = read(tmp_path, {**CROSS}, [(10, [1, 3], STREET), (11, [4, 5], over)])
    assert found["level"].tolist() == [0, 2]
    assert set(found["from_node"]) | set(found["to_node"]) == {"n1", "n3", "n4", "n5"}
    assert found.geometry.iloc[0].crosses(found.geometry.iloc[1])


def test_a_way_against_its_direction_is_turned_round(tmp_path):
    found = read(tmp_path, CROSS, [(10, [1, 2, 3], {**STREET, "oneway": "-1"})])
    assert found[["from_node", "to_node", "oneway"]].to_numpy().tolist() == [["n3", "n1", True]]
    assert corners(found.geometry.iloc[0]) == [(2, 0), (1, 0), (0, 0)]
    assert counted(found)["reversed"].startswith("1 ways")


def test_a_way_is_not_drawn_across_nodes_that_the_file_does_not_have(tmp_path):
    nodes = {i: (i, 0) for i in (1, 2, 4, 5, 7)}
    found = read(tmp_path, nodes, [(10, [1, 2, 3, 4, 5, 6, 7], STREET)])
    assert [corners(line) for line in found.geometry] == [[(1, 0), (2, 0)], [(4, 0), (5, 0)]]
    assert set(counted(found)) == {"ways_read", "broken", "too_short"}


def test_a_bollard_stops_cars_from_both_sides_and_nobody_else(tmp_path):
    found = read(tmp_path, CROSS, [(10, [1, 2, 3], STREET)], node_tags={2: {"barrier": "bollard"}})
    assert found["access"].tolist() == ["open", "no_motor", "no_motor", "open"]
    everyone = nx.Graph(found[["from_node", "to_node"]].itertuples(index=False))
    cars = nx.Graph(found.loc[found["access"] == "open", ["from_node", "to_node"]].itertuples(index=False))
    assert nx.has_path(everyone, "n1", "n3")
    assert not nx.has_path(cars, "n1", "n3")
    metres = found.to_crs("EPSG:4549").geometry
    assert metres.length.iloc[1] == pytest.approx(1.0, abs=0.02)
    assert metres.length.sum() == pytest.approx(streets_length(tmp_path), rel=1e-6)
    assert counted(found)["barriers"].startswith("1 barriers")


def streets_length(tmp_path) -> float:
    plain = streets(osm_file(tmp_path / "plain.osm.pbf", CROSS, [(10, [1, 2, 3], STREET)]))
    return float(plain.to_crs("EPSG:4549").length.sum())


def test_a_barrier_next_to_another_leaves_no_piece_without_length(tmp_path):
    nodes = {1: (0, 0), 2: (1, 0), 3: (1.0001, 0), 4: (2, 0)}
    posts = {2: {"barrier": "bollard"}, 3: {"barrier": "block"}}
    found = read(tmp_path, nodes, [(10, [1, 2, 3, 4], STREET)], node_tags=posts)
    assert (found.to_crs("EPSG:4549").length > 0).all()
    assert shapely.is_valid(found.geometry.to_numpy()).all()
    assert found["access"].tolist() == ["open", "no_motor", "no_motor", "no_motor", "open"]


def test_a_gate_is_passed_unless_it_says_otherwise_and_footways_have_no_bollards(tmp_path):
    gates = {2: {"barrier": "gate"}}
    assert len(read(tmp_path, CROSS, [(10, [1, 2, 3], STREET)], node_tags=gates)) == 1
    shut = {2: {"barrier": "gate", "motor_vehicle": "private"}}
    assert len(read(tmp_path, CROSS, [(10, [1, 2, 3], STREET)], node_tags=shut)) == 4
    assert len(read(tmp_path, CROSS, [(10, [1, 2, 3], {"highway": "footway"})], node_tags=shut)) == 1


def test_what_is_shut_or_no_street_is_left_out_and_counted(tmp_path):
    ways = [
        (10, [1, 2], STREET),
        (11, [1, 2], {**STREET, "access": "private"}),
        (12, [1, 2], {**STREET, "access": "no", "foot": "yes"}),
        (13, [1, 2], {"highway": "proposed"}),
        (14, [1, 2], {"highway": "pedestrian", "area": "yes"}),
        (15, [1, 2], {**STREET, "maxspeed": "30 mph"}),
        (16, [1, 2], {**STREET, "maxspeed": "walk"}),
        (17, [1, 2], {**STREET, "maxspeed": "0"}),
    ]
    found = read(tmp_path, CROSS, ways)
    assert found["access"].to_dict() == {
        "w10-1": "open", "w12-1": "walk_only", "w15-1": "open", "w16-1": "open", "w17-1": "open",
    }  # fmt: skip
    assert found["speed_kmh"].fillna(-1).tolist() == [-1, -1, 48.3, -1, 5]
    numbers = {code: int(message.split()[0].replace(",", "")) for code, message in counted(found).items()}
    assert numbers == {
        "ways_read": 8, "other_kinds": 2, "shut": 1, "speeds_taken": 2, "speeds_unreadable": 1, "speeds_clipped": 1,
    }  # fmt: skip


def test_node_numbers_are_never_taken_for_telephone_numbers(tmp_path):
    nodes = {13_800_138_000: (0, 0), 13_800_138_001: (1, 0)}
    found = read(tmp_path, nodes, [(13_912_345_678, list(nodes), STREET)])
    assert found["from_node"].tolist() == ["n13800138000"]


@pytest.mark.parametrize("frame", ["posts", "blocks"])
def test_an_extract_is_segments_and_nothing_else(tmp_path, frame):
    path = osm_file(tmp_path / "city.osm.pbf", CROSS, [(10, [1, 2, 3], STREET)])
    with pytest.raises(FrameMismatch) as caught:
        gis.City.from_files(**{frame: path})
    assert "read as segments" in caught.value.problems[0].message


def test_broken_files_are_said_to_be_broken(tmp_path):
    whole = osm_file(tmp_path / "city.osm.pbf", CROSS, [(10, [1, 2, 3], STREET)]).read_bytes()
    for name, content, words in (
        ("cut.osm.pbf", whole[: len(whole) // 2], "no readable OpenStreetMap"),
        ("noise.osm.pbf", whole[:40] + bytes(200), "no readable OpenStreetMap"),
        ("text.osm.pbf", b"<osm></osm>", "does not hold OpenStreetMap"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(FrameMismatch) as caught:
            streets(path)
        assert words in caught.value.problems[0].message, name
        assert str(tmp_path) not in caught.value.problems[0].message
    empty = osm_file(tmp_path / "none.osm.pbf", CROSS, [(10, [1, 2, 3], {"highway": "proposed"})])
    with pytest.raises(FrameMismatch) as caught:
        streets(empty)
    assert "no streets" in caught.value.problems[0].message


def test_an_extract_is_not_written(tmp_path):
    with pytest.raises(UnsupportedMedia, match="read here, not written"):
        to_write(tmp_path / "out.osm.pbf")


def test_an_import_reports_what_it_counted(store, city, tmp_path):
    path = osm_file(tmp_path / "city.osm.pbf", CROSS, [(10, [1, 2, 3], STREET), (11, [1, 2], {"highway": "raceway"})])
    report = import_file(store, city, "segments", path)
    assert (report.state, report.inserted) == ("applied", 1)
    assert {w.code for w in report.warnings} == {"ways_read", "other_kinds"}
    again = import_file(store, city, "segments", path)
    assert again.state == "already_applied"
    with pytest.raises(UnsupportedMedia, match="not as posts"):
        import_file(store, city, "posts", path)


def network(frame) -> nx.MultiDiGraph:
    """Return the graph of the ways: an independent walk over the pieces of each, cut only where ways of it meet."""
    runs: list[tuple[str, bool, list[str]]] = []
    for source_id, start, end, oneway in frame[["source_id", "from_node", "to_node", "oneway"]].itertuples(index=False):
        way = source_id.split("-")[0]
        if runs and runs[-1][0] == way and runs[-1][2][-1] == start:
            runs[-1][2].append(end)
        else:
            runs.append((way, oneway, [start, end]))
    uses = Counter(node for *_, nodes in runs for node in nodes)
    graph = nx.MultiDiGraph()
    for _, oneway, nodes in runs:
        kept = [n for i, n in enumerate(nodes) if uses[n] > 1 or i in (0, len(nodes) - 1)]
        graph.add_nodes_from(kept)
        for start, end in pairwise(kept):
            graph.add_edges_from([(start, end)] if oneway else [(start, end), (end, start)])
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    return graph


@pytest.mark.parametrize(
    ("place", "mode", "expected"),
    [
        ("porto_alegre/poa_osm.pbf", "drive", (14_127, 31_448, 99, 127, 20, 13_876)),
        ("porto_alegre/poa_osm.pbf", "walk", (19_018, 52_750, 188, 59, 59, 18_769)),
        ("helsinki/helsinki.osm.pbf", "drive", (979, 1_636, 4, 56, 6, 879)),
    ],
)
def test_real_cities_give_the_networks_that_were_measured(shared_data, place, mode, expected):
    """Nodes, arcs, parallel arcs, strong and weak components, and the largest, as another program counted them.

    It knew neither barriers nor whom a shut way admits after all.
    """
    path = shared_data / "streets" / place
    segments = streets(path)
    shut = {
        f"w{way.id}"
        for way in osmium.FileProcessor(str(path)).with_filter(osmium.filter.KeyFilter("highway"))
        if way.is_way() and way.tags.get("access") in ("no", "private")
    }
    segments = segments[~segments["source_id"].str.split("-").str[0].isin(shut)]
    if mode == "drive":
        segments = segments[segments["road_class"].isin(MOTOR_CLASSES)]
    else:
        segments = segments.assign(oneway=False)
    graph = network(segments)
    simple = nx.DiGraph(graph)
    parallel = graph.number_of_edges() - simple.number_of_edges()
    strong = list(nx.strongly_connected_components(simple))
    weak = nx.number_weakly_connected_components(simple)
    found = (len(graph), simple.number_of_edges(), parallel, len(strong), weak, max(map(len, strong)))
    assert found == expected


def test_a_city_without_streets_says_so(tmp_path):
    path = osm_file(tmp_path / "bare.osm.pbf", {1: (0, 0)}, [])
    with pytest.raises(InvalidInput):
        streets(path)
