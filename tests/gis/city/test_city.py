"""A city in memory: the demo, files of every kind, and every problem of every file in one error."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

import gis
from gis.city import FRAMES
from gis.city.city import DEMO, City, FrameFile
from gis.contract.digest import digest
from gis.contract.profile import CityProfile
from gis.contract.service import profile_of
from gis.contract.text import Text
from gis.crs import wgs84_to_gcj02
from gis.errors import FrameMismatch, InvalidInput, NotFound
from gis.files.whole import FileOptions

PROFILE = CityProfile("small", Text("小城", "Small"), "EPSG:4549", "Asia/Shanghai")


@pytest.fixture(scope="module")
def demo() -> City:
    return City.demo()


@pytest.fixture
def incidents_csv(tmp_path: Path) -> Path:
    path = tmp_path / "incidents.csv"
    path.write_text(
        "source_id,occurred_at,category,lon,lat\n"
        "a,2026-05-01 08:30,theft,120.62,31.31\n"
        "b,2026-05-01T00:30:00Z,盗窃车辆,120.63,31.30\n",
        encoding="utf-8",
    )
    return path


def test_the_demo_has_every_frame(demo) -> None:
    assert list(demo.frames) == list(FRAMES)
    assert demo.profile.synthetic
    assert gis.City is City
    for name, frame in demo.frames.items():
        assert getattr(demo, name) is frame
        assert profile_of(frame) == demo.profile
        assert frame.crs == "EPSG:4326"


def test_the_demo_says_that_it_is_synthetic(demo) -> None:
    assert "synthetic" in repr(demo).lower()
    assert "incidents 100,000" in repr(demo)
    page = demo._repr_html_()
    assert "合成数据 Synthetic data" in page
    assert "city.incidents" in page
    assert "100,000" in page


def test_the_table_escapes_names(demo) -> None:
    named = CityProfile("x", Text("<b>", "<script>alert(1)</script>"), "EPSG:4549", "UTC")
    assert "<script>" not in City(named, {"posts": demo.posts})._repr_html_()


def test_reading_the_demo_as_a_users_files_gives_the_same(demo) -> None:
    names = [name for name in FRAMES if name not in {"blocks", "beats", "districts"}]
    read = City.from_files(DEMO / "city.toml", **{name: DEMO / f"{name}.parquet" for name in names})
    assert read.profile == demo.profile
    for name in names:
        assert list(read.frames[name].columns) == list(demo.frames[name].columns)
        assert (read.frames[name].dtypes == demo.frames[name].dtypes).all()
        assert digest(read.frames[name]) == digest(demo.frames[name]), name


def test_local_times_words_and_defaults_come_in_as_on_the_server(incidents_csv: Path) -> None:
    rows = City.from_files(PROFILE, crs="wgs84", incidents=incidents_csv).incidents
    assert rows["occurred_at"].tolist() == [pd.Timestamp("2026-05-01T00:30Z")] * 2
    assert rows["category"].tolist() == ["theft", "vehicle_theft"]
    assert rows["origin"].tolist() == ["import", "import"]


def test_gcj02_is_moved_to_where_it_really_is(tmp_path: Path) -> None:
    ((lon, lat),) = wgs84_to_gcj02(np.array([[120.62, 31.31]]))
    path = tmp_path / "posts.csv"
    path.write_text(f"source_id,kind,lon,lat\np1,police_post,{lon:.9f},{lat:.9f}\n", encoding="utf-8")
    for city in (
        City.from_files(PROFILE, crs="gcj02", posts=path),
        City.from_files(PROFILE, posts=FrameFile(path, FileOptions(crs="gcj02"))),
        City.from_files(PROFILE, crs="wgs84", posts=FrameFile(str(path), FileOptions(crs="gcj02"))),
    ):
        assert shapely.get_coordinates(city.posts.geometry.to_numpy())[0] == pytest.approx([120.62, 31.31], abs=1e-7)


@pytest.mark.parametrize("ending", ["gpkg", "geojson", "parquet"])
def test_grids_of_any_format(tmp_path: Path, demo, ending: str) -> None:
    some = demo.grids.head(5)[["code", "community_code", "kind", "name_zh", "geometry"]]
    path = tmp_path / f"grids.{ending}"
    some.to_parquet(path) if ending == "parquet" else some.to_file(path)
    grids = City.from_files(PROFILE, grids=path).grids
    assert grids["code"].tolist() == some["code"].tolist()
    assert shapely.equals_exact(grids.geometry.to_numpy(), some.geometry.to_numpy(), 1e-9).all()


def test_without_a_profile_the_frames_say_where_to_measure(incidents_csv: Path) -> None:
    city = City.from_files(crs="wgs84", time_zone="Asia/Shanghai", incidents=incidents_csv)
    assert city.profile.metric_crs == "EPSG:32651"
    assert city.profile.time_zone == "Asia/Shanghai"
    with pytest.raises(InvalidInput, match="time_zone"):
        City.from_files(crs="wgs84", incidents=incidents_csv)
    with pytest.raises(InvalidInput, match="leave out time_zone"):
        City.from_files(PROFILE, crs="wgs84", time_zone="UTC", incidents=incidents_csv)


def test_one_error_names_every_problem_of_every_file(tmp_path: Path, incidents_csv: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(
        "source_id,occurred_at,category,lon,lat\n"
        "a,yesterday,theft,120.6,31.3\n"
        "a,2026-05-01,nonsense,120.6,31.3\n"
        "a,2026-05-01,theft,120.6,31.3\n"
        "a,2026-05-01,theft,120.6,31.3\n",
        encoding="utf-8",
    )
    posts = tmp_path / "posts.csv"
    posts.write_text("kind,lon,lat\npolice_post,120.6,31.3\n", encoding="utf-8")
    with pytest.raises(FrameMismatch) as caught:
        City.from_files(PROFILE, crs="wgs84", incidents=bad, posts=posts, rentals=tmp_path / "absent.csv")
    found = {(p.field, p.code): p for p in caught.value.problems}
    assert {
        ("incidents.occurred_at", "not_a_time"),
        ("incidents.category", "unknown_code"),
        ("incidents.source_id", "duplicate_id"),
        ("posts.source_id", "no_identifier"),
        ("rentals", "unreadable_file"),
    } <= set(found)
    assert found["incidents.occurred_at", "not_a_time"].rows == (1,)
    assert found["incidents.source_id", "duplicate_id"].rows == (4,)
    with pytest.raises(FrameMismatch, match="does not say what its coordinates are in"):
        City.from_files(PROFILE, incidents=incidents_csv)


def test_a_file_about_persons_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rentals.csv"
    path.write_text("source_id,tenant,lon,lat\nr1,somebody,120.6,31.3\n", encoding="utf-8")
    with pytest.raises(FrameMismatch, match="describes a person"):
        City.from_files(PROFILE, crs="wgs84", rentals=path)


def test_an_absent_frame_and_a_wrong_name_are_told_apart(demo) -> None:
    city = City(demo.profile, {"posts": demo.posts})
    with pytest.raises(NotFound, match="no grids; it has posts"):
        _ = city.grids
    with pytest.raises(AttributeError, match="no 'tenants'"):
        _ = city.tenants
    with pytest.raises(NotFound, match="no frame tenants"):
        City.from_files(PROFILE, tenants="tenants.csv")
    with pytest.raises(NotFound, match="no frame tenants"):
        City(demo.profile, {"tenants": demo.posts})
    with pytest.raises(InvalidInput, match="at least one file"):
        City.from_files(PROFILE)


def test_a_frame_keeps_its_profile_through_a_file(tmp_path: Path, demo) -> None:
    demo.posts.to_parquet(tmp_path / "posts.parquet")
    assert profile_of(gpd.read_parquet(tmp_path / "posts.parquet")) == demo.profile


def test_a_city_leaves_the_frames_it_is_given_alone(demo) -> None:
    own = gpd.GeoDataFrame(demo.posts.drop(columns=[]), crs=demo.posts.crs)
    own.attrs = {}
    City(PROFILE, {"posts": own})
    assert own.attrs == {}
