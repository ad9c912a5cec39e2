"""A place that somebody draws: every fault is named, and what is right is taken as it is."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pydantic import BaseModel, ValidationError

from gis.city.drawn_place import LEAST_STEP_M, MOST_SAMPLES, MOST_VERTICES, TYPES, DrawnPlace, in_metres, ways_in
from gis.errors import InvalidParams
from tests.support.small_city import PROFILE, SOUTH, WEST
from tests.support.streets import street_grid


class Asked(BaseModel):
    place: DrawnPlace


def faults(place: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Asked.model_validate({"place": place})
    return [(error["type"], error["msg"]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(120.6, 31.3),
        shapely.MultiPoint([(120.6, 31.3), (120.7, 31.3)]),
        shapely.LineString([(120.6, 31.3), (120.7, 31.3)]),
        shapely.MultiLineString([[(120.6, 31.3), (120.7, 31.3)]]),
        shapely.box(120.6, 31.3, 120.7, 31.4),
        shapely.MultiPolygon([shapely.box(120.6, 31.3, 120.7, 31.4)]),
    ],
    ids=lambda shape: shape.geom_type,
)
def test_what_is_right_is_taken(shape: shapely.Geometry) -> None:
    given = shapely.geometry.mapping(shape)
    assert given["type"] in TYPES
    assert Asked(place=given).place["coordinates"] == given["coordinates"]


def test_a_height_is_nothing_that_is_minded() -> None:
    assert Asked(place={"type": "Point", "coordinates": [120.6, 31.3, 12.0]}).place["type"] == "Point"


@pytest.mark.parametrize(
    ("place", "codes"),
    [
        ({"type": "Circle", "coordinates": [1, 2]}, ["wrong_geometry_type"]),
        ({"type": "GeometryCollection", "geometries": []}, ["wrong_geometry_type"]),
        ({}, ["wrong_geometry_type"]),
        ({"type": "Point", "coordinates": ["a", "b"]}, ["unreadable_geometry"]),
        ({"type": "Polygon", "coordinates": [120.6, 31.3]}, ["unreadable_geometry"]),
        ({"type": "LineString", "coordinates": [[120.6, 31.3]]}, ["unreadable_geometry"]),
        ({"type": "Point"}, ["unreadable_geometry"]),
        ({"type": "Point", "coordinates": [float("nan"), 1.0]}, ["unreadable_geometry"]),
        ({"type": "Point", "coordinates": []}, ["empty_geometry"]),
        ({"type": "Point", "coordinates": [1, 2], "crs": "EPSG:4549"}, ["unknown_member"]),
        ("here", ["dict_type"]),
    ],
)
def test_what_is_no_geometry_is_refused(place: object, codes: list[str]) -> None:
    assert [code for code, _ in faults(place)] == codes


def test_all_that_is_wrong_is_named_at_once() -> None:
    bow = [[200.0, 31.3], [120.7, 31.4], [120.7, 31.3], [200.0, 31.4], [200.0, 31.3]]
    told = dict(faults({"type": "Polygon", "coordinates": [bow], "srid": 4326}))
    assert set(told) == {"unknown_member", "outside_world", "invalid_geometry"}
    assert "3 vertices" in told["outside_world"]
    assert "200 31.3" in told["outside_world"]
    assert told["invalid_geometry"].startswith("outer ring: self-intersection")


def test_exchanged_coordinates_are_guessed_and_a_flood_of_them_refused() -> None:
    ((code, message),) = faults({"type": "Point", "coordinates": [31.3, 120.6]})
    assert code == "outside_world"
    assert "exchanged" in message
    many = [[float(x), 0.0] for x in np.linspace(0, 1, MOST_VERTICES + 1)]
    ((code, message),) = faults({"type": "LineString", "coordinates": many})
    assert code == "too_many_vertices"
    assert "10,001" in message


def test_a_place_of_another_city_is_refused_with_how_far_away_it_is() -> None:
    near = street_grid().to_crs(PROFILE.metric_crs)
    with pytest.raises(InvalidParams, match="outside of the city") as caught:
        in_metres({"type": "Point", "coordinates": [119.0, 31.3]}, PROFILE.metric_crs, near)
    assert [(p.code, p.field) for p in caught.value.problems] == [("outside_city", "place")]
    with pytest.raises(InvalidParams, match="outside of the city"):
        in_metres({"type": "Point", "coordinates": [-60.0, -31.3]}, PROFILE.metric_crs, near)
    point = gpd.GeoSeries([shapely.Point(WEST + 100, SOUTH + 100)], crs=PROFILE.metric_crs).to_crs("EPSG:4326")[0]
    moved = in_metres(shapely.geometry.mapping(point), PROFILE.metric_crs, near)
    assert shapely.get_coordinates(moved)[0] == pytest.approx([WEST + 100, SOUTH + 100], abs=1e-3)


def test_one_comes_to_a_point_itself_and_to_an_outline_everywhere() -> None:
    street = shapely.LineString([(50, -500), (50, 500)])
    assert ways_in(shapely.Point(7, 8), np.array([street])).tolist() == [[7, 8]]
    area = ways_in(shapely.box(0, 0, 90, 60), np.array([street]))
    assert {(50, 0), (50, 60), (0, 0), (90, 60)} <= {tuple(xy) for xy in area.tolist()}
    assert not shapely.contains_properly(shapely.box(0, 0, 90, 60), shapely.points(area)).any()
    both = shapely.MultiPoint([(0, 0), (9, 9)])
    assert len(ways_in(both, np.array([street]))) == 2
    long = shapely.LineString([(0, 0), (100_000, 0)])
    assert len(ways_in(long, np.array([street]))) <= MOST_SAMPLES + 3
    short = ways_in(shapely.LineString([(0, 0), (100, 0)]), np.array([street]))
    assert np.diff(short[:, 0]).max() <= LEAST_STEP_M
