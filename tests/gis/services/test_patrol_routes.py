"""Patrol routes: on the streets, in time, the duties done, orders kept as given, what is left out said."""

import json
from itertools import pairwise
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.city import codebook
from gis.city.travel import travel
from gis.contract.result import Result
from gis.errors import Infeasible, InvalidInput, InvalidParams
from gis.files.gpx import NAMESPACE, write_gpx
from tests.support.small_city import PROFILE, SOUTH, WEST, incidents_at
from tests.support.streets import segments_of, street_grid

STREETS = street_grid(400.0)
CORNER = np.array([WEST, SOUTH])


def points(*xy: tuple[float, float], **columns: object) -> gpd.GeoDataFrame:
    """A frame of points in metres from the south-west corner of the test city."""
    shapes = gpd.points_from_xy(*(np.array(xy, float) + CORNER).T, crs=PROFILE.metric_crs)
    frame = gpd.GeoDataFrame({"source_id": [f"P{i}" for i in range(len(xy))], **columns}, geometry=shapes)
    return frame.to_crs("EPSG:4326")


POSTS = points((800, 800), (4_000, 4_000), kind="police_post")


def stops(*xy: tuple[float, float], **more: list[object]) -> list[dict[str, object]]:
    places = points(*xy).geometry
    return [
        {"lon": place.x, "lat": place.y, **{name: values[i] for name, values in more.items()}}
        for i, place in enumerate(places)
    ]


FIVE = stops((1_200, 800), (2_000, 1_600), (4_000, 3_200), (5_200, 4_400), (800, 2_800), weight=[5, 4, 3, 2, 1])


def go(**options: object) -> Result:
    frames = {"checkpoints": options.pop("checkpoints", None), "incidents": options.pop("incidents", None)}
    plain = {"units_count": 2, "shift_min": 180, "stops": FIVE}
    return gis.patrol_routes(STREETS, POSTS, profile=PROFILE, **{**plain, **options}, **frames)


def timetable_is_true(result: Result) -> None:
    """Every leg takes what the streets say, halts do not overlap, and rows are in order."""
    features = result.features.to_crs(PROFILE.metric_crs)
    streets = travel(STREETS.to_crs(PROFILE.metric_crs))
    for _, of_unit in features.groupby("unit_label"):
        rows = of_unit.sort_values("sequence")
        assert rows["stop_kind"].iloc[0] == "start"
        assert rows["stop_kind"].iloc[-1] == "end"
        assert rows["sequence"].tolist() == list(range(len(rows)))
        spots = gpd.points_from_xy(rows["lon"], rows["lat"], crs="EPSG:4326").to_crs(PROFILE.metric_crs)
        snapped = streets.snap(shapely.get_coordinates(spots))
        legs = streets.matrix_s(snapped, snapped)
        for i, (before, row) in enumerate(pairwise(rows.to_dict("records"))):
            same = before["lon"] == row["lon"] and before["lat"] == row["lat"]
            seconds = 0.0 if same else legs[i, i + 1]
            assert row["leg_min"] * 60 >= seconds - 0.5
            assert row["leg_min"] * 60 <= seconds + 1.5
            line = row["geometry"]
            assert line.length == pytest.approx(row["leg_m"], abs=0.02)
            if not same:
                assert shapely.Point(line.coords[0]).distance(spots[i]) < 0.02
                assert shapely.Point(line.coords[-1]).distance(spots[i + 1]) < 0.02
            passed = (row["arrive_at"] - before["leave_at"]).total_seconds()
            assert passed == pytest.approx(row["leg_min"] * 60, abs=1)
        halts = rows[rows["stop_kind"] != "start"]
        stays = halts["wait_min"] + halts["dwell_min"]
        left = halts["leave_at"].fillna(halts["arrive_at"])
        assert ((left - halts["arrive_at"]).dt.total_seconds() / 60 - stays).abs().max() < 0.02
        began = rows["leave_at"].iloc[0]
        assert (rows["arrive_at"].iloc[-1] - began).total_seconds() <= 180 * 60


