"""A scope of some areas: which area a row is in, what is read, what is written, and what stays when areas change."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import threading

import hypothesis.strategies as st
import pytest
import shapely
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from gis.city import FRAMES
from gis.errors import Forbidden, NotFound
from gis.files.feature import Row
from gis.store import cities, export, frames, items, placing, policies, tiles, writes
from gis.store.engine import NO_CITY
from gis.store.items import Extent
from gis.store.query import ItemQuery
from gis.store.relations import frame_relation
from gis.store.tables import AREAS, FRAME_TABLES, IMPORT_BATCHES
from tests.support import area_city
from tests.support.asking import ask
from tests.support.rows import fill


def source_ids(store, city, frame_id):
    return sorted(frames.read_frame(store, city, frame_id)["source_id"])


def where(store, city, frame_id):
    """Return the area of each row by its source's number, as the database has it."""
    table = FRAME_TABLES[frame_id]
    name = AREAS.c.level.concat(":").concat(AREAS.c.code)
    query = sa.select(table.c.source_id, name).outerjoin(AREAS, AREAS.c.id == table.c.area_id)
    with store.transaction(city.scope, read_only=True) as connection:
        return dict(connection.execute(query).all())


def test_every_row_is_in_the_smallest_area_that_covers_its_middle(store, whole):
    """Held against shapely, which is told the areas and nothing else."""
    shapes = {
        f"{level}:{row.code}": row.geometry
        for level, frame in placing.AREA_FRAMES.items()
        for row in frames.read_frame(store, whole, frame).itertuples()
    }
    finest = [name for level in ("community", "street", "district") for name in shapes if name.startswith(level)]
    seen = 0
    for frame_id in FRAMES:
        found = where(store, whole, frame_id)
        for row in frames.read_frame(store, whole, frame_id).itertuples():
            if frame_id in placing.AREA_FRAMES.values():
                level = next(name for name, frame in placing.AREA_FRAMES.items() if frame == frame_id)
                expected = f"{level}:{row.code}"
            elif row.geometry is None:
                expected = f"community:{row.grid_code.rsplit('-', 1)[0]}"
            else:
                middle = row.geometry.point_on_surface()
                expected = next((name for name in finest if shapes[name].covers(middle)), None)
            assert found[row.source_id] == expected, (frame_id, row.source_id)
            seen += 1
    assert seen == 12 * 12 * 8 + 2 + 4 + 8


def test_areas_belong_to_what_their_codes_say_or_else_to_where_they_lie(store, city):
    fill(store, city, "districts", [{"code": "D", "geom": area_city.box(0, 0, 4, 2)}])
    fill(
        store,
        city,
        "streets",
        [
            {"code": "S1", "district_code": "D", "geom": area_city.box(9, 9, 10, 10)},  # says so, wherever it lies
            {"code": "S2", "district_code": None, "geom": area_city.box(1, 0, 2, 2)},
            {"code": "S3", "district_code": "gone", "geom": area_city.box(7, 0, 8, 2)},
        ],
    )
    fill(store, city, "communities", [{"code": "C", "street_code": None, "geom": area_city.box(0, 0, 1, 1)}])
    with store.transaction(city.scope) as connection:
        placing.place(connection, city.id, ["streets"])
        upper = AREAS.alias("upper")
        query = sa.select(AREAS.c.code, upper.c.code).outerjoin(upper, upper.c.id == AREAS.c.parent_id)
        belongs = dict(connection.execute(query).all())
    assert belongs == {"D": None, "S1": "D", "S2": "D", "S3": None, "C": "D"}


