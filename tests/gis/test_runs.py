"""A run from the store through a service back to the store."""

import asyncio
import dataclasses
import datetime as dt
import json

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import sqlalchemy as sa
from geopandas.testing import assert_geodataframe_equal

from gis.contract.profile import CityProfile
from gis.contract.service import Context, service
from gis.contract.text import Text
from gis.errors import InvalidParams, NotFound
from gis.runs import Shelf, execute
from gis.store import cities, items, results, tiles
from gis.store.frames import read_frame
from gis.store.query import ItemQuery
from gis.store.relations import result_relation
from gis.store.result_tables import result_table
from gis.store.tables import RUNS
from tests.support.mvt import decode
from tests.support.rows import fill

START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
COLUMNS = ("name", "incidents_count", "share", "first_at", "last_on", "has_many")


def incident(i, geom="POINT(120.6 31.3)"):
    at = START + dt.timedelta(hours=i)
    return {"geom": geom, "occurred_at": at, "category": "theft", "origin": "import", "location_withheld": geom is None}


@pytest.fixture
def incidents(store, city):
    return fill(store, city, "incidents", [incident(i, f"POINT({120.6 + (i // 3) / 50} 31.3)") for i in range(10)])


def the_only_run(store, city):
    (run,) = results.list_(store, city)
    return run


@pytest.mark.usefixtures("incidents")
def test_a_result_comes_back_as_the_service_gave_it(store, city, cell_counts):
    run_id = execute(store, city, "cell_counts", {"cell_m": 700})
    frame = read_frame(store, city, "incidents")
    direct = cell_counts.run(
        {"incidents": frame, "grids": None}, cell_counts.parse({"cell_m": 700}), Context(city.profile)
    )
    kept = results.read(store, city, run_id)
    assert list(kept.features.index) == [1, 2, 3, 4]
    assert_geodataframe_equal(
        kept.features, direct.features.set_axis(kept.features.index), check_dtype=False, check_less_precise=True
    )
    assert kept.features.dtypes[["first_at", "rank"]].astype(str).to_dict() == {
        "first_at": "datetime64[us, UTC]",
        "rank": "Int64",
    }
    assert kept.provenance.inputs == direct.provenance.inputs
    assert kept.provenance.period == direct.provenance.period
    assert kept.provenance.parameters == {"cell_m": 700, "steps": 1, "pause_s": 0.0, "fail": ""}
    assert kept.summary == {"cells_count": 4, "not_a_number": None, "has_grids": False}
    assert kept.profile == city.profile


@pytest.mark.usefixtures("incidents", "cell_counts")
def test_an_optional_frame_is_read_where_there_is_one(store, city):
    square = {"geom": "POLYGON((120 31, 121 31, 121 32, 120 32, 120 31))", "code": "g", "kind": "comprehensive"}
    fill(store, city, "grids", [{**square, "valid_from": dt.date(2020, 1, 1)}])
    execute(store, city, "cell_counts", {})
    run = the_only_run(store, city)
    assert run.summary["has_grids"] is True
    assert [entry["frame"] for entry in run.provenance["inputs"]] == ["incidents", "grids"]


@pytest.mark.usefixtures("cell_counts")
def test_a_needed_frame_that_is_empty_is_named(store, city):
    with pytest.raises(InvalidParams) as caught:
        execute(store, city, "cell_counts", {})
    assert [p.field for p in caught.value.problems] == ["incidents"]
    with pytest.raises(NotFound):
        execute(store, city, "person_scores", {})
    assert results.list_(store, city) == []


@pytest.mark.usefixtures("incidents", "cell_counts")
def test_progress_only_grows(store, city):
    seen = []
    execute(store, city, "cell_counts", {"steps": 4}, lambda share, message: seen.append((share, message)))
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert "step 2" in [message for _, message in seen]


