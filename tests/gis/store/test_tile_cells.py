"""Points counted by cells of tiles beforehand, against tiles counted at once and against the places themselves."""

import asyncio
import datetime as dt
import itertools
from collections import Counter

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.store import cities, tile_points, tiles
from gis.store.engine import Scope
from gis.store.query import ItemQuery
from gis.store.relations import frame_relation
from gis.store.tables import AREAS, COUNTED_FRAMES, COUNTED_ZOOM, FRAME_TABLES, TILE_CELLS
from tests.support.mvt import decode, inside
from tests.support.rows import fill

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
COLUMNS = ("category",)
INCIDENTS = FRAME_TABLES["incidents"]
TO_METRES = Transformer.from_crs(4326, 3857, always_xy=True)
WORLD = 20037508.342789244
WEST, SOUTH, EAST, NORTH = 120.5, 31.2, 120.9, 31.5

NUMBERS = itertools.count()

place = st.tuples(st.floats(WEST, EAST), st.floats(SOUTH, NORTH)) | st.sampled_from([(120.7, 31.3), (120.70001, 31.3)])
places = st.lists(place, min_size=1, max_size=12)


def incident(place, hours=0):
    return {
        "geom": None if place is None else f"POINT({place[0]} {place[1]})",
        "occurred_at": START + dt.timedelta(hours=hours),
        "category": "theft",
        "origin": "import",
        "location_withheld": place is None,
    }