def test_new_areas_move_the_rows_and_the_versions_of_what_moved(store, whole):
    before = frames_versions(store, whole)
    with store.transaction(whole.scope) as connection:
        placing.place(connection, whole.id, ["districts"])
    assert frames_versions(store, whole) == before, "nothing moved"
    first = area_city.narrow(store, whole, "district:WEST")
    kept = source_ids(store, first, "posts")
    table = FRAME_TABLES["communities"]
    with store.transaction(whole.scope) as connection:
        # One community of the west is dissolved: its rows fall back to the street.
        connection.execute(table.delete().where(table.c.code == "WEST-S0-C0"))
        placing.place(connection, whole.id, ["communities"])
    assert where(store, whole, "posts")["WEST-posts-WEST-S0-C0-0"] == "street:WEST-S0"
    assert source_ids(store, area_city.narrow(store, whole, "district:WEST"), "posts") == kept
    after = frames_versions(store, whole)
    assert after["posts"] > before["posts"]
    assert after["incidents"] > before["incidents"]
    assert after["districts"] == before["districts"]
    with store.transaction(whole.scope, read_only=True) as connection:
        assert connection.scalar(sa.select(AREAS.c.id).where(AREAS.c.code == "WEST-S0-C0")) is None


def frames_versions(store, city):
    with store.transaction(city.scope, read_only=True) as connection:
        return frames.versions(connection, city.id, FRAMES)


def test_an_incident_without_a_place_follows_its_grid(store, whole):
    withheld = "WEST-incidents-WEST-S0-C0-0"
    assert where(store, whole, "incidents")[withheld] == "community:WEST-S0-C0"
    grids = FRAME_TABLES["grids"]
    with store.transaction(whole.scope) as connection:
        east = f"SRID=4326;{area_city.box(3.1, 1.1, 3.2, 1.2)}"
        connection.execute(grids.update().where(grids.c.code == "WEST-S0-C0-grids0").values(geom=east))
        placing.place(connection, whole.id, ["grids"])
    assert where(store, whole, "incidents")[withheld] == "community:EAST-S3-C1"


@pytest.mark.asvs("8.2.2", "16.5.3")
def test_without_a_scope_nothing_is_seen_and_nothing_is_written(store, whole):
    with store.engine.begin() as connection:
        connection.exec_driver_sql("SELECT set_config('role', 'wangge_app', true)")
        for table in policies.RULES:
            count = connection.exec_driver_sql(f'SELECT count(*) FROM city."{table}"').scalar()  # the set is ours
            assert count == 0, table
        # A setting that was set once in a connection stays there as an empty text.
        connection.exec_driver_sql("SELECT set_config('wangge.city', '', true), set_config('wangge.areas', '', true)")
        assert connection.exec_driver_sql("SELECT count(*) FROM city.posts").scalar() == 0
        connection.exec_driver_sql("SELECT set_config('wangge.city', %s, true)", (str(whole.id),))
        assert connection.exec_driver_sql("SELECT count(*) FROM city.posts").scalar() == 0, "a city, and no areas"
        assert connection.exec_driver_sql("UPDATE city.posts SET source = 'x'").rowcount == 0
    with store.transaction(NO_CITY, read_only=True) as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM city.posts").scalar() == 0


@pytest.mark.asvs("8.4.1")
def test_another_city_is_not_seen_whatever_its_areas_are_called(store, whole):
    other = cities.create(store, dataclasses.replace(whole.profile, slug="other"))
    area_city.populate(store, other, rows=2)
    assert len(source_ids(store, other, "posts")) == 16
    with store.transaction(whole.scope, read_only=True) as connection:
        table = FRAME_TABLES["posts"]
        assert connection.scalar(sa.select(sa.func.count()).where(table.c.city_id == other.id)) == 0
        assert connection.scalar(sa.select(sa.func.count()).select_from(table)) == 96


