"""Nobody gets a row, a tile, a count, a file or an error text from outside their areas, at any address.

The oracle reads everything as a superuser and filters in Python, by names that the rows brought along.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import hypothesis.strategies as st
import pytest
import shapely
from hypothesis import HealthCheck, given, settings

from api.matrix import LINES, WHOLE_CITY
from gis.contract.service import services
from gis.store import cities, jobs
from gis.store.engine import Store
from layers.engine.catalog import catalog
from layers.engine.layer import FrameSource, Layer
from tests.api.conftest import Client
from tests.support import area_city, mvt
from tests.support.area_desks import House, opened, profile, seen_by, text_of
from tests.support.databases import fresh_database

ROLES = ("officer", "analyst", "supervisor", "planner")
SEEING = ("supervisor", "analyst", "officer")
Z = 12


def tile_of(z: int) -> tuple[int, int, int]:
    """Return the tile of the city's middle."""
    lon, lat = area_city.WEST + 2 * area_city.SIDE, math.radians(area_city.SOUTH + area_city.SIDE)
    n = 2**z
    return z, int((lon + 180) / 360 * n), int((1 - math.asinh(math.tan(lat)) / math.pi) / 2 * n)


@pytest.fixture(scope="module")
def house(cluster, template) -> Iterator[House]:
    with opened(cluster, template) as house:
        yield house


@pytest.fixture(scope="module")
def desk(house) -> Iterator[Any]:
    """Ask the server as a desk of some areas."""
    client = Client(house.store, requests_per_s=1e6, requests_burst=1_000_000)

    def ask(role, areas, path, *, method="GET", headers=None, **more):
        said = {**house.headers(role, tuple(areas)), **(headers or {})}
        return client(method, path, role="public", headers=said, **more)

    yield ask
    client.close()


@pytest.fixture(scope="module")
def everything(house) -> dict[str, list[dict[str, Any]]]:
    """All rows of all frames."""
    return {of.source.frame: house.rows(of.source.frame) for of in frame_layers()}


def frame_layers() -> list[Layer]:
    return [of for of in catalog().values() if isinstance(of.source, FrameSource)]


def hidden_words(areas: tuple[str, ...]) -> list[str]:
    """Return what must not be said to a desk of these areas: codes of all communities beside them."""
    covered = set().union(*(area_city.cells(name) for name in areas))
    beside = {cell for name in ("district:WEST", "district:EAST") for cell in area_city.cells(name)} - covered
    districts = {area_city.district_of(cell) for cell in beside} - {area_city.district_of(cell) for cell in covered}
    return sorted({area_city.community_of(cell) for cell in beside} | districts)


areas_asked = st.lists(st.sampled_from(area_city.TITLES), max_size=2, unique=True).map(tuple)
boxes = st.tuples(*[st.floats(-0.3, 4.3)] * 4).map(
    lambda t: (
        area_city.WEST + area_city.SIDE * min(t[0], t[1]),
        area_city.SOUTH + area_city.SIDE * min(t[2], t[3]),
        area_city.WEST + area_city.SIDE * max(t[0], t[1]),
        area_city.SOUTH + area_city.SIDE * max(t[2], t[3]),
    )
)


