"""The demo city's areas: real outline and codes, exact coverages, each level a union of the one below."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy import sparse
from scipy.sparse import csgraph

from data.synth.ground import SOURCES

LEVELS = ("districts", "streets", "communities", "blocks", "grids", "beats")
NESTED = (
    ("blocks", "grid_code", "grids"),
    ("blocks", "community_code", "communities"),
    ("grids", "community_code", "communities"),
    ("grids", "beat_code", "beats"),
    ("communities", "street_code", "streets"),
    ("streets", "district_code", "districts"),
)


@pytest.fixture(scope="module")
def official() -> pd.DataFrame:
    table = pd.read_csv(SOURCES / "communities_2248.csv", dtype=str)
    return table[table["areaCode"] == "320508"].set_index("code")


@pytest.mark.parametrize("name", LEVELS)
def test_every_level_is_a_valid_coverage(demo, name: str) -> None:
    areas = demo.frames[name].geometry.to_numpy()
    assert shapely.is_valid(areas).all()
    assert shapely.coverage_is_valid(areas)
    assert demo.frames[name]["code"].is_unique
    assert set(shapely.get_type_id(areas)) == {shapely.GeometryType.POLYGON}


@pytest.mark.parametrize(("lower", "key", "upper"), NESTED)
def test_an_area_is_exactly_the_union_of_those_in_it(demo, lower: str, key: str, upper: str) -> None:
    parts = demo.frames[lower]
    whole = demo.frames[upper].set_index("code").geometry
    groups = parts.groupby(key).indices
    assert set(groups) == set(whole.index)
    unions = [shapely.coverage_union_all(parts.geometry.to_numpy()[rows]) for rows in groups.values()]
    assert all(
        shapely.equals_exact(shapely.normalize(union), shapely.normalize(whole[code]), tolerance=0)
        for code, union in zip(groups, unions, strict=True)
    )


def test_the_city_lies_in_the_real_outline(demo, metric) -> None:
    outlines = gpd.read_file(SOURCES / "district_tianditu_wgs84.geojson").to_crs(demo.profile.metric_crs)
    real = outlines.set_index("district_name").geometry["姑苏区"]
    made = metric["districts"].geometry.iloc[0]
    assert shapely.hausdorff_distance(real.boundary, made.boundary) < 2.0
    assert made.area == pytest.approx(81.79e6, rel=1e-3)


def test_communities_and_streets_are_all_the_real_ones(demo, official) -> None:
    communities = demo.communities.set_index("code")
    assert set(communities.index) == set(official.index)
    assert len(communities) == 171
    assert (communities["street_code"] == official.loc[communities.index, "streetCode"]).all()
    given = official.loc[communities.index, "name"]
    assert all(
        full.startswith(name.removesuffix("村")) for full, name in zip(given, communities["name_zh"], strict=True)
    )
    assert set(demo.streets["code"]) == set(official["streetCode"])
    assert communities["name_en"].str.isascii().all()


def test_codes_begin_with_the_community_they_lie_in(demo) -> None:
    grids, blocks = demo.grids, demo.blocks
    assert grids["code"].str.fullmatch(demo.profile.grid_code_pattern).all()
    assert (grids["code"].str[:12] == grids["community_code"]).all()
    assert blocks["code"].str.fullmatch(r"\d{14}").all()
    assert (blocks["code"].str[:12] == blocks["community_code"]).all()
    home = blocks.set_index("code")["grid_code"].str[:12]
    assert (home == home.index.str[:12]).all()
    serials = grids.groupby("community_code")["code"].agg(lambda codes: sorted(int(c[12:]) for c in codes))
    assert all(found == list(range(1, len(found) + 1)) for found in serials)


def test_serials_run_from_north_to_south(metric) -> None:
    grids = metric["grids"].assign(y=metric["grids"].geometry.representative_point().y)
    first, last = grids.groupby("community_code")["y"].first(), grids.groupby("community_code")["y"].last()
    several = grids.groupby("community_code").size() > 1
    assert (first > last)[several].mean() > 0.95


def test_grids_are_of_a_size_people_would_draw(demo) -> None:
    grids = demo.grids
    mixed = grids[grids["kind"] == "comprehensive"]["households_count"].astype(int)
    assert 600 <= len(grids) <= 900
    assert 250 <= mixed.median() <= 330
    assert ((mixed >= 150) & (mixed <= 500)).mean() > 0.85
    assert (mixed < 150).any()
    assert (mixed > 500).any()
    assert mixed.max() <= 700
    assert 20 <= (grids["kind"] == "dedicated").sum() <= 120
    totals = demo.blocks.groupby("grid_code")["households_count"].sum()
    assert (totals[grids["code"]].to_numpy() == grids["households_count"].to_numpy()).all()


def test_blocks_are_many_some_empty_and_denser_in_the_old_town(demo, metric) -> None:
    blocks = metric["blocks"]
    assert 1500 <= len(blocks) <= 2500
    assert 0.03 < (blocks["households_count"] == 0).mean() < 0.2
    away = blocks.geometry.centroid.distance(shapely.Point(*old_town(demo)))
    density = blocks["households_count"].astype(float) / blocks.area
    assert density[away < 2000].mean() > 2 * density[away > 5000].mean()


def old_town(demo) -> tuple[float, float]:
    place = gpd.GeoSeries.from_xy([120.6195], [31.3085], crs=4326).to_crs(demo.profile.metric_crs)
    return place.x.iloc[0], place.y.iloc[0]


def test_a_beat_is_about_eight_grids_in_one_street(demo) -> None:
    size = demo.grids.groupby("beat_code").size()
    assert 7 <= size.mean() <= 9
    streets = demo.grids.assign(street=demo.grids["community_code"].str[:9]).groupby("beat_code")["street"].nunique()
    assert (streets == 1).all()


def test_blocks_hang_together(demo) -> None:
    areas = demo.blocks.geometry.to_numpy()
    a, b = shapely.STRtree(areas).query(areas, predicate="touches")
    graph = sparse.csr_array((np.ones(len(a)), (a, b)), shape=(len(areas), len(areas)))
    assert csgraph.connected_components(graph, directed=False)[0] == 1