def test_all_stops_fit_and_the_timetable_is_true() -> None:
    result = go(shift_on="2025-03-03", shift_start="22:30", break_min=15)
    timetable_is_true(result)
    features, summary = result.features, result.summary
    assert sorted(features["stop_code"][features["stop_kind"] == "picked"]) == ["S1", "S2", "S3", "S4", "S5"]
    assert (features["stop_kind"] == "break").sum() == 2
    assert summary["profit"] == summary["profit_bound"] == 15
    assert summary["unserved"] == []
    assert summary["dose_share"] == 1
    first = features.iloc[0]
    assert first["leave_at"] == pd.Timestamp("2025-03-03 22:30", tz="Asia/Shanghai")
    assert first["leave_clock"] == "22:30"
    assert summary["timetable"][0]["leave_clock"] == "22:30"
    for codes, book in (
        ("stop_kind", "patrol_stop_kinds"),
        ("route_class", "route_classes"),
        ("unit_kind", "patrol_kinds"),
    ):
        assert set(features[codes]) <= set(codebook(book))
    json.dumps(dict(summary), allow_nan=False)


def test_too_short_a_shift_takes_what_is_worth_most_and_says_what_is_left() -> None:
    result = go(units_count=1, shift_min=36, dwell_min=12)
    made = result.features[result.features["stop_kind"] == "picked"]
    assert made["stop_code"].tolist() in (["S1", "S2"], ["S2", "S1"])
    lost = {row["stop_code"]: row["reason"] for row in result.summary["unserved"]}
    assert lost == {"S3": "no_time_left", "S4": "outside_shift", "S5": "no_time_left"}
    assert set(lost.values()) <= set(codebook("left_out_reasons"))
    doses = {row["stop_code"]: row["dose"] for row in result.summary["dose_table"]}
    assert doses == {"S1": "within", "S2": "within", "S3": "none_planned", "S4": "none_planned", "S5": "none_planned"}
    assert result.summary["dose_share"] == pytest.approx(9 / 15)
    assert {row["dose"] for row in go(dwell_min=5).summary["dose_table"]} == {"short"}
    assert {row["dose"] for row in go(dwell_min=20).summary["dose_table"]} == {"long"}


def test_the_longer_search_is_never_worse() -> None:
    rng = np.random.default_rng(0)
    many = stops(*rng.uniform(200, 5_800, (30, 2)), weight=rng.integers(1, 20, 30).tolist())
    instant, longer = (go(stops=many, search=how, shift_min=150) for how in ("instant", "longer"))
    assert instant.summary["profit"] <= longer.summary["profit"] <= longer.summary["profit_bound"]
    assert longer.summary["profit_share"] > 0.6


def test_checkpoints_come_first_within_their_windows_and_shift() -> None:
    checkpoints = points(
        (4_800, 800),
        (400, 5_200),
        (2_000, 2_000),
        kind="market",
        dwell_min=[10.0, np.nan, 10.0],
        visits_count=[2, 1, 1],
        window_from=[None, "23:00", "07:00"],
        window_to=[None, "23:30", "08:30"],
    ).assign(source_id=["C0", "C1", "C2"])
    result = go(checkpoints=checkpoints, shift_start="21:00", shift_on="2025-03-03")
    timetable_is_true(result)
    rows = result.features[result.features["stop_kind"] == "checkpoint"]
    assert sorted(rows["stop_code"]) == ["C0", "C0", "C1"]
    assert rows["must_visit"].all()
    window = rows[rows["stop_code"] == "C1"].iloc[0]
    assert "23:00" <= window["arrive_clock"] <= "23:30" or window["wait_min"] > 0
    assert window["dwell_min"] == 2
    twice = rows[rows["stop_code"] == "C0"].sort_values("leave_at")
    begins = twice["leave_at"] - pd.to_timedelta(10, "min")
    assert (begins.iloc[1] - twice["leave_at"].iloc[0]).total_seconds() >= 60 * 60 - 1
    assert [(x.frame, x.reason, x.count) for x in result.provenance.left_out] == [("checkpoints", "outside_shift", 1)]
    none = go(checkpoints=checkpoints, checkpoints_use="none")
    assert "checkpoint" not in set(none.features["stop_kind"])
    with pytest.raises(Infeasible, match="must be visited and cannot be: C"):
        go(checkpoints=checkpoints, units_count=1, shift_start="22:10", shift_min=85)


