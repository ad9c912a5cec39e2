"""Pages of features against a plain reading of the same rows."""

import datetime as dt
import json
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import InvalidInput, NotFound
from gis.store import cities, items
from gis.store.query import ItemQuery
from gis.store.relations import frame_relation
from tests.support.asking import ask
from tests.support.rows import fill

UTC = dt.UTC
INCIDENTS = frame_relation("incidents")
COLUMNS = ("occurred_at", "category", "address", "location_withheld")
START = dt.datetime(2024, 1, 1, tzinfo=UTC)


def incident(i, *, geom="POINT(120.6 31.3)", category="theft", hours=0, address=None):
    return {
        "geom": geom,
        "source_id": str(i),
        "occurred_at": START + dt.timedelta(hours=hours),
        "category": category,
        "origin": "import",
        "location_withheld": geom is None,
        "address": address,
    }


@pytest.fixture
def thirty(store, city):
    """30 incidents of three categories on a line, an hour and a hundredth of a degree apart; one without a place."""
    kinds = ("theft", "noise", "traffic_accident")
    rows = [
        incident(i, geom=f"POINT({120 + i / 100} 31)" if i else None, category=kinds[i % 3], hours=i) for i in range(30)
    ]
    fill(store, city, "incidents", rows)
    return rows


def page(store, city, query=None, columns=COLUMNS, relation=INCIDENTS):
    found = ask(store, items.page(store, city.scope, relation, columns, query or ItemQuery()))
    return found, json.loads(found.features)


def numbers(features):
    return [round((f["geometry"]["coordinates"][0] - 120) * 100) for f in features if f["geometry"]]


def test_a_page_is_geojson_of_the_named_columns_only(store, city):
    awkward = 'say "no" \\ 网格 </script>'
    noon = START + dt.timedelta(hours=12, microseconds=1500)
    fill(store, city, "incidents", [{**incident(1, address=awkward), "occurred_at": noon}])
    found, (feature,) = page(store, city)
    assert (found.returned, found.matched, found.next_token) == (1, 1, None)
    assert feature == {
        "type": "Feature",
        "id": feature["id"],
        "geometry": {"type": "Point", "coordinates": [120.6, 31.3]},
        "properties": {
            "occurred_at": "2024-01-01T12:00:00.0015Z",
            "category": "theft",
            "address": awkward,
            "location_withheld": False,
        },
    }
    assert json.loads(ask(store, items.item(store, city.scope, INCIDENTS, COLUMNS, feature["id"])).feature) == feature


def test_coordinates_have_seven_digits(store, city):
    fill(store, city, "incidents", [incident(1, geom="POINT(120.123456789 31.987654321)")])
    assert page(store, city)[1][0]["geometry"]["coordinates"] == [120.1234568, 31.9876543]


def test_an_empty_relation_is_an_empty_page(store, city):
    found, features = page(store, city)
    assert (features, found.returned, found.matched, found.next_token) == ([], 0, 0, None)


@pytest.mark.parametrize("limit", [1, 7, 10, 29, 30, 31])
def test_pages_follow_each_other_without_loss_or_repetition(store, city, thirty, limit):
    seen, token = [], None
    while True:
        found, features = page(store, city, ItemQuery(limit=limit, after=token))
        assert found.returned == len(features) <= limit
        assert found.matched == len(thirty)
        seen += [f["id"] for f in features]
        token = found.next_token
        if token is None:
            break
    assert seen == sorted(set(seen))
    assert len(seen) == len(thirty)


@pytest.mark.usefixtures("thirty")
def test_a_token_of_another_filter_is_refused(store, city):
    token = page(store, city, ItemQuery(limit=5))[0].next_token
    with pytest.raises(InvalidInput):
        page(store, city, ItemQuery(limit=5, after=token, equals={"category": ("theft",)}))


@pytest.mark.usefixtures("thirty")
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bbox=st.none() | st.tuples(st.floats(119.9, 120.2), st.floats(0.0, 0.2)).map(lambda p: (p[0], 30, p[0] + p[1], 32)),
    first=st.none() | st.integers(-1, 31),
    length=st.none() | st.integers(0, 31),
    kinds=st.none() | st.sets(st.sampled_from(["theft", "noise", "traffic_accident", "fire"]), min_size=1),
)
def test_filters_agree_with_a_plain_reading(store, city, thirty, *, bbox, first, length, kinds):
    start = None if first is None else START + dt.timedelta(hours=first)
    end = None if length is None else START + dt.timedelta(hours=(first or 0) + length)
    query = ItemQuery(bbox=bbox, interval=(start, end), equals={"category": tuple(kinds)} if kinds else {}, limit=100)
    expected = [
        i
        for i, row in enumerate(thirty)
        if (bbox is None or (row["geom"] is not None and bbox[0] <= 120 + i / 100 <= bbox[2]))
        and (start is None or row["occurred_at"] >= start)
        and (end is None or row["occurred_at"] <= end)
        and (not kinds or row["category"] in kinds)
    ]
    found, features = page(store, city, query)
    assert found.matched == found.returned == len(expected)
    assert numbers(features) == [i for i in expected if i]


