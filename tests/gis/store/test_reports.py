"""Reports of the public and single edits in a city of areas: a desk has its own areas to do with, and no others."""

import datetime as dt
from dataclasses import replace

import pytest
import shapely
import sqlalchemy as sa

from gis.errors import Conflict, Forbidden, NotFound
from gis.files.feature import Row
from gis.store import placing, reports, writes
from gis.store.relations import frame_relation
from gis.store.reports import Report
from gis.store.tables import AREAS, FRAME_TABLES, REPORTS
from tests.support.rows import fill

WEST, EAST = (120.605, 31.285), (120.615, 31.285)
NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def desks(store, city):
    """The desks of two districts, one beside the other."""
    squares = {"w": (120.60, 120.61), "e": (120.61, 120.62)}
    rows = [{"code": code, "geom": shapely.box(low, 31.28, high, 31.29).wkt} for code, (low, high) in squares.items()]
    fill(store, city, "districts", rows)
    with store.transaction(city.scope) as connection:
        placing.place(connection, city.id, ["districts"])
        areas = dict(connection.execute(sa.select(AREAS.c.code, AREAS.c.id)).all())
    return {code: replace(city, areas=(area,)) for code, area in areas.items()}


def any_version(version):
    assert version > 0


def report(place, **more):
    return Report(**{"category": "noise", "seen_at": NOW, "place": place, **more})


def test_a_desk_decides_on_what_was_reported_in_its_area(store, city, desks):
    reports.add(store, city, report(WEST))
    reports.add(store, city, report(EAST))
    outside = reports.add(store, city, report((120.605, 31.30)))
    (west,), (east,) = reports.listed(store, desks["w"]), reports.listed(store, desks["e"])
    assert (west.place, east.place) == (pytest.approx(WEST), pytest.approx(EAST))
    assert len(reports.listed(store, city)) == 3
    with pytest.raises(NotFound):
        reports.accept(store, desks["e"], west.id, account_id=None)
    with pytest.raises(NotFound):
        reports.reject(store, desks["e"], west.id, "duplicate", account_id=None)
    key = reports.accept(store, desks["w"], west.id, account_id=None)
    table = FRAME_TABLES["incidents"]
    with store.transaction(desks["w"].scope, read_only=True) as connection:
        assert list(connection.scalars(sa.select(table.c.id))) == [key]
    with store.transaction(desks["e"].scope, read_only=True) as connection:
        assert list(connection.scalars(sa.select(table.c.id))) == []
        assert list(connection.scalars(sa.select(REPORTS.c.id))) == [east.id]
    # Whoever holds a token is told, wherever the matter lies and whoever they are besides.
    (told,) = reports.standings(store, desks["e"], [reports.request_name(outside)])
    assert told.state == "waiting"


def test_of_two_desks_that_decide_at_once_one_does(store, city):
    reports.add(store, city, report(WEST))
    (waiting,) = reports.listed(store, city)
    reports.reject(store, city, waiting.id, "not_clear", account_id=None)
    with pytest.raises(Conflict):
        reports.accept(store, city, waiting.id, account_id=None)


def test_new_areas_take_the_waiting_reports_with_them(store, city):
    reports.add(store, city, report(WEST))
    fill(store, city, "districts", [{"code": "w", "geom": shapely.box(120.60, 31.28, 120.61, 31.29).wkt}])
    with store.transaction(city.scope) as connection:
        assert connection.scalar(sa.select(REPORTS.c.area_id)) is None
        placing.place(connection, city.id, ["districts"])
        assert connection.scalar(sa.select(REPORTS.c.area_id)) == connection.scalar(sa.select(AREAS.c.id))


def test_a_writer_writes_in_the_own_area_alone(store, desks):
    posts, here = frame_relation("posts"), desks["w"].scope
    inside = Row({"kind": "police_post"}, shapely.Point(*WEST))
    beyond = Row({"kind": "police_post"}, shapely.Point(*EAST))
    key = writes.create(store, here, posts, inside).key
    other = writes.create(store, desks["e"].scope, posts, beyond).key
    with pytest.raises(Forbidden):
        writes.create(store, here, posts, beyond)
    # Nor moves one out of it, nor touches what lies beyond.
    free = {"check": any_version}
    with pytest.raises(Forbidden):
        writes.change(store, here, posts, key, merge=lambda before: Row(before.values, beyond.geometry), **free)
    with pytest.raises(NotFound):
        writes.change(store, here, posts, other, merge=lambda before: before, **free)
    with pytest.raises(NotFound):
        writes.remove(store, here, posts, other, **free)
    table = FRAME_TABLES["posts"]
    with store.transaction(here, read_only=True) as connection:
        assert list(connection.scalars(sa.select(table.c.id))) == [key]
