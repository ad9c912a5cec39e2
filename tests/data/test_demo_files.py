"""The committed files: small, within their contracts, labelled, and what the generator makes."""

import json

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely

from data.synth import DEFAULT_SEED, generate
from data.synth.ground import SOURCES
from gis.city import FRAMES, codebooks
from gis.city.city import DEMO
from gis.contract.digest import digest
from gis.files.personal import personal_values

LARGEST_BYTES = 5_000_000


@pytest.fixture(scope="module")
def generated() -> tuple[dict[str, gpd.GeoDataFrame], dict[str, object]]:
    return generate(DEFAULT_SEED)


@pytest.mark.parametrize("name", FRAMES)
def test_every_frame_keeps_its_contract(demo, name: str) -> None:
    frame = demo.frames[name]
    FRAMES[name].check(frame, codes=codebooks())
    assert frame["source_id"].is_unique
    assert frame.crs == "EPSG:4326"
    assert [c for c in FRAMES[name].names if c not in frame.columns] in ([], ["valid_to"])


@pytest.mark.parametrize("name", FRAMES)
def test_the_seed_gives_the_committed_city(generated, name: str) -> None:
    committed = gpd.read_parquet(DEMO / f"{name}.parquet")
    made = generated[0][name]
    assert list(committed.columns) == list(made.columns)
    assert digest(pd.DataFrame(committed.drop(columns="geometry"))) == digest(
        pd.DataFrame(made.drop(columns="geometry"))
    )
    # Another processor may round the last digit of a coordinate (1e-7 degrees) the other way.
    same = shapely.equals_exact(committed.geometry.to_numpy(), made.geometry.to_numpy(), tolerance=2.5e-7)
    missing = committed.geometry.isna().to_numpy() & made.geometry.isna().to_numpy()
    assert (same | missing).all()


def test_the_seed_gives_the_committed_truth(generated, truth) -> None:
    assert json.loads(json.dumps(generated[1])) == truth


def test_the_files_are_small() -> None:
    assert sum(path.stat().st_size for path in DEMO.iterdir()) <= LARGEST_BYTES


def test_every_file_says_that_it_is_synthetic(demo) -> None:
    assert demo.profile.synthetic
    for word, title in (("合成", demo.profile.title.zh), ("synthetic", demo.profile.title.en)):
        assert word in title
        assert word in demo.profile.attribution.lower()
    for path in DEMO.glob("*.parquet"):
        mark = json.loads(pq.read_schema(path).metadata[b"wangge"])
        assert mark["synthetic"] is True


def test_nothing_in_it_looks_like_a_person(demo) -> None:
    for frame in demo.frames.values():
        for name in frame.columns.drop("geometry"):
            if isinstance(frame[name].dtype, pd.StringDtype) and not name.endswith(("code", "_id")):
                assert personal_values(frame[name]) == {}, name


def test_the_sources_are_attributed() -> None:
    text = (SOURCES / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert all(path.name in text for path in SOURCES.iterdir() if path.suffix != ".md")
    assert "天地图" in text
    assert "National Bureau of Statistics" in text


def test_key_units_leave_work_to_do(demo) -> None:
    units, today = demo.key_units, pd.Timestamp("2026-07-01")
    assert set(codebooks()["key_unit_kinds"]) - set(units["kind"]) == {"border_port"}
    for column, due_days in (("last_drill_on", 365), ("last_inspected_on", 180)):
        age = (today - pd.to_datetime(units[column])).dt.days
        assert 0.02 < age.isna().mean() < 0.2
        assert 0.05 < (age > due_days).mean() < 0.3
    assert units["name_zh"].str.startswith("示范").all()
    assert units["name_en"].str.startswith("Demo ").all()


def test_rentals_are_places_of_every_regime(demo) -> None:
    rentals = demo.rentals
    assert len(rentals) == 6000
    assert set(rentals["kind"]) == set(codebooks()["rental_kinds"])
    large = (rentals["rooms_count"] >= 10) | (rentals["beds_count"] >= 10)
    assert 0.05 < large.mean() < 0.3
    assert ((rentals["area_m2"] / rentals["beds_count"].astype(float)) < 4).any()
    assert rentals["last_inspected_on"].isna().any()


def test_posts_leave_gaps_in_the_outskirts(metric) -> None:
    posts, blocks = metric["posts"], metric["blocks"]
    assert len(posts) == 60
    away = posts.sindex.nearest(blocks.representative_point(), return_distance=True, return_all=False)[1]
    lived = blocks["households_count"].to_numpy(dtype=float) > 0
    assert (away[lived] < 1500).mean() > 0.75
    assert (away[lived] > 1500).any()