def test_a_stop_for_two_kinds_needs_a_joint_patrol() -> None:
    both = [{**FIVE[0], "kinds": ["police", "volunteers"]}, *FIVE[1:]]
    units = [{"label": "A", "kinds": ["police"], "post": "P0"}, {"label": "B", "kinds": ["volunteers"], "post": "P1"}]
    apart = go(stops=both, units=units)
    assert {row["stop_code"]: row["reason"] for row in apart.summary["unserved"]} == {"S1": "no_unit_of_kinds"}
    joint = [units[0], {"label": "B", "kinds": ["volunteers", "police"], "post": "P1"}]
    together = go(stops=both, units=joint).features.set_index("stop_code")
    assert together.loc["S1", "unit_label"] == "B"
    assert together.loc["S1", "unit_kinds"] == "volunteers+police"
    with pytest.raises(Infeasible, match="S1: no unit has all the kinds"):
        go(stops=[{**both[0], "must_visit": True}, *both[1:]], units=units)


def test_the_longer_shift_of_others_asks_nothing_of_those_who_are_needed() -> None:
    units = [
        {"label": "A", "kinds": ["police", "volunteers"], "post": "P0", "shift_min": 120},
        {"label": "B", "kinds": ["grid_staff"], "post": "P1", "shift_min": 300},
    ]
    twice = {**FIVE[0], "kinds": ["police", "volunteers"], "visits_count": 2, "must_visit": True}
    rows = go(stops=[twice, *FIVE[1:]], units=units).features
    assert rows[rows["stop_code"] == "S1"]["unit_label"].tolist() == ["A", "A"]


def test_units_have_posts_shifts_ends_and_breaks_of_their_own() -> None:
    place = points((3_000, 3_000)).geometry[0]
    units = [
        {"label": "A", "post": "P0", "end_post": "P1", "shift_start": "23:30", "shift_min": 120},
        {"label": "B", "lon": place.x, "lat": place.y, "shift_start": "01:00", "break_min": 20, "break_from": "02:00",
         "break_to": "02:30"},
    ]  # fmt: skip
    result = go(units=units, shift_start="23:00", shift_on="2025-03-03")
    features = result.features
    ends = features[features["unit_label"] == "A"].iloc[[0, -1]]
    assert ends["stop_code"].tolist() == ["P0", "P1"]
    assert features[features["unit_label"] == "A"]["leave_at"].min() >= pd.Timestamp("2025-03-03T15:30Z")
    assert features[features["unit_label"] == "B"]["leave_at"].min() >= pd.Timestamp("2025-03-03T17:00Z")
    rest = features[features["stop_kind"] == "break"].iloc[0]
    begins = rest["leave_at"] - pd.Timedelta(20, "min")
    assert pd.Timestamp("2025-03-03T18:00Z") <= begins <= pd.Timestamp("2025-03-03T18:30Z")
    bad = [
        {**units[0], "post": "P9"},
        {**units[1], "break_from": "12:00", "break_to": "13:00"},
        {"label": "A", "post": "P0"},
    ]
    with pytest.raises(InvalidParams) as refused:
        go(units=bad)
    assert {problem.code for problem in refused.value.problems} == {
        "no_such_post",
        "break_outside_shift",
        "label_twice",
    }


def test_orders_are_kept_and_what_they_break_is_named() -> None:
    units = [{"label": "A", "post": "P0"}, {"label": "B", "post": "P1"}]
    kept = go(units=units, fixed=[{"unit": "A", "stops": ["S5", "S1"]}])
    mine = kept.features[kept.features["unit_label"] == "A"]
    assert mine[mine["stop_kind"] == "picked"]["stop_code"].tolist() == ["S5", "S1"]
    assert mine["kept"].all()
    theirs = kept.features[(kept.features["unit_label"] == "B") & (kept.features["stop_kind"] == "picked")]
    assert sorted(theirs["stop_code"]) == ["S2", "S3", "S4"]
    assert not theirs["kept"].any()
    # Handing back what came out changes nothing.
    as_given = [
        {"unit": label, "stops": rows[rows["stop_kind"] == "picked"]["stop_code"].tolist()}
        for label, rows in kept.features.groupby("unit_label")
    ]
    again = go(units=units, fixed=as_given)
    assert again.features["code"].tolist() == kept.features["code"].tolist()
    assert again.features["arrive_clock"].fillna("").tolist() == kept.features["arrive_clock"].fillna("").tolist()
    all_given = go(units=units, fixed=[{"unit": "A", "stops": ["S1"]}, {"unit": "B", "stops": []}])
    assert {row["reason"] for row in all_given.summary["unserved"]} == {"not_in_orders"}
    assert all_given.summary["timetable"][1]["stops_count"] == 0
    late = [{**FIVE[0], "window_to": "18:01"}, *FIVE[1:]]
    with pytest.raises(Infeasible, match=r"A begins S1 at \d\d:\d\d, \d+ min too late") as told:
        go(stops=late, units=units, fixed=[{"unit": "A", "stops": ["S5", "S1"]}])
    assert "S1" in told.value.zh
    with pytest.raises(Infeasible, match=r"A is back .* min after its shift"):
        go(units=units, shift_min=30, fixed=[{"unit": "A", "stops": ["S4", "S5"]}])
    wrong = [{"unit": "C", "stops": []}, {"unit": "A", "stops": ["S1", "S1", "S9"]}]
    with pytest.raises(InvalidParams) as refused:
        go(units=units, fixed=wrong)
    assert [problem.field for problem in refused.value.problems] == [
        "fixed.0.unit",
        "fixed.1.stops.1",
        "fixed.1.stops.2",
    ]


