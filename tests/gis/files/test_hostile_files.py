"""Files made to harm: each is refused by the right name, quickly, and nothing of it is done."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from gis.errors import InvalidInput, TooLarge, UnsupportedMedia
from gis.files import sandbox
from gis.files.child.request import Request
from gis.files.formats import FORMATS
from gis.files.limits import MEGABYTE, Limits
from gis.files.read import ReadOptions, open_file
from tests.support.hostile import VRT, listening

GML = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY secret SYSTEM "file://{canary}">]>
<gml:FeatureCollection xmlns:gml="http://www.opengis.net/gml"><gml:featureMember><a><b>&secret;</b></a>
</gml:featureMember></gml:FeatureCollection>"""
KML = """<?xml version="1.0"?><!DOCTYPE kml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>&b;</name></Placemark></kml>"""


def read_all(path: Path, **options) -> list:
    with open_file(path, ReadOptions(**options)) as reading:
        return list(reading.chunks)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary.csv"
    path.write_text("secret,lon,lat\nswordfish,120.6,31.3\n")
    return path


@pytest.mark.parametrize("ending", [".vrt", ".geojson", ".gpkg", ".zip", ".csv", ".json", ".parquet"])
def test_a_virtual_raster_is_refused_under_every_name(tmp_path, canary, ending):
    path = tmp_path / f"upload{ending}"
    path.write_text(VRT.format(source=f"CSV:{canary}", layer="canary"))
    with pytest.raises(UnsupportedMedia) as caught:
        read_all(path)
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize("text", [GML, KML])
@pytest.mark.parametrize("ending", [".gml", ".kml", ".geojson", ".csv"])
def test_markup_with_entities_is_refused_under_every_name(tmp_path, canary, text, ending):
    path = tmp_path / f"upload{ending}"
    path.write_text(text.replace("{canary}", str(canary)))
    with pytest.raises(UnsupportedMedia):
        read_all(path)


def test_a_geojson_that_describes_a_gdal_pipeline_reads_no_other_file(tmp_path, canary):
    path = tmp_path / "upload.geojson"
    path.write_text(f'{{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read {canary} ! edit"}}')
    with pytest.raises(InvalidInput) as caught:
        read_all(path)
    assert "swordfish" not in str(caught.value)


def test_no_file_makes_the_reader_call_out(tmp_path):
    with listening() as (port, calls):
        address = f"/vsicurl/http://127.0.0.1:{port}/x.csv"
        path = tmp_path / "upload.geojson"
        path.write_text(VRT.format(source=address, layer="x"))
        with pytest.raises(UnsupportedMedia):
            read_all(path)
        with pytest.raises(InvalidInput):
            read_all(Path(address))
        path.write_text(f'{{"type": "FeatureCollection", "features": [], "$ref": "{address}"}}')
        with pytest.raises(InvalidInput):
            read_all(path)
    assert calls == []


def test_a_zip_bomb_is_refused_by_its_directory_alone(tmp_path, monkeypatch):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.shp", "w") as member:
        for _ in range(300):
            member.write(b"\0" * MEGABYTE)
    monkeypatch.setattr(sandbox, "reading", lambda request: pytest.fail(f"opened {request}"))
    assert path.stat().st_size < MEGABYTE
    with pytest.raises(TooLarge, match="300 MB"):
        read_all(path)


def test_a_member_that_swells_too_much_is_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * 50 * MEGABYTE)
    with pytest.raises(TooLarge, match="200 times"):
        read_all(path)


def test_too_many_members_are_refused(tmp_path):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(300):
            archive.writestr(f"{number}.txt", "x")
    with pytest.raises(TooLarge, match="300 files"):
        read_all(path)


@pytest.mark.parametrize("ending", [".zip", ".xlsx"])
@pytest.mark.parametrize("name", ["../a.shp", "/etc/a.shp", "x/../../a.shp", "C:/a.shp", "..\\a.shp"])
def test_a_member_outside_the_folder_is_refused(tmp_path, name, ending):
    path = tmp_path / f"slip{ending}"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "x")
    with pytest.raises(InvalidInput, match="outside the folder"):
        read_all(path)


def test_a_link_in_a_zip_is_refused(tmp_path, canary):
    path = tmp_path / "link.zip"
    info = zipfile.ZipInfo("a.shp")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, str(canary))
    with pytest.raises(InvalidInput, match="is a link"):
        read_all(path)


@pytest.mark.asvs("1.5.1")
def test_a_workbook_with_a_document_type_is_refused(tmp_path):
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><workbook/>')
    with pytest.raises(InvalidInput, match="document type"):
        read_all(path)


@pytest.mark.parametrize(
    "text",
    [
        '{"a":' + "[" * 200_000,
        '{"type":"FeatureCollection","features":[' + '{"type":"GeometryCollection","geometries":[' * 20_000,
        '{"a":"' + '\\"' * 10 + '",' + '"b":' + "{" * 50,
    ],
)
def test_deep_json_is_refused_without_parsing(tmp_path, text, monkeypatch):
    path = tmp_path / "deep.geojson"
    path.write_text(text)
    monkeypatch.setattr(sandbox, "reading", lambda request: pytest.fail(f"opened {request}"))
    with pytest.raises(InvalidInput, match="brackets"):
        read_all(path)


