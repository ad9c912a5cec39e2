"""Filters in CQL2 against the library's own evaluation of them, row by row, and what must be refused."""

import asyncio
import datetime as dt
import json
import threading

import cql2 as library
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.city import FRAMES
from gis.crs import reference
from gis.errors import InvalidInput
from gis.store import cql2, items
from gis.store.query import ItemQuery
from gis.store.relations import frame_relation
from tests.support.rows import fill

ZONE = "Asia/Shanghai"
INCIDENTS = FRAMES["incidents"].columns
RENTALS = FRAMES["rentals"].columns
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
KINDS = ("house", "flat", "dormitory")


def checked(text, columns=RENTALS, **options):
    return cql2.check(cql2.parse(text), columns, time_zone=ZONE, **options)


def problems(text, columns=RENTALS, **options):
    with pytest.raises(InvalidInput) as caught:
        checked(text, columns, **options)
    assert {problem.field for problem in caught.value.problems} == {"filter"}
    return [problem.code for problem in caught.value.problems]


def ask(store, city, frame, where, columns):
    async def both():
        try:
            query = ItemQuery(where=where, limit=10_000)
            return await items.page(store, city.scope, frame_relation(frame), columns, query)
        finally:
            await store.aclose()

    return json.loads(asyncio.run(both()).features)


@pytest.fixture
def rentals(store, city):
    """Return 60 rentals, every property given, as GeoJSON features."""
    rng = np.random.default_rng(5)
    rows = [
        {
            "geom": f"POINT({120 + i / 100} {31 + (i % 7) / 100})",
            "source_id": f"R{i:02}",
            "kind": KINDS[i % 3],
            "address": f"{'Elm' if i % 2 else 'elm'} Street {i}%_\\'",
            "rooms_count": int(rng.integers(1, 9)),
            "area_m2": round(float(rng.uniform(10, 200)), 2),
            "smoke_detectors": bool(i % 4),
            "last_inspected_on": dt.date(2026, 1, 1) + dt.timedelta(days=int(rng.integers(0, 60))),
        }
        for i in range(60)
    ]
    fill(store, city, "rentals", rows)
    return [
        {
            "type": "Feature",
            "geometry": json.loads(shapely.to_geojson(shapely.from_wkt(row["geom"]))),
            "properties": {
                name: value.isoformat() if isinstance(value, dt.date) else value
                for name, value in row.items()
                if name != "geom"
            },
        }
        for row in rows
    ]


def escaped(text):
    return text.replace("'", "''")


NUMBERS = st.one_of(st.integers(-3, 12), st.floats(-5, 250, allow_nan=False).map(lambda x: round(x, 2)))
NUMERIC = st.sampled_from(["rooms_count", "area_m2", "rooms_count + 1", "area_m2 * 2", "(rooms_count - area_m2)"])
TEXTS = st.sampled_from([*KINDS, "R07", "Elm Street 3%_\\'", "nothing"]).map(escaped)
PLACES = st.tuples(st.floats(119.9, 120.7), st.floats(30.9, 31.2), st.floats(0.01, 0.4)).map(
    lambda p: f"POLYGON(({p[0]} {p[1]},{p[0] + p[2]} {p[1]},{p[0] + p[2]} {p[1] + p[2]},{p[0]} {p[1]}))"
)
LEAVES = st.one_of(
    st.builds("{} {} {}".format, NUMERIC, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), NUMBERS),
    st.builds("{} BETWEEN {} AND {}".format, NUMERIC, NUMBERS, NUMBERS),
    st.builds("kind {} '{}'".format, st.sampled_from(["=", "<>"]), TEXTS),
    st.builds("kind IN ('{}','{}')".format, TEXTS, TEXTS),
    st.builds("rooms_count NOT IN ({},{})".format, NUMBERS, NUMBERS),
    st.builds("address LIKE '{}'".format, st.sampled_from(["Elm%", "%1%", "_lm Street %", "elm", "%"])),
    st.sampled_from(["CASEI(address) LIKE CASEI('ELM%')", "CASEI(kind) = CASEI('HOUSE')", "smoke_detectors"]),
    st.sampled_from(["smoke_detectors = true", "NOT smoke_detectors", "address IS NULL", "address IS NOT NULL"]),
    st.builds("{}(geometry, {})".format, st.sampled_from(["S_INTERSECTS", "S_WITHIN", "S_DISJOINT"]), PLACES),
    st.builds("S_INTERSECTS(geometry, BBOX({},{},{},{}))".format, *(st.just(v) for v in (120.1, 31.0, 120.3, 31.05))),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=6,
)
ALL = tuple(column.name for column in RENTALS)


@pytest.mark.asvs("1.2.9")
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=FILTERS)
def test_the_rows_are_those_that_the_library_itself_finds(store, city, rentals, text):
    expected = {f["properties"]["source_id"] for f in rentals if library.parse_text(text).matches(f)}
    found = ask(store, city, "rentals", checked(text), ALL)
    assert {feature["properties"]["source_id"] for feature in found} == expected
    # The same in JSON is the same filter.
    tree = cql2.parse(json.dumps(library.parse_text(text).to_json()), "cql2-json")
    assert cql2.check(tree, RENTALS, time_zone=ZONE).digest == checked(text).digest


