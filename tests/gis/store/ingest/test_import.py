"""What an import does with good, bad, repeated and changed files."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import CrsMissing, FrameMismatch, InvalidInput, NotFound, UnsupportedMedia
from gis.store import cities
from gis.store.frames import read_frame, versions
from gis.store.ingest import ImportOptions, batches, import_file, row_errors
from gis.store.tables import FRAME_TABLES, STAGE_TABLES

WGS84 = ImportOptions(crs="wgs84", source="office")
HEAD = "source_id,kind,name_zh,positions_count,lon,lat\n"
POSTS = HEAD + "00123,police_box,一号,4,120.61,31.31\np2,police_box,二号,,120.62,31.32\n"


def write(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def post_kind():
    from gis.city.codebook import codebook

    return next(iter(codebook("post_kinds")))


@pytest.fixture
def posts(post_kind):
    return POSTS.replace("police_box", post_kind)


def stored(store, city, frame_id, *names):
    table = FRAME_TABLES[frame_id]
    with store.transaction(city.scope, read_only=True) as connection:
        query = sa.select(*(table.c[name] for name in names)).where(table.c.city_id == city.id)
        return sorted(map(tuple, connection.execute(query.order_by(table.c.id))), key=str)


def frame_version(store, city, frame_id):
    with store.transaction(city.scope, read_only=True) as connection:
        return versions(connection, city.id, [frame_id])[frame_id]


def codes(report):
    return {(problem.field, problem.code): problem for problem in report.problems}


def test_a_good_file_is_applied_and_text_stays_text(store, city, tmp_path, posts):
    report = import_file(store, city, "posts", write(tmp_path, "posts.csv", posts), WGS84)
    assert (report.state, report.inserted, report.updated, report.rows_bad) == ("applied", 2, 0, 0)
    assert stored(store, city, "posts", "source_id", "positions_count", "source") == [
        ("00123", 4, "office"),
        ("p2", None, "office"),
    ]
    frame = read_frame(store, city, "posts")
    assert sorted(frame.geometry.x) == [120.61, 120.62]


def test_the_same_file_again_changes_nothing(store, city, tmp_path, posts):
    path = write(tmp_path, "posts.csv", posts)
    first = import_file(store, city, "posts", path, WGS84)
    before = stored(store, city, "posts", "id", "version", "batch_id")
    again = import_file(store, city, "posts", path, WGS84)
    assert (again.state, again.batch_id, again.inserted) == ("already_applied", first.batch_id, 0)
    assert stored(store, city, "posts", "id", "version", "batch_id") == before
    assert frame_version(store, city, "posts") == 1
    assert len(batches(store, city)) == 1


def test_one_changed_row_raises_exactly_one_version(store, city, tmp_path, posts):
    import_file(store, city, "posts", write(tmp_path, "posts.csv", posts), WGS84)
    report = import_file(store, city, "posts", write(tmp_path, "posts.csv", posts.replace(",4,", ",5,")), WGS84)
    assert (report.inserted, report.updated, report.unchanged) == (0, 1, 1)
    assert stored(store, city, "posts", "source_id", "version", "positions_count") == [("00123", 2, 5), ("p2", 1, None)]
    assert frame_version(store, city, "posts") == 2


def test_an_older_file_can_be_brought_back(store, city, tmp_path, posts):
    old, new = (write(tmp_path, f"{i}.csv", text) for i, text in enumerate([posts, posts.replace(",4,", ",5,")]))
    for path in (old, new):
        import_file(store, city, "posts", path, WGS84)
    report = import_file(store, city, "posts", old, WGS84)
    assert (report.state, report.updated) == ("applied", 1)
    assert stored(store, city, "posts", "source_id", "positions_count")[0] == ("00123", 4)


def test_the_same_rows_of_another_source_are_other_rows(store, city, tmp_path, posts):
    path = write(tmp_path, "posts.csv", posts)
    import_file(store, city, "posts", path, WGS84)
    assert import_file(store, city, "posts", path, ImportOptions(crs="wgs84", source="other")).inserted == 2


def test_a_dry_run_shows_the_report_and_nothing_else(store, city, tmp_path, posts):
    path = write(tmp_path, "posts.csv", posts)
    dry = import_file(store, city, "posts", path, ImportOptions(crs="wgs84", source="office", dry_run=True))
    assert (dry.state, dry.rows_read, dry.inserted) == ("staged", 2, 0)
    assert stored(store, city, "posts", "id") == []
    assert frame_version(store, city, "posts") == 0
    wet = import_file(store, city, "posts", path, WGS84)
    assert (wet.state, wet.batch_id, wet.inserted) == ("applied", dry.batch_id, 2)


def test_every_problem_of_every_row_is_reported_at_once(store, city, tmp_path, post_kind):
    text = HEAD + (
        f"a,{post_kind},好,many,120.6,31.3\n"
        "b,palace,好,-1,120.6,31.3\n"
        f",{post_kind},好,1,2.3,48.8\n"
        f"c,{post_kind},好,1,31.3,120.6\n"
        f"d,{post_kind},好,1,120.6\n"
        f"e,{post_kind},好,1,120.6,31.3\n"
        f"e,{post_kind},好,2,120.6,31.3\n"
        f"f,{post_kind},好,2,x,31.3\n"
        f"g,{post_kind},好,2,,\n"
    )
    report = import_file(store, city, "posts", write(tmp_path, "posts.csv", text), WGS84)
    assert report.refused
    assert {(e.row_number, e.field, e.code) for e in row_errors(store, city, report.batch_id)} == {
        (1, "positions_count", "not_a_whole_number"),
        (2, "kind", "unknown_code"),
        (2, "positions_count", "too_small"),
        (3, "source_id", "missing_value"),
        (3, "geometry", "outside_area"),
        (4, "geometry", "outside_area"),
        (5, "", "unreadable_row"),
        (6, "source_id", "duplicate_identifier"),
        (7, "source_id", "duplicate_identifier"),
        (8, "geometry", "not_a_number"),
        (9, "geometry", "missing_geometry"),
    }
    assert report.rows_bad == 9
    problems = codes(report)
    assert problems["source_id", "duplicate_identifier"].message == (
        "row 6: the same identifier stands in row 7; row 7: the same identifier stands in row 6"
    )
    assert "exchanged" in problems["geometry", "outside_area"].message
    assert "'palace'" in problems["kind", "unknown_code"].message
    assert stored(store, city, "posts", "id") == []
    assert [row for frame in STAGE_TABLES.values() for row in _rows(store, city, frame)] == []
    with pytest.raises(FrameMismatch) as caught:
        report.raise_if_refused()
    assert len(caught.value.problems) == len(report.problems)


def _rows(store, city, table):
    with store.transaction(city.scope, read_only=True, as_owner=True) as connection:
        return connection.execute(sa.select(table)).all()


def test_the_good_rows_can_be_taken_alone(store, city, tmp_path, posts):
    path = write(tmp_path, "posts.csv", posts + "p3,no such kind,x,1,120.6,31.3\n")
    assert import_file(store, city, "posts", path, WGS84).refused
    report = import_file(store, city, "posts", path, ImportOptions(crs="wgs84", source="office", allow_partial=True))
    assert (report.state, report.inserted, report.rows_bad, len(report.problems)) == ("applied", 2, 1, 1)


def test_every_unknown_field_is_named_with_its_nearest_column(store, city, tmp_path):
    text = "source_id,kind,position_count,weather,lon,lat\na,x,1,fine,120.6,31.3\n"
    report = import_file(store, city, "posts", write(tmp_path, "posts.csv", text), WGS84)
    assert report.refused
    unknown = {p.field: p.message for p in report.problems if p.code == "unknown_field"}
    assert set(unknown) == {"position_count", "weather"}
    assert "positions_count" in unknown["position_count"]
    options = ImportOptions(crs="wgs84", mapping={"positions_count": "position_count"}, skip=("weather",))
    assert set(codes(import_file(store, city, "posts", tmp_path / "posts.csv", options))) == {("kind", "unknown_code")}


def test_titles_of_columns_and_words_of_codebooks_are_understood(store, city, tmp_path, post_kind):
    from gis.city.codebook import codebook

    word = codebook("post_kinds")[post_kind].zh
    path = write(tmp_path, "posts.csv", f"来源编号,类别,名称,经度,纬度\np1,{word},一号,120.6,31.3\n")
    options = ImportOptions(crs="wgs84", mapping={"kind": "类别"})
    report = import_file(store, city, "posts", path, options)
    assert (report.state, report.problems) == ("applied", ())
    assert stored(store, city, "posts", "source_id", "kind", "name_zh") == [("p1", post_kind, "一号")]


@pytest.mark.parametrize("name", ["tenant_name", "联系电话", "身份证号", "ownerPhone", "车牌号", "name"])
def test_a_field_about_persons_is_refused_unless_it_is_left_out(store, city, tmp_path, name):
    text = f"source_id,{name},lon,lat\nr1,secret,120.6,31.3\n"
    path = write(tmp_path, "rentals.csv", text)
    report = import_file(store, city, "rentals", path, WGS84)
    assert [p.code for p in report.problems] == ["personal_field"]
    mapped = ImportOptions(crs="wgs84", mapping={"address": name})
    assert "personal_field" in [p.code for p in import_file(store, city, "rentals", path, mapped).problems]
    assert "secret" not in json.dumps([b.report.as_dict() for b in batches(store, city)])
    skipped = ImportOptions(crs="wgs84", skip=(name,))
    assert import_file(store, city, "rentals", path, skipped).state == "applied"


def test_a_personal_value_is_an_error_and_is_repeated_nowhere(store, city, tmp_path):
    values = ["call 13812345678", "苏E·12345", "11010519491231002X"]
    rows = "".join(f"r{i},{value},120.6,31.3\n" for i, value in enumerate(values))
    path = write(tmp_path, "rentals.csv", "source_id,address,lon,lat\n" + rows + "r9,干将路 1 号,120.6,31.3\n")
    report = import_file(store, city, "rentals", path, ImportOptions(crs="wgs84", allow_partial=True))
    assert {code for _, code in codes(report)} == {"mobile_number", "vehicle_plate", "identity_number"}
    assert (report.inserted, report.rows_bad) == (1, 3)
    said = json.dumps([report.as_dict(), [e.message for e in row_errors(store, city, report.batch_id)]])
    assert not any(value in said for value in ("13812345678", "12345", "110105"))


def test_a_bow_tie_is_named_with_its_ring_and_never_repaired(store, city, tmp_path):
    outer = "(120.7 31.3, 120.8 31.3, 120.8 31.4, 120.7 31.4, 120.7 31.3)"
    hole = "(120.72 31.32, 120.74 31.34, 120.74 31.32, 120.72 31.34, 120.72 31.32)"
    path = write(
        tmp_path,
        "beats.csv",
        "code;wkt\nA;POLYGON ((120.6 31.3, 120.7 31.4, 120.7 31.3, 120.6 31.4, 120.6 31.3))\n"
        f"B;POLYGON ({outer}, {hole})\nC;POLYGON ((120.6 31.3, 120.7 31.3, 120.7 31.4, 120.6 31.3))\n",
    )
    report = import_file(store, city, "beats", path, ImportOptions(crs="wgs84", allow_partial=True))
    errors = {e.row_number: e.message for e in row_errors(store, city, report.batch_id)}
    assert errors[1] == "outer ring: self-intersection at 120.65 31.35"
    assert errors[2].startswith("hole 1: self-intersection at 120.73")
    assert stored(store, city, "beats", "source_id") == [("C",)]


def test_a_place_that_the_source_withholds_is_data(store, city, tmp_path):
    path = write(
        tmp_path,
        "incidents.csv",
        "source_id,occurred_at,category,location_withheld,x,y\n"
        "zero,2024-05-01 00:00,theft,,0,0\n"
        "none,2024-05-01 10:00,theft,,,\n"
        "said,2024-05-01 10:00,theft,true,120.6,31.3\n"
        "here,2024-05-01 10:00,theft,false,120.6,31.3\n"
        "gulf,2024-05-01 10:00,theft,,0,0\n",
    )
    report = import_file(store, city, "incidents", path, ImportOptions(crs="wgs84", allow_partial=True))
    assert (report.withheld, report.inserted) == (3, 4)
    assert [(e.row_number, e.code) for e in row_errors(store, city, report.batch_id)] == [
        (3, "place_dropped"),
        (5, "outside_area"),
    ]
    frame = read_frame(store, city, "incidents").set_index("source_id")
    assert frame.geometry.isna().to_dict() == {"zero": True, "none": True, "said": True, "here": False}
    assert (frame.location_withheld == frame.geometry.isna()).all()


def test_local_times_are_read_by_the_clock_of_the_city(store, tmp_path):
    profile = CityProfile("lake", Text("湖", "Lake"), "EPSG:26916", "America/Chicago", open_categories=True)
    city = cities.create(store, profile)
    path = write(
        tmp_path,
        "incidents.csv",
        "source_id,occurred_at,category,lon,lat\n"
        "summer,2018-07-01 12:00,THEFT,-87.6,41.8\n"
        "gap,2018-03-11 02:30,THEFT,-87.6,41.8\n"
        "fold,2018-11-04 01:30,THEFT,-87.6,41.8\n"
        "zoned,2018-07-01T12:00:00Z,THEFT,-87.6,41.8\n",
    )
    report = import_file(store, city, "incidents", path, ImportOptions(crs="wgs84"))
    assert {(w.code, w.rows) for w in report.warnings} == {("skipped_hour", (2,)), ("repeated_hour", (3,))}
    times = read_frame(store, city, "incidents").set_index("source_id").occurred_at.dt.strftime("%m-%d %H:%M")
    assert times.to_dict() == {
        "summer": "07-01 17:00",
        "gap": "03-11 08:30",
        "fold": "11-04 06:30",
        "zoned": "07-01 12:00",
    }


def test_an_open_city_takes_its_own_categories_but_none_that_is_out_of_scope(store, tmp_path):
    profile = CityProfile("open", Text("开", "Open"), "EPSG:4549", "Asia/Shanghai", open_categories=True)
    city = cities.create(store, profile)
    words = ["PUBLIC PEACE VIOLATION", "Religious gathering", "群众上访", "Political rally", "乱扔垃圾"]
    rows = "".join(f"{i},2024-05-01,{word},120.6,31.3\n" for i, word in enumerate(words))
    path = write(tmp_path, "incidents.csv", "source_id,occurred_at,category,lon,lat\n" + rows)
    report = import_file(store, city, "incidents", path, ImportOptions(crs="wgs84", allow_partial=True))
    assert codes(report)["category", "refused_category"].rows == (2, 3, 4)
    assert stored(store, city, "incidents", "category") == [("PUBLIC PEACE VIOLATION",), ("乱扔垃圾",)]


def test_rows_without_an_identifier_need_one_from_somewhere(store, city, tmp_path):
    text = "occurred_at,category,lon,lat\n" + "2024-05-01 10:00,theft,120.6,31.3\n" * 2
    path = write(tmp_path, "incidents.csv", text)
    assert [p.code for p in import_file(store, city, "incidents", path, WGS84).problems] == ["no_identifier"]
    options = ImportOptions(crs="wgs84", source="office", id_from_content=True)
    assert import_file(store, city, "incidents", path, options).inserted == 2
    path.write_text(text + "2024-05-02 10:00,theft,120.6,31.3\n")
    again = import_file(store, city, "incidents", path, options)
    assert (again.inserted, again.updated, again.unchanged) == (1, 0, 2)


GRID = "POLYGON(({w} 31.3, {e} 31.3, {e} 31.4, {w} 31.4, {w} 31.3))"


def grids(*rows):
    head = "code;valid_from;valid_to;wkt\n"
    return head + "".join(f"{c};{a};{b};{GRID.format(w=w, e=w + 0.05)}\n" for c, a, b, w in rows)


CODE = "320508001001001"


def test_a_changed_grid_is_changed_in_place_and_a_new_first_day_makes_a_new_version(store, city, tmp_path):
    path = write(tmp_path, "grids.csv", grids((CODE, "2020-01-01", "", 120.6)))
    import_file(store, city, "grids", path, WGS84)
    path.write_text(grids((CODE, "2020-01-01", "", 120.61)))
    report = import_file(store, city, "grids", path, WGS84)
    assert (report.inserted, report.updated) == (0, 1)
    path.write_text(grids((CODE, "2024-01-01", "", 120.62)))
    report = import_file(store, city, "grids", path, WGS84)
    assert (report.inserted, report.updated) == (1, 0)
    rows = stored(store, city, "grids", "source_id", "valid_from", "valid_to", "version")
    assert [(r[0], str(r[1]), str(r[2]), r[3]) for r in rows] == [
        (f"{CODE}@2020-01-01", "2020-01-01", "2024-01-01", 3),
        (f"{CODE}@2024-01-01", "2024-01-01", "None", 1),
    ]


def test_versions_that_overlap_are_refused_row_by_row(store, city, tmp_path):
    path = write(tmp_path, "a.csv", grids((CODE, "2020-01-01", "", 120.6), (CODE, "2021-01-01", "", 120.6)))
    report = import_file(store, city, "grids", path, WGS84)
    assert codes(report)["valid_from", "versions_overlap"].rows == (1, 2)
    import_file(store, city, "grids", write(tmp_path, "b.csv", grids((CODE, "2020-01-01", "", 120.6))), WGS84)
    other = ImportOptions(crs="wgs84", source="another office")
    report = import_file(store, city, "grids", tmp_path / "b.csv", other)
    assert codes(report)["valid_from", "versions_overlap"].rows == (1,)
    path = write(tmp_path, "c.csv", grids((CODE, "2020-01-01", "2019-01-01", 120.6), ("12", "2020-01-01", "", 120.7)))
    report = import_file(store, city, "grids", path, WGS84)
    assert set(codes(report)) == {("valid_to", "ends_before_it_begins"), ("code", "wrong_grid_code")}


def test_areas_of_one_code_can_be_united_unless_they_differ(store, city, tmp_path):
    text = "code;name_en;wkt\n" + "".join(
        f"{code};{name};{GRID.format(w=w, e=w + 0.01)}\n"
        for code, name, w in (
            ("A", "x", 120.60),
            ("A", "x", 120.61),
            ("B", "x", 120.63),
            ("C", "x", 120.7),
            ("C", "y", 120.8),
        )
    )
    path = write(tmp_path, "beats.csv", text)
    assert codes(import_file(store, city, "beats", path, WGS84))["source_id", "duplicate_identifier"].count == 4
    options = ImportOptions(crs="wgs84", source="office", dissolve="code", allow_partial=True)
    report = import_file(store, city, "beats", path, options)
    assert (report.merged, report.inserted) == (1, 2)
    assert codes(report)["code", "dissolve_differs"].rows == (4, 5)
    frame = read_frame(store, city, "beats").set_index("code")
    assert frame.geometry["A"].bounds == pytest.approx((120.60, 31.3, 120.62, 31.4))


def test_coordinates_need_a_declared_reference_system_where_the_format_names_none(store, city, tmp_path, posts):
    path = write(tmp_path, "posts.csv", posts)
    with pytest.raises(CrsMissing):
        import_file(store, city, "posts", path, ImportOptions())
    with pytest.raises(InvalidInput):
        import_file(store, city, "posts", path, ImportOptions(crs="mars"))
    assert batches(store, city) == []


def test_projected_and_shifted_coordinates_arrive_in_wgs84(store, city, tmp_path, post_kind):
    rows = {
        "epsg:4549": "557122.865,3464391.326",
        "gcj02": "120.604169816,31.297812483",
        "bd09": "120.610560389,31.304161097",
    }
    for crs, place in rows.items():
        path = write(tmp_path, "posts.csv", f"source_id,kind,x,y\n{crs},{post_kind},{place}\n")
        assert import_file(store, city, "posts", path, ImportOptions(crs=crs)).state == "applied"
    frame = read_frame(store, city, "posts")
    assert len(frame) == 3
    assert frame.geometry.x.to_numpy() == pytest.approx(120.6, abs=1e-7)
    assert frame.geometry.y.to_numpy() == pytest.approx(31.3, abs=1e-7)


def test_files_and_frames_that_are_not_there(store, city, tmp_path):
    with pytest.raises(NotFound):
        import_file(store, city, "people", tmp_path / "x.csv", WGS84)
    with pytest.raises(InvalidInput):
        import_file(store, city, "posts", tmp_path / "x.csv", WGS84)
    with pytest.raises(UnsupportedMedia):
        import_file(store, city, "posts", write(tmp_path, "x.kml", "<kml/>"), WGS84)


def test_imports_of_one_city_are_not_those_of_another(store, city, tmp_path, posts):
    path = write(tmp_path, "posts.csv", posts)
    other = cities.create(store, CityProfile("other", Text("另", "Other"), "EPSG:4549", "Asia/Shanghai"))
    report = import_file(store, city, "posts", path, WGS84)
    assert import_file(store, other, "posts", path, WGS84).state == "applied"
    assert len(batches(store, city)) == len(batches(store, other)) == 1
    with pytest.raises(NotFound):
        row_errors(store, other, report.batch_id)