@pytest.mark.usefixtures("incidents")
def test_a_result_is_served_like_a_frame(store, city, cell_counts):
    first = execute(store, city, "cell_counts", {"cell_m": 700})
    second = execute(store, city, "cell_counts", {"cell_m": 20_000})
    z, x, y = 8, 213, 104

    async def look(run_id, query):
        relation = result_relation(cell_counts, run_id)
        found = await items.page(store, city.scope, relation, COLUMNS, query)
        tile = await tiles.tile(store, city.scope, relation, COLUMNS, z, x, y, query, "cells")
        dots = await tiles.tile(store, city.scope, relation, COLUMNS, z, x, y, query, "cells", drawn="point", cap=0)
        return json.loads(found.features), decode(tile)["cells"], decode(dots)["cells"]

    async def all_looks():
        try:
            many = ItemQuery(equals={"has_many": (True,)})
            return [await look(first, ItemQuery()), await look(second, ItemQuery()), await look(first, many)]
        finally:
            await store.aclose()

    (fine, drawn, dots), (coarse, wide, _), (many, drawn_many, _) = asyncio.run(all_looks())
    assert [f["id"] for f in fine] == [1, 2, 3, 4]
    assert sum(f["properties"]["incidents_count"] for f in fine) == 10
    assert fine[0]["properties"]["first_at"] == "2024-01-01T00:00:00Z"
    assert fine[0]["properties"]["last_on"] == "2024-01-01"
    assert sorted(drawn.mvt_id) == [1, 2, 3, 4]
    assert drawn.incidents_count.sum() == 10
    assert dots["n"].sum() == 4
    assert [f["id"] for f in coarse] == sorted(wide.mvt_id) == [1, 2]
    assert wide.geometry.area.sum() > 100 * drawn.geometry.area.sum()
    assert len(many) == len(drawn_many) == 3


@pytest.mark.usefixtures("incidents")
def test_another_city_does_not_see_a_run(store, city, cell_counts):
    run_id = execute(store, city, "cell_counts", {})
    other = cities.create(store, CityProfile("other", Text("他城", "Other"), "EPSG:4549", "UTC"))

    async def look():
        try:
            return await items.page(store, other.scope, result_relation(cell_counts, run_id), COLUMNS, ItemQuery())
        finally:
            await store.aclose()

    assert asyncio.run(look()).returned == 0
    for call in (results.read, results.get, results.delete):
        with pytest.raises(NotFound):
            call(store, other, run_id)
    assert results.latest(store, other, "cell_counts") is None


def test_a_service_that_never_ran_has_no_features(store, city, cell_counts):
    async def look():
        try:
            await items.page(store, city.scope, result_relation(cell_counts, 1), COLUMNS, ItemQuery())
        finally:
            await store.aclose()

    with pytest.raises(NotFound):
        asyncio.run(look())
    assert results.latest(store, city, "cell_counts") is None
    with pytest.raises(NotFound):
        results.latest_id(store, city, "cell_counts")


@pytest.mark.usefixtures("incidents")
def test_the_latest_run_is_the_newest_that_is_left(store, city, cell_counts):
    first, second = (execute(store, city, "cell_counts", {"cell_m": m}) for m in (300, 400))
    assert results.latest(store, city, "cell_counts").id == second
    assert [run.id for run in results.list_(store, city, services=["cell_counts"])] == [second, first]
    assert results.list_(store, city, services=["hotspots"]) == []
    results.delete(store, city, second)
    assert results.latest_id(store, city, "cell_counts") == first
    table = result_table(cell_counts)
    with store.transaction(city.scope) as connection:
        left = connection.execute(sa.select(table.c.run_id).distinct()).scalars().all()
    assert left == [first]


@pytest.mark.usefixtures("incidents", "cell_counts")
def test_an_error_at_the_end_undoes_the_run(store, city):
    class Late(Exception):
        pass

    def refuse(*_):
        raise Late

    with pytest.raises(Late):
        execute(store, city, "cell_counts", {}, finish=refuse)
    with store.transaction(city.scope) as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(RUNS)) == 0


@pytest.mark.usefixtures("incidents", "cell_counts")
def test_an_output_that_changed_under_the_same_version_is_a_bug(store, city):
    run_id = execute(store, city, "cell_counts", {})
    with store.transaction(city.scope, as_owner=True) as connection:
        connection.execute(sa.schema.DDL("ALTER TABLE results.cell_counts_v1 DROP COLUMN rank"))
    with pytest.raises(RuntimeError, match="version"):
        execute(store, city, "cell_counts", {})
    assert results.latest_id(store, city, "cell_counts") == run_id