@pytest.fixture
def hours(store, city):
    """Return 72 incidents, an hour apart."""
    fill(
        store,
        city,
        "incidents",
        [
            {
                "geom": "POINT(120.6 31.3)",
                "source_id": str(i),
                "occurred_at": START + dt.timedelta(hours=i),
                "category": "theft",
                "origin": "import",
                "location_withheld": False,
            }
            for i in range(72)
        ],
    )


@pytest.mark.usefixtures("hours")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("occurred_at = TIMESTAMP('2026-01-01T05:00:00Z')", [5]),
        ("occurred_at = '2026-01-01T13:00:00+08:00'", [5]),
        ("occurred_at < TIMESTAMP('2026-01-01T02:00:00Z')", [0, 1]),
        # A day begins at midnight in Shanghai, 16:00 UTC of the day before.
        ("occurred_at = DATE('2026-01-02')", range(16, 40)),
        ("occurred_at > DATE('2026-01-03')", range(64, 72)),
        ("occurred_at <= DATE('2026-01-01')", range(16)),
        ("occurred_at BETWEEN DATE('2026-01-02') AND DATE('2026-01-03')", range(16, 64)),
        ("occurred_at IN (TIMESTAMP('2026-01-01T00:00:00Z'), TIMESTAMP('2026-01-01T03:00:00Z'))", [0, 3]),
        ("T_AFTER(occurred_at, TIMESTAMP('2026-01-03T21:00:00Z'))", [70, 71]),
        ("T_BEFORE(occurred_at, DATE('2026-01-02'))", range(16)),
        ("T_DURING(occurred_at, INTERVAL('2026-01-01T00:00:00Z', '2026-01-01T03:00:00Z'))", [1, 2]),
        ("T_INTERSECTS(occurred_at, INTERVAL('2026-01-01T00:00:00Z', '2026-01-01T03:00:00Z'))", [0, 1, 2, 3]),
        ("T_INTERSECTS(occurred_at, INTERVAL('2026-01-03T22:00:00Z', '..'))", [70, 71]),
        ("T_INTERSECTS(occurred_at, INTERVAL('..', '2026-01-01T01:00:00Z'))", [0, 1]),
        ("T_STARTS(occurred_at, INTERVAL('2026-01-01T04:00:00Z', '..'))", [4]),
        ("T_FINISHES(occurred_at, INTERVAL('..', '2026-01-01T04:00:00Z'))", [4]),
        ("NOT T_DISJOINT(occurred_at, TIMESTAMP('2026-01-01T07:00:00Z'))", [7]),
        ("reported_at IS NULL AND occurred_at < TIMESTAMP('2026-01-01T01:00:00Z')", [0]),
    ],
)
def test_times_are_compared_in_the_city_s_days(store, city, text, expected):
    found = ask(store, city, "incidents", checked(text, INCIDENTS), ("source_id", "occurred_at", "reported_at"))
    assert sorted(int(feature["properties"]["source_id"]) for feature in found) == list(expected)


@pytest.mark.usefixtures("rentals")
def test_a_filter_in_another_reference_system_means_the_same_place(store, city):
    corners = [(120.095, 30.995), (120.205, 30.995), (120.205, 31.035)]
    metric = reference("http://www.opengis.net/def/crs/EPSG/0/4549")
    assert metric.north_first
    in_degrees = "POLYGON((" + ",".join(f"{x} {y}" for x, y in [*corners, corners[0]]) + "))"
    from pyproj import Transformer

    to_metric = Transformer.from_crs("EPSG:4326", "EPSG:4549", always_xy=True)
    moved = [to_metric.transform(x, y)[::-1] for x, y in [*corners, corners[0]]]
    in_metres = "POLYGON((" + ",".join(f"{a:.4f} {b:.4f}" for a, b in moved) + "))"
    text = "S_INTERSECTS(geometry, {})".format
    here = ask(store, city, "rentals", checked(text(in_degrees)), ALL)
    assert here
    assert ask(store, city, "rentals", checked(text(in_metres), crs=metric), ALL) == here


def test_a_box_over_the_antimeridian_is_two(store, city):
    fill(
        store, city, "rentals", [{"geom": f"POINT({x} 0)", "source_id": str(x), "kind": "flat"} for x in (-179, 179, 0)]
    )
    found = ask(store, city, "rentals", checked("S_INTERSECTS(geometry, BBOX(170,-10,-170,10))"), ALL)
    assert {feature["properties"]["source_id"] for feature in found} == {"-179", "179"}


