"""Vector tiles as GDAL reads them, against the rows they were made from."""

import asyncio
import datetime as dt
import itertools
import math

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Transformer

from gis.errors import InvalidInput, NotFound
from gis.store import tile_points, tiles
from gis.store.query import ItemQuery
from gis.store.relations import frame_relation
from tests.support.mvt import decode, inside
from tests.support.rows import fill

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
INCIDENTS = frame_relation("incidents")
GRIDS = frame_relation("grids")
COLUMNS = ("category", "occurred_at")
TO_LONLAT = Transformer.from_crs(3857, 4326, always_xy=True)
TO_METRES = Transformer.from_crs(4326, 3857, always_xy=True)


def draw(store, city, relation, columns, addresses, *, query=None, **options):
    """Return the decoded tiles at addresses (z, x, y)."""

    async def all_of_them():
        try:
            return [
                await tiles.tile(store, city.scope, relation, columns, *at, query or ItemQuery(), "main", **options)
                for at in addresses
            ]
        finally:
            await store.aclose()

    return [decode(tile) for tile in asyncio.run(all_of_them())]


def address(lon, lat, z):
    """Return the tile (z, x, y) of a place, by the formula of the slippy map."""
    n = 2**z
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * n
    return z, math.floor((lon + 180) / 360 * n), math.floor(y)


def width(z):
    return 2 * math.pi * 6378137 / 2**z


def lonlat(at, u, v):
    """Return the place at (u, v) of a tile: 0 to 1, from its lower left corner."""
    z, x, y = at
    half = math.pi * 6378137
    return TO_LONLAT.transform((x + u) * width(z) - half, half - (y + 1 - v) * width(z))


def incident(lon, lat, hours=0, category="theft"):
    at = START + dt.timedelta(hours=hours)
    return {
        "geom": f"POINT({lon} {lat})",
        "occurred_at": at,
        "category": category,
        "origin": "import",
        "location_withheld": False,
    }


def grid(shape, code="g"):
    return {"geom": shape.wkt, "code": code, "kind": "comprehensive", "valid_from": dt.date(2020, 1, 1)}


def square(at, west, south, east, north):
    """Return a square given in fractions of a tile."""
    return shapely.Polygon(
        [lonlat(at, *corner) for corner in ((west, south), (east, south), (east, north), (west, north))]
    )


SUZHOU = (10, 854, 417)
"""A tile with x and y far apart, so that exchanging them cannot pass."""


def test_a_tile_is_addressed_by_column_and_row(store, city):
    lon, lat = lonlat(SUZHOU, 1024.5 / 4096, 0.75 - 0.5 / 4096)
    assert address(lon, lat, 10) == SUZHOU
    (key,) = fill(store, city, "incidents", [incident(lon, lat)])
    z, x, y = SUZHOU
    here, there = draw(store, city, INCIDENTS, COLUMNS, [SUZHOU, (z, y, x)])
    (row,) = here["main"].itertuples()
    assert (row.geometry.x, row.geometry.y) == (1024, 3072)
    assert row.mvt_id == key
    assert (row.category, row.occurred_at) == ("theft", "2024-01-01T00:00:00Z")
    assert set(here["main"].columns) == {"mvt_id", "geometry", *COLUMNS}
    assert there == {}