@pytest.mark.asvs("8.2.2")
@given(
    asked=st.tuples(
        st.sampled_from(ROLES), areas_asked, st.sampled_from([of.id for of in frame_layers()]), st.none() | boxes
    )
)
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_scope_oracle(desk, everything, asked):
    role, areas, layer, box = asked
    of = catalog()[layer]
    if role not in of.roles:
        a, b = (desk(role, areas, f"/collections/{name}") for name in (layer, "no_such_layer"))
        assert a.status_code == b.status_code == 404
        return
    rows = seen_by(of.source.frame, everything[of.source.frame], areas, role)
    shapes = {row["id"]: row["wkt"] and shapely.from_wkt(row["wkt"]) for row in rows}
    inside = {
        key
        for key, shape in shapes.items()
        if box is None or (shape is not None and shape.intersects(shapely.box(*box)))
    }
    path = f"/collections/{layer}/items?limit=1000" + ("" if box is None else f"&bbox={','.join(map(repr, box))}")
    answer = desk(role, areas, path)
    page = answer.json()
    assert {feature["id"] for feature in page["features"]} == inside
    assert page["numberMatched"] == page["numberReturned"] == len(inside)
    html = desk(role, areas, path + "&f=html")
    _silent(areas, answer, html)
    ask, placed = partial(desk, role, areas), [shape for shape in shapes.values() if shape is not None]
    # Where lines are drawn, a halt is none.
    drawn = placed if of.geometry == "point" else [shape for shape in placed if shapely.get_dimensions(shape) > 0]
    _check_tile(ask, of, drawn, areas)
    _check_extent(ask, of, placed)
    _check_single(ask, of, everything[of.source.frame], set(shapes), areas)
    if role == "analyst" and not of.masked:
        _check_export(desk, areas, of, inside, box)


def _silent(areas, *answers) -> None:
    if not areas:
        return
    for answer in answers:
        text = text_of(answer)
        assert not [word for word in hidden_words(areas) if word in text], answer.request.url


def _check_tile(ask, of, expected, areas) -> None:
    z, x, y = tile_of(Z)
    answer = ask(f"/collections/{of.id}/tiles/WebMercatorQuad/{z}/{y}/{x}")
    assert answer.status_code == (200 if expected else 204), answer.text
    layers = mvt.decode(answer.content)
    assert len(layers.get(of.id, ())) == len(expected)
    assert set(layers) <= {of.id, f"{of.id}_label"}
    _silent(areas, answer)


def _check_extent(ask, of, shapes) -> None:
    document = ask(f"/collections/{of.id}").json()
    if not shapes:
        assert "extent" not in document
        return
    bounds = shapely.total_bounds(shapes)
    assert document["extent"]["spatial"]["bbox"][0] == pytest.approx(bounds.tolist(), abs=1e-6)


def _check_single(ask, of, rows, visible, areas) -> None:
    hidden = next((row["id"] for row in rows if row["id"] not in visible), None)
    for key in (next(iter(visible), None), hidden):
        if key is not None:
            answer = ask(f"/collections/{of.id}/items/{key}")
            assert answer.status_code == (200 if key in visible else 404)
            _silent(areas, answer)
    if hidden is not None:
        missing = max(row["id"] for row in rows) + 1000
        bodies = [ask(f"/collections/{of.id}/items/{key}").text for key in (hidden, missing)]
        plain = [re.sub(r'"(request_id|instance|trace_id)":"[^"]*",?', "", body) for body in bodies]
        assert plain[0].replace(str(hidden), "N") == plain[1].replace(str(missing), "N")


def _check_export(desk, areas, of, inside, box) -> None:
    path = f"/collections/{of.id}/export.geojson" + ("" if box is None else f"?bbox={','.join(map(repr, box))}")
    answer = desk("analyst", areas, path)
    assert answer.status_code == 200, answer.text
    assert len(json.loads(answer.content)["features"]) == len(inside)
    _silent(areas, answer)


