"""What a query means, and that a page token continues its own query only."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.errors import InvalidInput
from gis.store.boxes import unwrapped
from gis.store.query import MAX_KEY, ItemQuery

UTC = dt.UTC
longitudes = st.floats(-360, 360)
latitudes = st.floats(-90, 90)
values = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=5),
    st.integers(-(2**62), 2**62),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(),
)
boxes = st.tuples(longitudes, latitudes, longitudes, latitudes).map(lambda b: (b[0], min(b[1::2]), b[2], max(b[1::2])))
instants = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@st.composite
def queries(draw):
    start, end = draw(st.none() | instants), draw(st.none() | instants)
    if start and end and start > end:
        start, end = end, start
    equals = draw(st.dictionaries(st.sampled_from("abc"), st.lists(values, min_size=1, max_size=3).map(tuple)))
    return ItemQuery(bbox=draw(st.none() | boxes), interval=(start, end), equals=equals)


@given(queries(), st.integers(0, MAX_KEY), st.sampled_from(["grids", "hotspots_v1:7"]))
def test_a_token_gives_its_place_back(query, last, relation):
    later = ItemQuery(query.bbox, query.interval, query.equals, 1, query.token(relation, last))
    assert later.position(relation) == last
    assert ItemQuery(query.bbox, query.interval, query.equals).position(relation) is None


@given(queries(), queries(), st.integers(0, MAX_KEY))
def test_a_token_of_another_filter_or_relation_is_refused(query, other, last):
    token = query.token("grids", last)
    with pytest.raises(InvalidInput):
        ItemQuery(query.bbox, query.interval, query.equals, after=token).position("blocks")
    if query.digest != other.digest:
        with pytest.raises(InvalidInput):
            ItemQuery(other.bbox, other.interval, other.equals, after=token).position("grids")


@given(st.text(max_size=30) | st.binary(max_size=30).map(lambda b: b.decode("latin-1")))
def test_a_made_up_token_is_refused(token):
    with pytest.raises(InvalidInput):
        ItemQuery(after=token).position("grids")


@pytest.mark.parametrize("inside", ["[1]", "3", '{"a":1}', '["x", 1, 2]', "null", '["x", true]', '["x", 1.5]'])
def test_a_token_with_other_json_is_refused(inside):
    import base64

    with pytest.raises(InvalidInput):
        ItemQuery(after=base64.urlsafe_b64encode(inside.encode()).decode()).position("grids")


def test_the_digest_tells_kinds_apart_and_forgets_limit_and_order():
    def digest(value):
        return ItemQuery(equals={"a": (value,)}).digest

    assert len({digest(v) for v in (1, "1", True, 1.5, "true")}) == 5
    assert (
        ItemQuery(equals={"a": (1, 2), "b": (3,)}).digest == ItemQuery(equals={"b": (3,), "a": (2, 1)}, limit=7).digest
    )
    noon = dt.datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert ItemQuery(interval=(noon, None)).digest != ItemQuery(interval=(None, noon)).digest
    shanghai = noon.astimezone(dt.timezone(dt.timedelta(hours=8)))
    assert ItemQuery(interval=(noon, None)).digest == ItemQuery(interval=(shanghai, None)).digest


@given(boxes, longitudes, latitudes)
def test_unwrapping_keeps_the_points_of_a_box(box, x, y):
    def holds(b, lon):
        return b[0] <= lon <= b[2] and b[1] <= y <= b[3]

    parts = unwrapped(box)
    assert 1 <= len(parts) <= 2
    assert all(-180 <= p[0] <= p[2] <= 180 for p in parts)
    west, _, east, _ = box
    whole = (west, box[1], east if west <= east else west + (east - west) % 360, box[3])
    # Away from the edges, where the last bit of a shifted number decides.
    near = min(abs((x - edge + 180) % 360 - 180) for edge in (west, east, 180.0)) < 1e-9
    if not near:
        at = (x + 180) % 360 - 180
        assert any(holds(p, at) for p in parts) == any(holds(whole, at + 360 * k) for k in range(-2, 3))


def test_an_ordinary_box_is_not_touched():
    assert unwrapped((340.0, 0.0, -21.0, 1.0)) == ((-20.0, 0.0, 180.0, 1.0), (-180.0, 0.0, -21.0, 1.0))
    assert unwrapped((120.1, 31.2, 121.3, 32.4)) == ((120.1, 31.2, 121.3, 32.4),)
    assert unwrapped((170.0, 0.0, 190.0, 1.0)) == unwrapped((170.0, 0.0, -170.0, 1.0))


@pytest.mark.parametrize(
    ("given_", "field"),
    [
        ({"bbox": (0.0, 10.0, 1.0, 5.0)}, "bbox"),
        ({"bbox": (0.0, 0.0, float("nan"), 1.0)}, "bbox"),
        ({"bbox": (0.0, -91.0, 1.0, 1.0)}, "bbox"),
        ({"interval": (dt.datetime(2026, 1, 2, tzinfo=UTC), dt.datetime(2026, 1, 1, tzinfo=UTC))}, "datetime"),
        ({"interval": (dt.datetime(2026, 1, 2), None)}, "datetime"),  # noqa: DTZ001
        ({"equals": {"kind": ()}}, "kind"),
        ({"equals": {"kind": ("a\x00b",)}}, "kind"),
        ({"equals": {"kind": ("\ud800",)}}, "kind"),
        ({"limit": 0}, "limit"),
    ],
)
def test_what_cannot_be_asked(given_, field):
    with pytest.raises(InvalidInput) as caught:
        ItemQuery(**given_)
    assert [p.field for p in caught.value.problems] == [field]


def test_every_problem_is_named_at_once():
    with pytest.raises(InvalidInput) as caught:
        ItemQuery(bbox=(0.0, 5.0, 0.0, 1.0), equals={"a": ()}, limit=-1)
    assert {p.field for p in caught.value.problems} == {"bbox", "a", "limit"}


def test_more_than_the_maximum_is_the_maximum():
    assert ItemQuery(limit=10**6).limit == 10_000
