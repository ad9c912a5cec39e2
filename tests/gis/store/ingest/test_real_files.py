"""Real files: the dirty outlines of Suzhou are refused with one report, Chicago goes in by the documented commands."""

from __future__ import annotations

import pandas as pd
import pytest

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.store import cities
from gis.store.frames import read_frame
from gis.store.ingest import ImportOptions, import_file, row_errors

DISTRICTS = ImportOptions(
    mapping={"code": "district_adcode", "name_zh": "district_name"},
    skip=("province_name", "province_adcode", "city_name", "city_adcode", "short_name", "lon", "lat"),
)


@pytest.fixture
def suzhou(shared_data):
    return shared_data / "suzhou"


@pytest.mark.parametrize("with_reference_in_the_store", [False, True])
def test_the_dirty_outlines_are_refused_with_one_report(store, city, suzhou, with_reference_in_the_store):
    if with_reference_in_the_store:
        import_file(store, city, "districts", suzhou / "district_tianditu_wgs84.geojson", DISTRICTS)
    path = suzhou / "dirty_echarts_gcj02.geojson"
    report = import_file(store, city, "districts", path, ImportOptions(crs="wgs84"))
    assert report.refused
    problems = {problem.code: problem for problem in report.problems}
    assert {"unknown_field", "missing_column", "crs_mismatch", "invalid_geometry"} <= set(problems)
    assert "GCJ-02" in problems["crs_mismatch"].message
    assert problems["invalid_geometry"].count == 8
    assert problems["invalid_geometry"].message.count("outer ring: ") == 8
    rows = [e.row_number for e in row_errors(store, city, report.batch_id) if e.code == "invalid_geometry"]
    assert len(set(rows)) == 8
    assert len(read_frame(store, city, "districts")) == 9 * with_reference_in_the_store


def test_declared_as_they_are_only_the_broken_rings_remain(store, city, suzhou):
    options = ImportOptions(crs="gcj02", mapping={"code": "name", "name_zh": "name"}, skip=("cp", "childNum"))
    report = import_file(store, city, "districts", suzhou / "dirty_echarts_gcj02.geojson", options)
    assert [(p.code, p.count) for p in report.problems] == [("invalid_geometry", 8)]


@pytest.mark.parametrize("name", ["district_tianditu_wgs84.geojson", "district_amap_wgs84.geojson"])
def test_good_outlines_go_in_without_a_doubt(store, city, suzhou, name):
    report = import_file(store, city, "districts", suzhou / name, DISTRICTS)
    assert (report.state, report.inserted, report.problems, report.warnings) == ("applied", 9, (), ())
    wrong = ImportOptions(crs="gcj02", mapping=DISTRICTS.mapping, skip=DISTRICTS.skip, source="again")
    report = import_file(store, city, "districts", suzhou / name, wrong)
    assert [p.code for p in report.problems] == ["crs_mismatch"]
    insisting = ImportOptions(crs="gcj02", mapping=wrong.mapping, skip=wrong.skip, source="again", trust_crs=True)
    report = import_file(store, city, "districts", suzhou / name, insisting)
    assert (report.state, [w.code for w in report.warnings]) == ("applied", ["crs_mismatch"])


def test_chicago_goes_in_by_the_documented_commands(store, shared_data):
    folder = shared_data / "chicago"
    profile = CityProfile(
        "chicago",
        Text("芝加哥", "Chicago"),
        "EPSG:26916",
        "America/Chicago",
        open_categories=True,
        grid_code_pattern=r"\d{3,4}",
    )
    city = cities.create(store, profile)
    beats = ImportOptions(mapping={"code": "beat_num"}, skip=("sector", "beat", "district"), dissolve="code")
    report = import_file(store, city, "grids", folder / "police_beats.geojson", beats)
    assert (report.state, report.rows_read, report.merged, report.inserted) == ("applied", 277, 2, 275)
    grids = read_frame(store, city, "grids")
    assert grids.code.is_unique
    assert grids.to_crs("EPSG:26916").area.sum() / 1e6 == pytest.approx(608.45, abs=0.01)

    options = ImportOptions(
        crs="wgs84",
        mapping={"source_id": "incident_id", "address": "block"},
        skip=("description", "location_type", "ward", "community_area"),
    )
    report = import_file(store, city, "incidents", folder / "incidents_2018.parquet", options)
    assert (report.state, report.inserted, report.rows_bad) == ("applied", 156_385, 0)
    assert [w.code for w in report.warnings] == ["skipped_hour"]
    frame = read_frame(store, city, "incidents").set_index("source_id")
    raw = pd.read_parquet(folder / "incidents_2018.parquet").set_index("incident_id")
    raw.index = raw.index.astype(str)
    clock = frame.occurred_at.dt.tz_convert("America/Chicago").dt.tz_localize(None).reindex(raw.index)
    off = (clock - raw.occurred_at)[lambda d: d != pd.Timedelta(0)]
    assert set(off) == {pd.Timedelta("1h")}
    assert len(off) == report.warnings[0].count
    assert (frame.geometry.x.reindex(raw.index) == raw.lon).all()
    assert (frame.category.reindex(raw.index) == raw.category).all()
    assert import_file(store, city, "incidents", folder / "incidents_2018.parquet", options).state == "already_applied"