def test_an_empty_result_is_a_result(store, city, cell_counts):
    nothing = gpd.GeoDataFrame(
        {name: pd.Series(dtype="object") for name in cell_counts.output.names}, geometry=[], crs="EPSG:4326"
    )
    fill(store, city, "incidents", [incident(0)])
    run_id = execute(store, city, "cell_counts", {})
    result = results.read(store, city, run_id)
    empty = results.write(store, city, type(result)("cell_counts", nothing, {}, result.provenance, city.profile))
    assert results.read(store, city, empty).features.empty
    assert shapely.is_valid(result.features.geometry).all()


def test_hotspots_run_through_the_store_like_any_service(store, city):
    rows = [incident(i, f"POINT({120.6 + (i * 7 % 20) / 300} {31.3 + (i * 11 % 20) / 300})") for i in range(200)]
    fill(store, city, "incidents", [{**row, "origin": "public_report"} for row in rows])
    run_id = execute(store, city, "hotspots", {"lattice_m": 500})
    kept = results.read(store, city, run_id)
    assert results.latest_id(store, city, "hotspots") == run_id
    assert len(kept.features) > 0
    assert kept.provenance.n == 200
    service("hotspots").output.check(kept.features)


@pytest.mark.usefixtures("incidents")
def test_frames_are_read_once_while_they_are_current(store, city, cell_counts):
    shelf = Shelf()
    first = shelf.take(store, city, cell_counts)
    assert list(first) == ["incidents"]
    assert shelf.take(store, city, cell_counts)["incidents"] is first["incidents"]
    assert first["incidents"].metric.crs == city.profile.metric_crs
    fill(store, city, "incidents", [incident(11)])
    second = shelf.take(store, city, cell_counts)
    assert len(second["incidents"].metric) == len(first["incidents"].metric) + 1
    square = {"geom": "POLYGON((120 31, 121 31, 121 32, 120 32, 120 31))", "code": "g", "kind": "comprehensive"}
    fill(store, city, "grids", [{**square, "valid_from": dt.date(2020, 1, 1)}])
    assert list(shelf.take(store, city, cell_counts)) == ["incidents", "grids"]


@pytest.mark.usefixtures("incidents")
def test_a_shelf_keeps_no_more_than_it_has_room_for(store, city, cell_counts):
    square = {"geom": "POLYGON((120 31, 121 31, 121 32, 120 32, 120 31))", "code": "g", "kind": "comprehensive"}
    fill(store, city, "grids", [{**square, "valid_from": dt.date(2020, 1, 1)}])
    for most_rows, kept in ((11, True), (10, False)):
        shelf = Shelf(most_rows)
        first, second = (shelf.take(store, city, cell_counts) for _ in range(2))
        assert (first["incidents"] is second["incidents"]) is kept


@pytest.mark.usefixtures("incidents")
def test_what_a_computation_does_to_its_frame_the_next_one_never_sees(store, city, cell_counts):
    frames = Shelf().take(store, city, cell_counts)
    before = frames["incidents"].metric.copy(deep=True)

    def spoil(params, context, *, incidents, grids):
        findings = cell_counts.compute(params, context, incidents=incidents, grids=grids)
        incidents["category"] = "spoiled"
        incidents.loc[incidents.index[0], "origin"] = "spoiled"
        del incidents["occurred_at"]
        return findings

    spoiler = dataclasses.replace(cell_counts, compute=spoil)
    spoiler.run_prepared(frames, spoiler.parse({}), Context(city.profile))
    assert_geodataframe_equal(frames["incidents"].metric, before)


@pytest.mark.usefixtures("incidents", "cell_counts")
def test_the_latest_runs_of_all_services_at_once(store, city):
    assert results.latest_ids(store, city) == {}
    execute(store, city, "cell_counts", {})
    newest = execute(store, city, "cell_counts", {"cell_m": 700})
    other = execute(store, city, "hotspots", {"lattice_m": 100})
    assert results.latest_ids(store, city)["hotspots"] == other
    assert results.latest_id(store, city, "cell_counts") == newest