def test_deep_json_in_one_line_of_many_is_that_line_s_trouble(tmp_path):
    path = tmp_path / "deep.ndjson"
    good = '{"type":"Feature","properties":{"a":1},"geometry":{"type":"Point","coordinates":[120.6,31.3]}}'
    path.write_text(good + "\n" + "{" + '"a":' + "[" * 200_000 + "\n" + good + "\n")
    chunk = read_all(path)[0]
    assert chunk.troubles.tolist() == [None, "unreadable_row", None]


def test_nested_collections_in_wkt_never_reach_the_parser(tmp_path):
    path = tmp_path / "deep.csv"
    deep = "GEOMETRYCOLLECTION(" * 50_000 + "POINT(0 0)" + ")" * 50_000
    path.write_text(f'id,wkt\n1,"{deep}"\n2,POINT(1 2)\n3,"POLYGON((((((0 0"\n')
    assert read_all(path)[0].troubles.tolist() == ["unreadable_geometry", None, "unreadable_geometry"]


@pytest.mark.parametrize("coordinates", ["[1e999,1]", "[NaN,1]", "[-Infinity,1]"])
@pytest.mark.parametrize("ending", [".geojson", ".ndjson"])
def test_coordinates_that_are_no_finite_numbers_are_never_taken(tmp_path, coordinates, ending):
    feature = f'{{"type":"Feature","properties":{{}},"geometry":{{"type":"Point","coordinates":{coordinates}}}}}'
    path = tmp_path / f"endless{ending}"
    path.write_text(feature if ending == ".ndjson" else f'{{"type":"FeatureCollection","features":[{feature}]}}')
    try:
        chunks = read_all(path)
    except InvalidInput:
        return  # The driver would not read it at all, which is as good.
    assert chunks[0].troubles[0] in ("not_finite", "unreadable_row", "unreadable_geometry")
    assert chunks[0].geometry[0] is None


def test_coordinate_columns_tell_what_is_wrong_with_each_cell(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("id,lon,lat\n1,120.6,31.3\n2,inf,31\n3,abc,31\n4,,31\n5,,\n6, 1.206e2 ,31\n7,nan,31\n")
    chunk = read_all(path)[0]
    assert chunk.troubles.tolist() == [None, "not_finite", "not_a_number", "half_a_place", None, None, "not_finite"]
    assert [shape is None for shape in chunk.geometry] == [False, True, True, True, True, False, True]
    assert chunk.geometry[5].x == 120.6


def test_a_geometry_of_too_many_vertices_is_that_row_s_trouble(tmp_path):
    ring = ",".join(f"[{120 + i / 1e6},31]" for i in range(30_000))
    feature = f'{{"type":"Feature","properties":{{}},"geometry":{{"type":"LineString","coordinates":[{ring}]}}}}'
    path = tmp_path / "long.geojson"
    path.write_text(f'{{"type":"FeatureCollection","features":[{feature}]}}')
    assert read_all(path)[0].troubles.tolist() == ["too_many_vertices"]


def test_a_file_above_the_size_limit_is_not_opened(tmp_path):
    path = tmp_path / "large.csv"
    path.write_text("lon,lat\n" + "1,1\n" * 1000)
    with pytest.raises(TooLarge):
        read_all(path, limits=Limits(file_bytes=1000))


@pytest.mark.asvs("1.4.1", "15.2.2")
def test_a_reader_that_takes_too_much_memory_is_stopped(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("lon,lat\n1,1\n")
    with pytest.raises((TooLarge, InvalidInput)):
        read_all(path, limits=Limits(memory_bytes=64 * MEGABYTE))


@pytest.mark.asvs("15.2.2")
def test_a_reader_that_takes_too_much_time_is_killed(tmp_path):
    path = tmp_path / "points.ndjson"
    line = '{"type":"Feature","properties":{"a":1},"geometry":{"type":"Point","coordinates":[1,1]}}\n'
    path.write_text(line * 400_000)
    with pytest.raises(TooLarge, match="time or memory"):
        read_all(path, limits=Limits(processor_s=1))


def test_a_silent_reader_is_killed(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("lon,lat\n1,1\n")
    with pytest.raises(TooLarge, match="time or memory"):
        read_all(path, limits=Limits(silence_s=0.01))


@pytest.mark.asvs("13.2.5")
def test_gdal_knows_only_the_driver_that_is_asked_for(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("lon,lat\n1,1\n")
    for row in FORMATS.values():
        if row.driver is None:
            continue
        request = Request(str(path), "geopackage", row.driver, Limits(), {}, (), None, None, 10)
        with pytest.raises(InvalidInput), sandbox.reading(request):
            pass  # A CSV is read by none of them, whatever its content.


@pytest.mark.asvs("13.2.5", "13.3.2")
def test_the_reader_sees_no_variable_of_the_server(monkeypatch):
    monkeypatch.setenv("WANGGE_DATABASE_URL", "postgresql://secret")
    assert not {name for name in sandbox._environment("GPKG") if "WANGGE" in name}
    assert "OGR_VRT" in sandbox._environment("GPKG")["OGR_SKIP"].split(",")
    assert "GPKG" not in sandbox._environment("GPKG")["OGR_SKIP"].split(",")


def test_wrong_endings_are_named_as_such(tmp_path):
    book = io.BytesIO()
    with zipfile.ZipFile(book, "w") as archive:
        archive.writestr("a", "b")
    wrong = {"a.gpkg": book.getvalue(), "a.xlsx": b"SQLite format 3\0", "a.geojson": b"lon,lat\n1,2"}
    for name, content in wrong.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(UnsupportedMedia, match="whatever its name says"):
            read_all(path)