@pytest.mark.usefixtures("rentals")
def test_joined_filters_hold_together(store, city):
    both = cql2.joined(checked("rooms_count > 3"), checked("kind = 'flat'"), checked("area_m2 < 150"))
    one = checked("rooms_count > 3 AND kind = 'flat' AND area_m2 < 150")
    assert ask(store, city, "rentals", both, ALL) == ask(store, city, "rentals", one, ALL)
    assert both.properties == {"rooms_count", "kind", "area_m2"}


@pytest.mark.asvs("1.2.4", "1.3.2")
@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("nothing = 1", ["unknown_property"]),
        ("nothing = 1 OR rooms_count = 'a' OR pg_sleep(9) = 1", ["unknown_property", "wrong_kind", "unknown_function"]),
        ("version() = 'x'", ["unknown_function"]),
        ("pg_read_file('/etc/passwd') LIKE '%'", ["unknown_function"]),
        ("rooms_count = CASEI('a')", ["unknown_function"]),
        ("rooms_count LIKE '1%'", ["wrong_kind"]),
        ("address LIKE address", ["wrong_kind"]),
        ("address LIKE 'a\\'", ["bad_filter"]),
        ("kind > 3", ["wrong_kind"]),
        ("smoke_detectors < true", ["wrong_kind"]),
        ("rooms_count", ["wrong_kind"]),
        ("3", ["bad_filter"]),
        ("'a'", ["bad_filter"]),
        ("last_inspected_on = TIMESTAMP('2026-01-01T00:00:00Z')", ["wrong_kind"]),
        ("last_inspected_on = DATE('2026-02-30')", ["wrong_kind"]),
        ("S_INTERSECTS(geometry, geometry)", ["bad_filter"]),
        ("S_INTERSECTS(POINT(1 1), POINT(1 1))", ["bad_filter"]),
        ("S_INTERSECTS(geometry, POLYGON((0 0,1 1,1 0,0 1,0 0)))", ["bad_geometry"]),
        ("S_INTERSECTS(geometry, POINT(200 0))", ["bad_geometry"]),
        ("S_CROSSES(geometry, GEOMETRYCOLLECTION(POINT(1 1),POINT(2 2)))", ["bad_geometry"]),
        ("S_INTERSECTS(geometry, BBOX(0,9,1,1))", ["bad_geometry"]),
        ("S_INTERSECTS(geometry, 'POINT(1 1)')", ["bad_geometry"]),
        ("A_CONTAINS(kind, ('a','b'))", ["unknown_function"]),
        ("ACCENTI(kind) = 'a'", ["unknown_function"]),
        ("id = 1", ["unknown_property"]),
        ("city_id = 1", ["unknown_property"]),
    ],
)
def test_what_cannot_be_used_is_refused_with_every_reason(text, codes):
    assert problems(text) == codes


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "a =", "'", "(", ")", "rooms_count == 1", "SELECT 1", "rooms_count = 1; DROP TABLE x", "kind IN ()"),
        *(
            "(" * 3_000 + "rooms_count=1" + ")" * 3_000,
            "NOT " * 20_000 + "smoke_detectors",
            "rooms_count=" + "-" * 9_000,
        ),
        *("f(" * 5_000, "x" * 200_000, "kind = '\x00'", "rooms_count = 1" + " AND rooms_count = 1" * 2_000),
        *("S_INTERSECTS(geometry," + "GEOMETRYCOLLECTION(" * 20_000, "kind = '" + "(" * 90_000, "^" * 5_000),
    ],
)
def test_no_text_ends_the_process(text):
    """Each of them in a thread with the stack a server's thread has."""
    refused = []

    def look():
        try:
            checked(text)
        except InvalidInput:
            refused.append(True)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert refused == [True]


@pytest.mark.parametrize(
    "text", ["{", "", "null", "[]", "1", '{"op":"="}', '{"op":"and","args":[]}', '{"op":{"op":1}}', "[" * 50_000]
)
def test_json_that_is_no_filter_is_refused(text):
    with pytest.raises(InvalidInput):
        cql2.check(cql2.parse(text, "cql2-json"), RENTALS, time_zone=ZONE)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text("ANDORT()=<>'0123 .rooms_count-,", max_size=80))
def test_any_text_is_a_filter_or_refused(text):
    try:
        assert isinstance(checked(text), cql2.Filter)
    except InvalidInput as error:
        assert error.problems  # noqa: PT017 - both ends are right


@pytest.mark.usefixtures("rentals")
def test_a_number_too_large_to_compute_is_refused_and_not_a_failure(store, city):
    part = f"({' * '.join(['1e300'] * 20)})"
    wide = checked(f"rooms_count * {' * '.join([part] * 24)} > 1")
    with pytest.raises(InvalidInput, match="too large"):
        ask(store, city, "rentals", wide, ALL)


@pytest.mark.usefixtures("rentals")
def test_divided_by_nothing_is_nothing(store, city):
    assert ask(store, city, "rentals", checked("area_m2 / (rooms_count - rooms_count) > 0"), ALL) == []
    assert ask(store, city, "rentals", checked("area_m2 % 0 = 0 OR rooms_count div 0 = 1"), ALL) == []