@pytest.mark.parametrize("role", SEEING)
def test_runs_and_jobs_are_those_of_the_scope(house, desk, role):
    west, east = house.runs["district:WEST"], house.runs["district:EAST"]
    assert west, "there is something to look for"
    found = {run["id"] for run in desk(role, ["district:WEST"], "/runs").json()["runs"]}
    mine = {catalog()[of.id].service for of in catalog().values() if of.service and role in of.roles}
    own = {key for service, key in west.items() if service in mine}
    published = {key for service, key in house.runs[""].items() if service == "public_counts"}
    assert found == own | published
    jobs_seen = {int(job["jobID"]) for job in desk(role, ["district:WEST"], "/jobs").json()["jobs"]}
    assert jobs_seen == {house.jobs["district:WEST"]}
    for service, key in (east | house.runs[""]).items():
        if service == "public_counts":
            continue
        for path in (
            f"/runs/{key}",
            f"/collections/{service}/items?run_id={key}",
            f"/maps/{service}.html?run_id={key}",
        ):
            answer = desk(role, ["district:WEST"], path)
            assert answer.status_code == 404 or answer.json()["numberReturned"] == 0, path
            _silent(("district:WEST",), answer)
    for key in (house.jobs["district:EAST"], house.jobs[""]):
        for method, what in (("GET", ""), ("GET", "/results"), ("DELETE", "")):
            hidden = desk(role, ["district:WEST"], f"/jobs/{key}{what}", method=method)
            missing = desk(role, ["district:WEST"], f"/jobs/99999{what}", method=method)
            assert hidden.status_code == missing.status_code == 404
            assert hidden.json()["title"] == missing.json()["title"]


@pytest.mark.asvs("14.2.2")
def test_cache_scope(house, desk):
    """Two desks at one address: neither gets the other's bytes, nor is told that it has them already."""
    z, x, y = tile_of(Z)
    desks = [(), ("district:WEST",), ("district:EAST",), ("community:WEST-S0-C0",)]
    for path in (
        *(f"/collections/{name}/tiles/WebMercatorQuad/{z}/{y}/{x}" for name in ("incidents", "posts", "segments")),
        "/maps/posts.html",
        "/maps/incidents.html?lang=en",
    ):
        first = {areas: desk("analyst", areas, path) for areas in desks}
        assert len({answer.content for answer in first.values()}) == len(desks), path
        assert len({answer.headers["etag"] for answer in first.values()}) == len(desks), path
        for areas in desks:
            assert "private" in first[areas].headers["cache-control"]
            for other in desks:
                tag = {"If-None-Match": first[other].headers["etag"]}
                again = desk("analyst", areas, path, headers=tag)
                assert again.status_code == (304 if areas == other else 200), path
                assert again.content == (b"" if areas == other else first[areas].content)
    hidden = next(row["id"] for row in house.rows("posts") if row["source_id"].startswith("EAST"))
    seen = desk("analyst", ("district:EAST",), f"/collections/posts/items/{hidden}")
    tag = {"If-None-Match": seen.headers["etag"]}
    assert desk("analyst", ("district:EAST",), f"/collections/posts/items/{hidden}", headers=tag).status_code == 304
    assert desk("analyst", ("district:WEST",), f"/collections/posts/items/{hidden}", headers=tag).status_code == 404


def _addresses(house, line: str) -> Iterator[str]:
    """Give what a line of the matrix can be asked for: everything there is, above all what belongs to the others."""
    path = line.split(" ", 1)[1]
    keys = [row["id"] for frame in ("posts", "incidents", "grids") for row in house.rows(frame)[-1:]]
    runs = sorted({key for run in house.runs.values() for key in run.values()})
    numbers = {"processes": [*services()], "jobs": sorted(house.jobs.values()), "runs": runs, "imports": [1]}
    room = path.split("/")[1]
    given: dict[str, list[object]] = {
        "id_": [*numbers.get(room, catalog())],
        "id": [*catalog()],
        "name": [*catalog()],
        "key": keys,
        "z": [tile_of(Z)[0]],
        "y": [tile_of(Z)[2]],
        "x": [tile_of(Z)[1]],
        "ending": ["geojson"],
        "tms": ["WebMercatorQuad"],
        "plan:int": [1],
        "frame": ["posts"],
        "name:path": ["x"],
    }
    ready = [path]
    for place in re.findall(r"\{([^}]+)\}", path):
        ready = [one.replace(f"{{{place}}}", str(value)) for one in ready for value in given.get(place, ["1"])]
    for address in ready:
        yield address
        if room == "maps" or (room == "collections" and "items" in address):
            yield from (f"{address}?run_id={key}" for key in runs[-1:])