@pytest.mark.asvs("8.2.2", "8.4.1")
@pytest.mark.parametrize("name", ["district:WEST", "street:EAST-S3", "community:WEST-S1-C1"])
def test_writes_outside_the_area_are_refused(store, whole, name):
    mine, inside = area_city.narrow(store, whole, name), area_city.cells(name)
    table = FRAME_TABLES["posts"]
    hidden = (area_city.cells("district:WEST") | area_city.cells("district:EAST")) - inside
    outside = area_city.community_of(min(hidden))
    with store.transaction(whole.scope, read_only=True) as connection:
        foreign = connection.scalar(
            sa.select(table.c.id).where(table.c.source_id == f"{outside[:4]}-posts-{outside}-1")
        )
        batch = connection.scalar(sa.select(sa.func.min(IMPORT_BATCHES.c.id)))
        far = connection.scalar(sa.select(table.c.area_id).where(table.c.id == foreign))
    with store.transaction(mine.scope) as connection:
        assert connection.execute(table.update().where(table.c.id == foreign).values(kind="x")).rowcount == 0
        assert connection.execute(table.delete().where(table.c.id == foreign)).rowcount == 0
    row = {"city_id": mine.id, "source": "x", "source_id": "x", "kind": "other", "batch_id": batch}
    for area in (far, None):
        with (
            pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
            store.transaction(mine.scope) as connection,
        ):
            connection.execute(table.insert().values(**row, area_id=area, geom="SRID=4326;POINT(120.6 31.3)"))
    own = sa.select(sa.func.min(table.c.id)).scalar_subquery()
    with (
        pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
        store.transaction(mine.scope) as connection,
    ):
        connection.execute(table.update().where(table.c.id == own).values(area_id=far))


def test_features_are_edited_inside_the_area_and_nowhere_else(store, whole):
    mine, posts = area_city.narrow(store, whole, "district:WEST"), frame_relation("posts")
    x, y = area_city.WEST + 1.5 * area_city.SIDE, area_city.SOUTH + 0.5 * area_city.SIDE
    row = Row({"kind": "other", "name_zh": "新岗亭", "name_en": None, "positions_count": 2}, shapely.Point(x, y))
    written = writes.create(store, mine.scope, posts, row)
    assert json.loads(ask(store, items.item(store, mine.scope, posts, ("name_zh",), written.key)).feature)
    over = shapely.Point(x + 2 * area_city.SIDE, y)
    with pytest.raises(Forbidden):
        writes.create(store, mine.scope, posts, Row(row.values, over))
    with pytest.raises(Forbidden):
        writes.create(store, mine.scope, posts, Row(row.values, shapely.Point(x, y + 9 * area_city.SIDE)))
    with pytest.raises(Forbidden):
        writes.change(
            store, mine.scope, posts, written.key, merge=lambda had: Row(had.values, over), check=lambda _: None
        )
    other = area_city.narrow(store, whole, "district:EAST")
    with pytest.raises(NotFound):
        writes.remove(store, other.scope, posts, written.key, check=lambda _: None)
    writes.remove(store, mine.scope, posts, written.key, check=lambda _: None)


