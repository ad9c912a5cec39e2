"""A foreign drawing becomes an assignment of blocks, with an honest account of where it does not follow them."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import Polygon, box

import gis
from gis.errors import InvalidInput
from gis.plans.fit import fit


def squares(n=4):
    cells = [(x, y) for y in range(n) for x in range(n)]
    return gpd.GeoDataFrame(
        {"code": [f"b{x}{y}" for x, y in cells], "households_count": 10},
        geometry=[box(100 * x, 100 * y, 100 * x + 100, 100 * y + 100) for x, y in cells],
        crs="EPSG:4549",
    )


def drawn(**areas):
    return gpd.GeoDataFrame({"code": list(areas)}, geometry=list(areas.values()), crs="EPSG:4549")


def test_the_demo_citys_own_grids_fit_their_own_blocks():
    city = gis.City.demo()
    blocks, grids = (city.frames[name].to_crs(city.profile.metric_crs) for name in ("blocks", "grids"))
    found = fit(blocks, grids)
    assert found.assignment == dict(zip(blocks["code"], blocks["grid_code"], strict=True))
    assert found.report["blocks_cut_count"] == 0
    assert found.report["blocks_without_grid_count"] == 0


def test_a_block_goes_where_most_of_it_lies_and_is_named_when_it_is_cut():
    found = fit(squares(), drawn(west=box(0, 0, 230, 400), east=box(230, 0, 400, 400)))
    assert {found.assignment[f"b2{y}"] for y in range(4)} == {"east"}
    assert found.report["blocks_cut_count"] == 4
    assert found.report["cut_blocks"][0] == {"block": "b20", "grid": "east", "inside_share": 0.7}
    assert found.report["households_in_cut_blocks_share"] == 0.25


def test_a_block_outside_the_drawing_has_no_grid():
    found = fit(squares(), drawn(south=box(0, 0, 400, 200)))
    assert [code for code, grid in found.assignment.items() if grid is None] == [
        f"b{x}{y}" for y in (2, 3) for x in range(4)
    ]
    assert found.report["blocks_without_grid_count"] == 8


def test_pieces_of_one_code_are_one_grid_and_the_order_of_rows_does_not_matter():
    pieces = gpd.GeoDataFrame(
        {"code": ["g", "h", "g"]},
        geometry=[box(0, 0, 100, 400), box(100, 0, 300, 400), box(300, 0, 400, 400)],
        crs="EPSG:4549",
    )
    first = fit(squares(), pieces)
    again = fit(squares(), pieces.iloc[::-1])
    assert first.assignment == again.assignment
    assert {g for c, g in first.assignment.items() if c[1] in "03"} == {"g"}
    shuffled = squares().sample(frac=1, random_state=np.random.default_rng(0))
    assert fit(shuffled, pieces).assignment == first.assignment


@pytest.mark.parametrize(
    ("drawing", "words"),
    [
        (drawn(far=box(9000, 9000, 9100, 9100)), "touches"),
        (drawn(bow=Polygon([(0, 0), (100, 100), (100, 0), (0, 100)])), "crosses"),
        (drawn(x=box(0, 0, 1, 1).exterior), "is an area"),
        (drawn(x=box(0, 0, 1, 1)).drop(columns="code"), "code"),
    ],
)
def test_what_is_no_plan_is_refused(drawing, words):
    with pytest.raises(InvalidInput, match=words):
        fit(squares(), drawing)