def test_a_box_over_the_antimeridian(store, city):
    fill(store, city, "incidents", [incident(i, geom=f"POINT({x} 0)") for i, x in enumerate((179.5, -179.5, 0, 170))])
    _, features = page(store, city, ItemQuery(bbox=(179.0, -1.0, -179.0, 1.0)))
    assert [f["geometry"]["coordinates"][0] for f in features] == [179.5, -179.5]


def test_counts_above_ten_thousand_are_left_out(store, city):
    rng = np.random.default_rng(1)
    fill(
        store,
        city,
        "incidents",
        [incident(i, category=c) for i, c in enumerate(rng.choice(["theft", "noise"], 10_001))],
    )
    assert page(store, city, ItemQuery(limit=2))[0].matched is None
    few = page(store, city, ItemQuery(limit=2, equals={"category": ("noise",)}))[0].matched
    assert few is not None
    assert 4_000 < few < 6_000


@pytest.mark.parametrize(
    ("equals", "code"),
    [
        ({"origin": ("import",)}, "unknown_property"),  # a column of the table that is not on the list
        ({"geom": ("x",)}, "unknown_property"),
        ({"1=1; --": ("x",)}, "unknown_property"),
        ({"category": (1,)}, "wrong_kind"),
        ({"location_withheld": ("true",)}, "wrong_kind"),
        ({"occurred_at": (dt.date(2024, 1, 1),)}, "wrong_kind"),
        ({"occurred_at": (dt.datetime(2024, 1, 1),)}, "wrong_kind"),  # noqa: DTZ001
    ],
)
def test_a_filter_that_cannot_be_is_refused(store, city, equals, code):
    with pytest.raises(InvalidInput) as caught:
        page(store, city, ItemQuery(equals=equals))
    assert [p.code for p in caught.value.problems] == [code]


def test_every_kind_of_property_can_be_filtered_by(store, city):
    inspected = dt.date(2024, 5, 1)
    common = {"geom": "POINT(120 31)", "kind": "flat"}
    rows = [
        {**common, "rooms_count": 2, "area_m2": 50.5, "smoke_detectors": True, "last_inspected_on": inspected},
        {**common, "rooms_count": 3, "area_m2": 60.0, "smoke_detectors": False, "last_inspected_on": None},
    ]
    first, _ = fill(store, city, "rentals", rows)
    columns = ("kind", "rooms_count", "area_m2", "smoke_detectors", "last_inspected_on")
    rentals = frame_relation("rentals")
    for name, value in [
        ("rooms_count", 2),
        ("area_m2", 50.5),
        ("smoke_detectors", True),
        ("last_inspected_on", inspected),
    ]:
        _, features = page(store, city, ItemQuery(equals={name: (value,)}), columns, rentals)
        assert [f["id"] for f in features] == [first], name
    assert features[0]["properties"]["last_inspected_on"] == "2024-05-01"
    assert page(store, city, ItemQuery(equals={"area_m2": (60,)}), columns, rentals)[0].matched == 1
    too_big = ItemQuery(equals={"rooms_count": (2**63,)})
    with pytest.raises(InvalidInput):
        page(store, city, too_big, columns, rentals)


def test_a_city_sees_only_its_own(store, city, thirty):
    other = cities.create(store, CityProfile("other", Text("他城", "Other"), "EPSG:4549", "UTC"))
    (key,) = fill(store, other, "incidents", [incident(1)])
    assert page(store, other)[0].matched == 1
    assert page(store, city)[0].matched == len(thirty)
    with pytest.raises(NotFound):
        ask(store, items.item(store, city.scope, INCIDENTS, COLUMNS, key))


@pytest.mark.parametrize("key", [0, -1, 2**63, 2**70])
def test_a_key_that_cannot_be(store, city, key):
    with pytest.raises(NotFound):
        ask(store, items.item(store, city.scope, INCIDENTS, COLUMNS, key))


def test_grids_are_those_in_force_today_in_the_city(store, city):
    today = dt.datetime.now(ZoneInfo(city.profile.time_zone)).date()
    square = "POLYGON((0 0, 1 0, 1 1, 0 1, 0 0))"
    day = dt.timedelta(days=1)
    spans = {
        "past": (today - 9 * day, today),
        "present": (today, today + day),
        "open": (today - day, None),
        "future": (today + day, None),
    }
    rows = [
        {"geom": square, "code": code, "kind": "comprehensive", "valid_from": a, "valid_to": b}
        for code, (a, b) in spans.items()
    ]
    fill(store, city, "grids", rows)
    _, features = page(store, city, columns=("code",), relation=frame_relation("grids"))
    assert [f["properties"]["code"] for f in features] == ["present", "open"]


def test_the_extent_is_where_and_when_the_rows_are(store, city, thirty):
    extent = ask(store, items.extent(store, city.scope, INCIDENTS))
    assert extent.bounds == pytest.approx((120.01, 31, 120.29, 31))
    assert extent.period == (START, START + dt.timedelta(hours=29))
    assert extent.count == len(thirty)


def test_the_extent_of_nothing(store, city):
    assert ask(store, items.extent(store, city.scope, INCIDENTS)) == items.Extent(None, None, 0)
    grids = ask(store, items.extent(store, city.scope, frame_relation("grids")))
    assert grids.period is None


def test_an_unknown_frame_is_not_found():
    with pytest.raises(NotFound):
        frame_relation("persons")