def test_a_pooled_connection_never_carries_a_scope(store, whole):
    """Many threads share eight connections; each sees its own areas, whatever the last one there saw."""
    scopes = {name: area_city.narrow(store, whole, name).scope for name in area_city.TITLES} | {"whole": whole.scope}
    expected = {name: 12 * len(area_city.cells(name)) if name != "whole" else 96 for name in scopes}
    wrong: list[object] = []

    def look(name: str) -> None:
        for read_only in (True, False, True):
            with store.transaction(scopes[name], read_only=read_only) as connection:
                found = connection.exec_driver_sql("SELECT count(*) FROM city.posts").scalar()
            if found != expected[name]:
                wrong.append((name, found))

    threads = [threading.Thread(target=look, args=(name,)) for name in scopes for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def all_at_once():
        async def count(name):
            async with store.reading(scopes[name]) as connection:
                return name, await connection.fetchval("SELECT count(*) FROM city.posts")

        async def value(name):
            return name, await store.value(scopes[name], "SELECT count(*) FROM city.posts", ())

        asked = (ask(name) for name in [*scopes] * 3 for ask in (count, value))
        found = await asyncio.gather(*asked)
        await store.aclose()
        return [entry for entry in found if entry[1] != expected[entry[0]]]

    assert wrong == []
    assert asyncio.run(all_at_once()) == []


@st.composite
def questions(draw):
    """A frame, some areas, a box and a filter."""
    frame_id = draw(st.sampled_from(sorted(FRAMES)))
    names = draw(st.lists(st.sampled_from(area_city.TITLES), min_size=1, max_size=3, unique=True))
    corner = st.floats(-0.5, 4.5, allow_nan=False)
    a, b, c, d = (draw(corner) for _ in range(4))
    west, east = sorted((area_city.WEST + area_city.SIDE * a, area_city.WEST + area_city.SIDE * b))
    south, north = sorted((area_city.SOUTH + area_city.SIDE * c, area_city.SOUTH + area_city.SIDE * d))
    bbox = draw(st.sampled_from([None, (west, south, east, north)]))
    return frame_id, names, bbox


@pytest.fixture(scope="module")
def shared(cluster, template):
    """A store and the city with two districts, for tests that only read."""
    from gis.contract.profile import CityProfile
    from gis.contract.text import Text
    from gis.store.engine import Store
    from tests.support.databases import fresh_database

    with fresh_database(cluster, template) as url:
        store = Store(url)
        profile = CityProfile("test", Text("试验城", "Test City"), "EPSG:4549", "Asia/Shanghai")
        city = cities.create(store, profile)
        area_city.populate(store, city)
        yield store, city
        store.close()


@given(question=questions())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_predicate_alone_the_policy_alone_and_both_say_the_same(shared, question):
    """Differential: each reading of the store as the owner, without the predicate, and as it is."""
    store, city = shared
    frame_id, names, bbox = question
    mine = area_city.narrow(store, city, *names)
    query = ItemQuery(bbox=bbox, limit=1000)
    columns = tuple(FRAMES[frame_id].names)
    inside = set().union(*(area_city.cells(name) for name in names))

    def readings():
        relation = frame_relation(frame_id)

        async def look():
            try:
                page = await items.page(store, mine.scope, relation, columns, query)
                extent = await items.extent(store, mine.scope, relation)
                z, x, y = 12, 3420, 1665
                tile = await tiles.tile(store, mine.scope, relation, columns, z, x, y, query, "t")
                cells = await tiles.tile(
                    store, mine.scope, relation, columns, z, x, y, query, "t", drawn="point", cap=0
                )
            finally:
                await store.aclose()
            return page.features, page.matched, extent, tile, cells

        with export.matching(store, mine, relation, columns, query) as rows:
            exported = [part["source_id"].tolist() for part in rows.chunks]
        frame = frames.read_frame(store, mine, frame_id)
        return (*asyncio.run(look()), exported, frame.to_wkt().to_csv())

    both = readings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gis.store.engine.APP_ROLE", "none")
        patch.setattr("gis.store.engine.READING_ROLE", "none")
        by_predicate = readings()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gis.store.relations._narrowed", lambda source, **_: source)
        patch.setattr("gis.store.frames.within_areas", lambda *_: [])
        by_policy = readings()
    assert by_predicate == both
    assert by_policy == both
    ids = {feature["properties"]["source_id"] for feature in json.loads(both[0])}
    if frame_id not in placing.AREA_FRAMES.values():
        assert {id_.rsplit("-", 1)[0].split("-", 2)[2] for id_ in ids} <= {area_city.community_of(c) for c in inside}
        assert bbox or len(ids) == 12 * len(inside)


def test_whoever_covers_nothing_sees_nothing(store, whole):
    nobody = dataclasses.replace(whole, areas=())
    assert source_ids(store, nobody, "incidents") == []
    assert frames.last_event_at(store, nobody) is None
    extent = ask(store, items.extent(store, nobody.scope, frame_relation("grids")))
    assert extent == Extent(None, None, 0)