def test_no_address_tells_of_another_district(house, desk):
    """Walk every route that reads, as a desk of the western district."""
    areas, asked = ("district:WEST",), 0
    for line, roles in LINES.items():
        role = next((role for role in SEEING if role in roles), None)
        if not line.startswith("GET ") or role is None:
            continue
        for address in _addresses(house, line):
            for more in ("", "f=html"):
                answer = desk(role, areas, address + (("&" if "?" in address else "?") + more if more else ""))
                # 503 where the pages are not built.
                assert answer.status_code in {200, 204, 400, 403, 404, 409, 415, 422, 503}, (address, answer.text)
                _silent(areas, answer)
                asked += 1
                if line in WHOLE_CITY:
                    assert answer.status_code == 403, address
    assert asked > 300


def test_plans_are_for_the_whole_city(desk):
    for role in ("planner", "supervisor"):
        whole, narrow = desk(role, (), "/plans"), desk(role, ("district:WEST",), "/plans")
        assert (whole.status_code, narrow.status_code) == (200, 403)
        assert "whole city" in narrow.json()["detail"]
        said = desk(role, ("district:WEST",), "/plans", headers={"Accept-Language": "zh"}).text
        assert "全市" in said


def test_who_am_i_says_for_which_areas(desk):
    me = desk("officer", ("district:WEST", "community:EAST-S2-C1"), "/auth/me").json()
    assert [(area["level"], area["code"]) for area in me["areas"]] == [
        ("district", "WEST"),
        ("community", "EAST-S2-C1"),
    ]
    assert me["areas"][0]["title"] == {"zh": "WEST district 区划", "en": "WEST district"}
    assert not [name for name in me["may"] if name in WHOLE_CITY]
    assert desk("officer", (), "/auth/me").json()["areas"] is None


def test_a_desk_gets_what_a_server_of_its_district_alone_would_give(desk, cluster, template):
    with fresh_database(cluster, template) as url:
        store = Store(url)
        alone = cities.create(store, profile())
        area_city.populate(store, alone, only="district:WEST")
        jobs.ensure_queue(store)
        client = Client(store, requests_per_s=1e6, requests_burst=1_000_000)
        try:
            for role in SEEING:
                for of in frame_layers():
                    if role in of.roles:
                        path = f"/collections/{of.id}/items?limit=1000"
                        mine, theirs = desk(role, ("district:WEST",), path).json(), client.json(path, role=role)
                        assert _plain(mine) == _plain(theirs), (role, of.id)
                        assert mine.get("numberMatched") == theirs.get("numberMatched")
            paths = [
                "/",
                "/collections?f=json",
                "/collections/incidents/queryables",
                "/collections/incidents/schema",
                "/styles/map",
            ]
            for path in paths:
                a, b = desk("analyst", ("district:WEST",), path).json(), client.json(path, role="analyst")
                assert _unversioned(a) == _unversioned(b), path
        finally:
            client.close()


def _plain(page: dict[str, Any]) -> list[str]:
    return sorted(json.dumps([f["properties"], f["geometry"]], sort_keys=True) for f in page["features"])


def _unversioned(document: object) -> str:
    """Return a document without the names of versions in addresses of tiles, and of runs that one of the two lacks."""
    text = re.sub(r"v=[^\"&]*", "v", json.dumps(document, sort_keys=True))
    layers = {of.id for of in catalog().values() if of.service}
    return json.dumps(_without(json.loads(text), layers), sort_keys=True)


def _without(value: object, layers: set[str]) -> object:
    if isinstance(value, list):
        return [
            _without(entry, layers) for entry in value if not (isinstance(entry, dict) and entry.get("id") in layers)
        ]
    if isinstance(value, dict):
        return {key: _without(entry, layers) for key, entry in value.items()}
    return value