@pytest.mark.parametrize("at", [(-1, 0, 0), (23, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (0, 0, 1)])
def test_no_such_tile(store, city, at):
    with pytest.raises(NotFound):
        draw(store, city, INCIDENTS, COLUMNS, [at])


@pytest.mark.parametrize("at", [(0, 0, 0), SUZHOU, (22, 3_500_000, 1_700_000)])
def test_the_sides_of_a_tile_are_those_of_postgis(store, city, at):
    import sqlalchemy as sa

    bounds = tiles._bounds(*at)
    envelope = sa.func.ST_TileEnvelope(*at)
    sides = [f(envelope) for f in (sa.func.ST_XMin, sa.func.ST_YMin, sa.func.ST_XMax, sa.func.ST_YMax)]
    with store.transaction(city.scope) as connection:
        theirs = connection.execute(sa.select(*sides)).one()
    assert [bounds[name] for name in tiles._SIDES] == pytest.approx(list(theirs), abs=1e-6)


def test_the_buffer_shows_what_lies_just_outside(store, city):
    z, x, y = SUZHOU
    places = [lonlat(SUZHOU, 1 + units / 4096, 0.5) for units in (30, 60, 70)]
    keys = fill(store, city, "incidents", [incident(*p) for p in places])
    here, right = draw(store, city, INCIDENTS, COLUMNS, [SUZHOU, (z, x + 1, y)])
    assert set(here["main"].mvt_id) == set(keys[:2])
    assert len(inside(here["main"])) == 0
    assert set(inside(right["main"]).mvt_id) == set(keys)


@pytest.fixture
def crowd(store, city):
    """2,000 incidents: most in a cluster, some on the very corners and sides of tiles, one withheld."""
    rng = np.random.default_rng(7)
    cluster = np.column_stack([rng.normal(0.9, 0.1, 1_500), rng.normal(0.1, 0.1, 1_500)])
    wide = rng.uniform(-1, 2, (450, 2))
    sides = np.array(list(itertools.product([-0.5, 0.0, 0.25, 0.5, 1.0, 1.5], repeat=2)) + [(0.5, 0.5)] * 14)
    places = [lonlat(SUZHOU, u, v) for u, v in np.vstack([cluster, wide, sides])]
    kinds = rng.choice(["theft", "noise"], len(places))
    rows = [
        incident(*place, hours=i % 100, category=kind)
        for i, (place, kind) in enumerate(zip(places, kinds, strict=True))
    ]
    fill(store, city, "incidents", [*rows, {**rows[0], "geom": None, "location_withheld": True}])
    return rows


def around(z):
    """Return every tile of a zoom that the 3 x 3 tiles of zoom 10 around Suzhou can touch."""
    zoom, x, y = SUZHOU
    if z <= zoom:
        columns = sorted({(x + i) >> (zoom - z) for i in range(-3, 5)})
        rows = sorted({(y + i) >> (zoom - z) for i in range(-3, 5)})
    else:
        scale = 2 ** (z - zoom)
        columns = range((x - 1) * scale, (x + 2) * scale)
        rows = range((y - 1) * scale, (y + 2) * scale)
    return [(z, i, j) for i in columns for j in rows]


def total(decoded):
    points = [inside(tile["main"]) for tile in decoded if "main" in tile]
    return sum(int(p["n"].fillna(1).sum()) if "n" in p else len(p) for p in points)


@pytest.mark.parametrize("z", [5, 9, 10, 11])
@pytest.mark.parametrize("cap", [0, 50, 5_000])
def test_a_crowd_is_counted_completely(store, city, crowd, z, cap):
    decoded = draw(store, city, INCIDENTS, COLUMNS, around(z), cap=cap)
    assert total(decoded) == len(crowd)


def test_a_crowded_tile_holds_one_point_a_cell(store, city, crowd):
    (tile,) = draw(store, city, INCIDENTS, COLUMNS, [SUZHOU], cap=100)
    points = tile["main"]
    assert 1 < len(points) < len(crowd)
    assert len(points) <= tile_points.CELLS**2
    assert points["n"].max() > 5
    # A cell of one feature is that feature; a cell of several says nothing but how many.
    alone = points["n"] == 1
    assert alone.any()
    assert points.loc[alone, "category"].isin(["theft", "noise"]).all()
    assert points.loc[~alone, ["category", "occurred_at"]].isna().all(axis=None)


def test_time_and_equality_filter_a_crowd_too(store, city, crowd):
    first, last = START + dt.timedelta(hours=10), START + dt.timedelta(hours=59)
    query = ItemQuery(interval=(first, last), equals={"category": ("theft",)})
    expected = sum(first <= r["occurred_at"] <= last and r["category"] == "theft" for r in crowd)
    for cap in (0, 5_000):
        assert total(draw(store, city, INCIDENTS, COLUMNS, around(9), query=query, cap=cap)) == expected > 100


def test_a_filter_by_a_property_that_is_not_served_is_refused(store, city):
    with pytest.raises(InvalidInput):
        draw(store, city, INCIDENTS, COLUMNS, [SUZHOU], query=ItemQuery(equals={"origin": ("import",)}))


def test_a_city_draws_only_its_own(store, city, crowd):
    from gis.contract.profile import CityProfile
    from gis.contract.text import Text
    from gis.store import cities

    other = cities.create(store, CityProfile("other", Text("他城", "Other"), "EPSG:4549", "UTC"))
    assert draw(store, other, INCIDENTS, COLUMNS, [SUZHOU], cap=0) == [{}]
    assert total(draw(store, city, INCIDENTS, COLUMNS, around(9), cap=0)) == len(crowd)


def test_lines_and_areas_in_a_point_layer_are_their_middle(store, city):
    u, v = (0.125, 0.375)
    line = shapely.LineString([lonlat(SUZHOU, u, v), lonlat(SUZHOU, u + 0.25, v)])
    area = square(SUZHOU, 0.5, 0.5, 0.75, 0.75)
    rows = [{**incident(0, 0), "geom": g.wkt} for g in (line, area)]
    fill(store, city, "incidents", rows)
    for cap in (0, 10):
        (tile,) = draw(store, city, INCIDENTS, COLUMNS, [SUZHOU], cap=cap)
        assert set(tile["main"].geom_type) == {"Point"}
        where = sorted((p.x, p.y) for p in tile["main"].geometry)
        assert 512 <= where[0][0] <= 1536
        assert where[0][1] == pytest.approx(1536, abs=1)
        assert shapely.box(2048, 2048, 3072, 3072).contains(shapely.Point(where[1]))


def test_an_area_keeps_its_shape_and_is_cut_at_the_buffer(store, city):
    inner, wide = square(SUZHOU, 0.25, 0.25, 0.5, 0.5), square(SUZHOU, 0.75, 0.5, 2.5, 0.75)
    keys = fill(store, city, "grids", [grid(inner, "a"), grid(wide, "b")])
    (tile,) = draw(store, city, GRIDS, ("code",), [SUZHOU])
    shapes = tile["main"].set_index("code").geometry
    assert shapes["a"].bounds == (1024, 1024, 2048, 2048)
    assert shapes["b"].bounds == (3072, 2048, 4096 + 64, 3072)
    assert sorted(tile["main"].mvt_id) == sorted(keys)


def test_each_area_is_labelled_once(store, city):
    rng = np.random.default_rng(3)
    shapes = [shapely.Point(lonlat(SUZHOU, *p)).buffer(0.1, 4) for p in rng.uniform(-0.2, 1.2, (12, 2))]
    # A horseshoe over four tiles, whose centroid lies outside of it.
    corners = [(0.4, 0.4), (1.6, 0.4), (1.6, 0.6), (0.6, 0.6), (0.6, 1.4), (1.6, 1.4), (1.6, 1.6), (0.4, 1.6)]
    shapes.append(shapely.Polygon([lonlat(SUZHOU, *corner) for corner in corners]))
    codes = [f"g{i}" for i in range(len(shapes))]
    fill(store, city, "grids", [grid(s, c) for s, c in zip(shapes, codes, strict=True)])
    addresses = around(10)
    decoded = draw(store, city, GRIDS, ("code",), addresses)
    seen = []
    for at, tile in zip(addresses, decoded, strict=True):
        for label in tile.get("main_label", gpd.GeoDataFrame(columns=["code", "geometry"])).itertuples():
            seen.append(label.code)
            place = shapely.Point(lonlat(at, label.geometry.x / 4096, label.geometry.y / 4096))
            assert shapes[codes.index(label.code)].buffer(1e-4).contains(place)
    assert sorted(seen) == sorted(codes)


def test_labels_have_their_own_columns_or_none(store, city):
    fill(store, city, "grids", [grid(square(SUZHOU, 0.2, 0.2, 0.8, 0.8), "a")])
    (tile,) = draw(store, city, GRIDS, ("code", "kind"), [SUZHOU], label_columns=("code",))
    assert set(tile["main_label"].columns) == {"mvt_id", "code", "geometry"}
    assert set(tile["main"].columns) == {"mvt_id", "code", "kind", "geometry"}
    (tile,) = draw(store, city, GRIDS, ("code",), [SUZHOU], label_columns=())
    assert set(tile) == {"main"}


def test_what_is_too_small_to_be_seen_is_left_out_until_one_zooms_in(store, city):
    unit = 1 / 4096
    small = square(SUZHOU, 0.5, 0.5, 0.5 + 1.5 * unit, 0.5 + 1.5 * unit)
    thin = square(SUZHOU, 0.2, 0.2, 0.9, 0.2 + 0.6 * unit)
    middling = square(SUZHOU, 0.1, 0.5, 0.1 + 20 * unit, 0.5 + 20 * unit)
    fill(store, city, "grids", [grid(s, c) for s, c in ((small, "small"), (thin, "thin"), (middling, "middling"))])
    z, x, y = SUZHOU
    here, closer = draw(store, city, GRIDS, ("code",), [SUZHOU, (z + 2, 4 * x + 2, 4 * y + 1)])
    assert "small" not in set(here["main"].code)
    assert "middling" in set(here["main"].code)
    assert "middling" not in set(here["main_label"].code if "main_label" in here else [])
    assert "small" in set(closer["main"].code)


def test_a_fine_line_is_drawn_no_finer_than_the_tile_shows(store, city):
    t = np.linspace(0.1, 0.9, 20_000)
    wiggle = 0.5 + 0.2 * np.sin(t * 20)
    line = shapely.LineString([lonlat(SUZHOU, u, v) for u, v in zip(t, wiggle, strict=True)])
    street = {"geom": line.wkt, "road_class": "local", "oneway": False, "level": 0, "access": "open"}
    fill(store, city, "segments", [street])
    (tile,) = draw(store, city, frame_relation("segments"), ("road_class",), [SUZHOU])
    (drawn,) = tile["main"].geometry
    assert shapely.get_num_coordinates(drawn) < 1_000
    exact = shapely.LineString(np.column_stack([t, wiggle]) * 4096)
    assert shapely.hausdorff_distance(drawn, exact) < 3
    assert set(tile) == {"main"}


def test_an_empty_tile_is_no_bytes(store, city):
    async def bare():
        try:
            return await tiles.tile(store, city.scope, GRIDS, ("code",), *SUZHOU, ItemQuery(), "main")
        finally:
            await store.aclose()

    assert asyncio.run(bare()) == b""