def test_visits_to_one_stop_change_hands_in_time() -> None:
    twice = [{**FIVE[1], "visits_count": 2}, *FIVE[2:]]
    units = [{"label": "A", "post": "P0", "shift_start": "20:00"}, {"label": "B", "post": "P1", "shift_start": "18:00"}]
    fixed = [{"unit": "A", "stops": ["S1"]}, {"unit": "B", "stops": ["S1"]}]
    rows = go(stops=twice, units=units, fixed=fixed).features
    numbers = rows[rows["stop_kind"] == "picked"].set_index("unit_label")["visit_number"]
    assert numbers.to_dict() == {"A": 2, "B": 1}


def test_without_stops_the_hottest_places_are_taken() -> None:
    rng = np.random.default_rng(3)
    spots = np.array([[1_350, 1_350], [4_350, 2_250]])
    busy = spots[rng.integers(0, 2, 300)] + rng.normal(0, 250, (300, 2))
    quiet = rng.uniform(0, 6_000, (400, 2))
    incidents = incidents_at(np.vstack([busy, quiet]) + CORNER)
    result = go(stops=None, incidents=incidents, hotspots_count=6)
    rows = result.features[result.features["stop_kind"] == "hotspot"].to_crs(PROFILE.metric_crs)
    ends = np.array([line.coords[-1] for line in rows.geometry]) - CORNER
    assert 1 <= len(rows) <= 6
    assert np.hypot(*(ends[:, None] - spots[None]).transpose(2, 0, 1)).min(axis=1).max() < 900
    assert result.provenance.choices["stops_from"] == "hottest_places"
    used = {record.frame: record.n_used for record in result.provenance.inputs}
    assert used["incidents"] == 700
    with pytest.raises(InvalidParams, match="no place is hot beyond chance"):
        go(stops=None, incidents=incidents_at(rng.uniform(0, 6_000, (60, 2)) + CORNER), alpha=0.0001)
    with pytest.raises(InvalidParams, match="incidents is needed"):
        go(stops=None)


def test_stops_off_every_street_are_named_not_lost() -> None:
    away = [*FIVE, *stops((9_000, 9_000))]
    result = go(stops=away)
    (lost,) = result.summary["unserved"]
    assert (lost["stop_code"], lost["reason"]) == ("S6", "no_street")
    assert (lost["lon"], lost["lat"]) == pytest.approx((away[-1]["lon"], away[-1]["lat"]), abs=1e-6)
    with pytest.raises(Infeasible, match="S6: it is on no street"):
        go(stops=[*FIVE, {**away[-1], "must_visit": True}])
    with pytest.raises(InvalidParams, match="unit 'A' starts is no street"):
        go(units=[{"label": "A", "lon": away[-1]["lon"], "lat": away[-1]["lat"]}])
    with pytest.raises(InvalidParams, match="two stops are called 'X'"):
        go(stops=[{**FIVE[0], "code": "X"}, {**FIVE[1], "code": "X"}])


def test_one_way_streets_are_obeyed() -> None:
    ring = [[(0, 0), (1_000, 0)], [(1_000, 0), (1_000, 1_000)], [(1_000, 1_000), (0, 1_000)], [(0, 1_000), (0, 0)]]
    streets = segments_of(*ring).assign(oneway=True)
    posts = points((500, 0), kind="police_post")
    asked = stops((1_000, 500), (500, 1_000), (0, 500))
    result = gis.patrol_routes(streets, posts, profile=PROFILE, stops=asked, units_count=1, shift_min=120)
    order = result.features["stop_code"].tolist()
    assert order == ["P0", "S1", "S2", "S3", "P0"]
    assert result.summary["timetable"][0]["distance_km"] == pytest.approx(4, abs=0.01)