def scattered(count, seed=1):
    """Return places, half of them in a heap."""
    rng = np.random.default_rng(seed)
    wide = rng.uniform((WEST, SOUTH), (EAST, NORTH), (count - count // 2, 2))
    return np.vstack([wide, rng.normal((120.62, 31.31), 0.004, (count // 2, 2))])


def cells_of(places, zoom):
    """Return how many places each cell (x, y, cell) of a zoom holds, by arithmetic of our own."""
    x, y = TO_METRES.transform(*np.asarray(places, dtype=float).reshape(-1, 2).T)
    column = np.floor((np.asarray(x) + WORLD) / (2 * WORLD) * 2 ** (zoom + 6)).astype(int)
    row = np.floor((WORLD - np.asarray(y)) / (2 * WORLD) * 2 ** (zoom + 6)).astype(int)
    return Counter(zip(column // 64, row // 64, row % 64 * 64 + column % 64, strict=True))


def counted(store, city, frame="incidents"):
    """Return zoom -> what the table says."""
    query = sa.select(TILE_CELLS).where(TILE_CELLS.c.city_id == city.id, TILE_CELLS.c.frame == frame)
    found = {zoom: Counter() for zoom in range(COUNTED_ZOOM + 1)}
    with store.transaction(city.scope, read_only=True) as connection:
        for row in connection.execute(query):
            found[row.zoom][row.x, row.y, row.cell] += row.n
    return found


def change(store, city, statement):
    with store.transaction(city.scope) as connection:
        connection.execute(statement)


def draw(store, scope, addresses, *, query=None, cap=0, relation=None):
    """Return tiles at addresses (z, x, y)."""

    async def all_of_them():
        try:
            return [
                await tiles.tile(
                    store,
                    scope,
                    relation or frame_relation("incidents"),
                    COLUMNS,
                    *at,
                    query or ItemQuery(),
                    "main",
                    cap=cap,
                )
                for at in addresses
            ]
        finally:
            await store.aclose()

    return [decode(tile).get("main") for tile in asyncio.run(all_of_them())]


def addresses(places, zoom):
    """Return the tiles of a zoom in which places lie."""
    return sorted({(zoom, int(x), int(y)) for x, y, _ in cells_of(places, zoom)})


def total(drawn):
    points = [inside(tile) for tile in drawn if tile is not None]
    return sum(int(p["n"].fillna(1).sum()) if "n" in p else len(p) for p in points)


def at_once(store, city, monkeypatch, where, **options):
    """Return the same tiles without what has been counted beforehand."""
    with monkeypatch.context() as patch:
        patch.setattr(tile_points, "known_statement", lambda *_: None)
        return draw(store, city.scope, where, **options)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(places, place, st.integers(1, 5), st.integers(2, 5)), min_size=1, max_size=4))
def test_any_changes_leave_the_counts_of_the_places(store, steps):
    name = f"c{next(NUMBERS)}"
    city = cities.create(store, CityProfile(name, Text("城", "City"), "EPSG:4549", "UTC"))
    here = {}
    for added, to, moving, going in steps:
        here |= zip(fill(store, city, "incidents", map(incident, added)), added, strict=True)
        moved, gone = sorted(here)[::moving], sorted(here)[::going]
        shape = sa.func.ST_SetSRID(sa.func.ST_MakePoint(*to), 4326)
        change(store, city, INCIDENTS.update().where(INCIDENTS.c.id.in_(moved)).values(geom=shape))
        change(store, city, INCIDENTS.delete().where(INCIDENTS.c.id.in_(gone)))
        here |= dict.fromkeys(moved, to)
        here = {key: at for key, at in here.items() if key not in gone}
    found = counted(store, city)
    assert found == {zoom: cells_of(list(here.values()), zoom) for zoom in found}
    cities.remove(store, name)
    with store.transaction(city.scope, read_only=True) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(TILE_CELLS)) == 0


def test_a_row_without_a_place_and_a_change_of_words_count_nothing(store, city):
    keys = fill(store, city, "incidents", [incident((120.7, 31.3)), incident(None)])
    before = counted(store, city)
    change(store, city, INCIDENTS.update().values(category="noise"))
    assert counted(store, city) == before
    assert all(sum(cells.values()) == 1 for cells in before.values())
    change(store, city, INCIDENTS.update().where(INCIDENTS.c.id == keys[0]).values(geom=None))
    assert all(not cells for cells in counted(store, city).values())


@pytest.mark.parametrize("zoom", [0, 5, 6, 9, 12, 13, 14])
def test_a_counted_tile_is_the_tile_counted_at_once(store, city, zoom, monkeypatch):
    here = scattered(600)
    fill(store, city, "incidents", [incident(place, hours) for hours, place in enumerate(here)])
    where = addresses(here, zoom)[:40]
    for mine, theirs in zip(draw(store, city.scope, where), at_once(store, city, monkeypatch, where), strict=True):
        assert mine.columns.tolist() == theirs.columns.tolist()
        ours, other = (sorted(map(str, tile.itertuples(index=False))) for tile in (mine, theirs))
        assert ours == other


def test_all_tiles_of_each_zoom_hold_every_row_once(store, city):
    here = scattered(500, seed=4)
    fill(store, city, "incidents", [incident(place) for place in here])
    for zoom in (0, 3, 5, 6, 8, 11, 12, 13):
        for cap in (0, 40):  # with 40, crowds lie beside tiles that are drawn one by one
            assert total(draw(store, city.scope, addresses(here, zoom), cap=cap)) == len(here), (zoom, cap)


def test_counts_of_everything_answer_nothing_narrower(store, city):
    here = scattered(300, seed=2)
    fill(store, city, "incidents", [incident(place, hours) for hours, place in enumerate(here)])
    where = addresses(here, 8)
    late = START + dt.timedelta(hours=200)
    assert total(draw(store, Scope(city.id, late), where)) == 100
    assert total(draw(store, city.scope, where, query=ItemQuery(interval=(late, None)))) == 100
    assert total(draw(store, city.scope, where, query=ItemQuery(equals={"category": ("noise",)}))) == 0


def test_an_area_is_counted_by_itself(store, city):
    here = scattered(200, seed=3)
    keys = fill(store, city, "incidents", [incident(place) for place in here])
    with store.transaction(city.scope) as connection:
        first, second = (
            connection.scalar(AREAS.insert().values(city_id=city.id, level="district", code=code).returning(AREAS.c.id))
            for code in ("320501", "320502")
        )
        for area, mine in ((first, keys[:120]), (second, keys[120:150])):
            connection.execute(INCIDENTS.update().where(INCIDENTS.c.id.in_(mine)).values(area_id=area))
    for areas, expected in (((first,), 120), ((second,), 30), ((first, second), 150), (None, 200), ((), 0)):
        scope = Scope(city.id, areas=areas)
        for zoom in (3, 8, 12, 13):
            assert total(draw(store, scope, addresses(here, zoom))) == expected
        with store.transaction(scope, read_only=True) as connection:
            # Row-level security holds without any predicate of ours.
            rows = sa.select(sa.func.coalesce(sa.func.sum(TILE_CELLS.c.n), 0)).where(TILE_CELLS.c.zoom == 0)
            assert connection.scalar(rows) == expected


def test_every_counted_frame_is_counted(store, city):
    place = {"geom": "POINT(120.7 31.3)"}
    rows = {
        "incidents": incident((120.7, 31.3)),
        "rentals": {**place, "kind": "flat"},
        "key_units": {**place, "kind": "school"},
    }
    assert set(rows) == set(COUNTED_FRAMES)
    for frame, row in rows.items():
        fill(store, city, frame, [row])
        assert all(sum(cells.values()) == 1 for cells in counted(store, city, frame).values())
    with store.transaction(city.scope, as_owner=True) as connection:
        connection.exec_driver_sql("TRUNCATE city.rentals")
    assert all(not cells for cells in counted(store, city, "rentals").values())
    assert all(cells for cells in counted(store, city, "key_units").values())