def test_the_demo_city_goes_out_tonight(tmp_path) -> None:
    city = gis.City.demo()
    result = gis.patrol_routes(
        city.segments, city.posts, city.checkpoints, city.incidents, districts=city.districts, hotspots_count=12
    )
    rows = result.features
    assert rows["unit_label"].nunique() == 6
    made = set(rows["stop_code"][rows["stop_kind"] == "checkpoint"])
    due = city.checkpoints[city.checkpoints["window_from"].isna()]["source_id"]
    assert set(due) <= made
    assert result.summary["profit_share"] > 0.9
    assert result.summary["timetable"][0].keys() >= {"unit_label", "leave_clock", "back_clock", "distance_km"}
    path = tmp_path / "night.gpx"
    write_gpx(path, rows, about={"title": "Tonight", "notice": "SYNTHETIC"})
    check_gpx(path, units=6, stops=int((~rows["stop_kind"].isin(["start", "end"])).sum()))


ORDER = {
    "gpx": ["metadata", "wpt", "rte", "trk", "extensions"],
    "metadata": ["name", "desc", "author", "copyright", "link", "time", "keywords", "bounds", "extensions"],
    "wpt": ["ele", "time", "magvar", "geoidheight", "name", "cmt", "desc", "src", "link", "sym", "type", "extensions"],
    "rte": ["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "rtept"],
    "trk": ["name", "cmt", "desc", "src", "link", "number", "type", "extensions", "trkseg"],
    "trkseg": ["trkpt", "extensions"],
}
ORDER |= {"rtept": ORDER["wpt"], "trkpt": ORDER["wpt"]}
MANY = {"wpt", "rte", "trk", "rtept", "trkpt", "trkseg", "link"}


def check_gpx(path, *, units: int, stops: int) -> None:
    """The rules of the GPX 1.1 schema for every element there is: names, order, how often, coordinates."""
    root = ET.parse(path).getroot()  # noqa: S314 - our own file
    assert root.tag == f"{{{NAMESPACE}}}gpx"
    assert root.get("version") == "1.1"
    assert root.get("creator")
    for element in root.iter():
        name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        children = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]
        allowed = ORDER.get(name, [])
        assert set(children) <= set(allowed), name
        assert [allowed.index(child) for child in children] == sorted(allowed.index(child) for child in children)
        assert all(children.count(child) == 1 for child in set(children) - MANY)
        if name in ("wpt", "rtept", "trkpt"):
            assert -90 <= float(element.get("lat")) <= 90
            assert -180 <= float(element.get("lon")) < 180
            assert set(element.attrib) == {"lat", "lon"}
    space = {"g": NAMESPACE}
    assert len(root.findall("g:rte", space)) == len(root.findall("g:trk", space)) == units
    assert len(root.findall("g:wpt", space)) == stops
    assert len(root.findall("g:rte/g:rtept", space)) == stops + 2 * units
    assert [int(one.text) for one in root.findall("g:rte/g:number", space)] == list(range(1, units + 1))


def test_gpx_holds_times_and_any_name_and_refuses_other_rows(tmp_path) -> None:
    named = [{**FIVE[0], "name": "市场 <A> & \x01Co"}, *FIVE[1:]]
    result = go(stops=named, shift_on="2025-03-03", shift_start="22:30")
    path = tmp_path / "night.gpx"
    write_gpx(path, result.features, about={"title": "Night"})
    check_gpx(path, units=2, stops=5)
    root = ET.parse(path).getroot()  # noqa: S314 - our own file
    names = [one.text for one in root.iter(f"{{{NAMESPACE}}}name")]
    assert any("市场 <A> & Co" in name for name in names)
    times = [pd.Timestamp(one.text) for one in root.iter(f"{{{NAMESPACE}}}time")]
    assert min(times) > pd.Timestamp("2025-03-03T14:30Z")
    assert len(times) == 5 + 5 + 2
    track = root.find("g:trk/g:trkseg", {"g": NAMESPACE})
    spots = [(one.get("lon"), one.get("lat")) for one in track]
    assert all(a != b for a, b in pairwise(spots))
    with pytest.raises(InvalidInput, match="GPX holds the routes of patrols"):
        write_gpx(path, POSTS, about={})
