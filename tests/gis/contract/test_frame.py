"""The frame contract names every problem at once."""

import geopandas as gpd
import pandas as pd
import pytest
from shapely import Point, Polygon

from gis.city import GRIDS, INCIDENTS, codebooks
from gis.contract.digest import digest
from gis.errors import CrsMissing, FrameMismatch

BOW_TIE = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
SQUARE = Polygon([(0, 0), (1, 0), (1, 1), (0, 1)])


def incidents(**columns: object) -> gpd.GeoDataFrame:
    rows = {
        "source_id": ["a", "b", "c"],
        "occurred_at": pd.to_datetime(["2026-01-01T00:00Z"] * 3),
        "category": ["theft", "theft", "fire"],
        "origin": ["import"] * 3,
        "location_withheld": [False] * 3,
        **columns,
    }
    return gpd.GeoDataFrame(rows, geometry=[Point(120.6, 31.3)] * 3, crs="EPSG:4326")


def test_a_good_frame_passes() -> None:
    INCIDENTS.check(incidents(), codes=codebooks())


def test_every_problem_is_named_at_once() -> None:
    bad = incidents(
        source_id=["a", None, "c"],
        category=["theft", "gossip", "fire"],
        occurred_at=["2026-01-01", "later", None],
    ).drop(columns="location_withheld")
    bad.loc[2, "geometry"] = BOW_TIE
    with pytest.raises(FrameMismatch) as caught:
        INCIDENTS.check(bad, codes=codebooks())
    found = {(p.field, p.code): p for p in caught.value.problems}
    assert set(found) == {
        ("source_id", "missing_value"),
        ("category", "unknown_code"),
        ("occurred_at", "missing_value"),
        ("occurred_at", "wrong_kind"),
        ("geometry", "invalid_geometry"),
    }, "the default of location_withheld makes its absence no problem"
    assert found["category", "unknown_code"].rows == (2,)
    assert found["occurred_at", "wrong_kind"].count == 2


def test_coordinates_without_a_crs_are_refused() -> None:
    with pytest.raises(CrsMissing):
        INCIDENTS.check(incidents().set_crs(None, allow_override=True))


def test_areas_must_be_areas() -> None:
    grids = gpd.GeoDataFrame(
        {
            "source_id": ["1", "2"],
            "code": ["320508001001001", "320508001001002"],
            "kind": ["comprehensive", "dedicated"],
            "households_count": [300, -1],
            "valid_from": pd.to_datetime(["2026-01-01", "2026-01-01"]),
        },
        geometry=[SQUARE, Point(0, 0)],
        crs="EPSG:4326",
    )
    with pytest.raises(FrameMismatch) as caught:
        GRIDS.check(grids, codes=codebooks())
    assert {(p.field, p.code, p.rows) for p in caught.value.problems} == {
        ("geometry", "wrong_geometry_type", (2,)),
        ("households_count", "too_small", (2,)),
    }


def test_row_numbers_count_from_the_given_first_row() -> None:
    found, bad = INCIDENTS.problems(incidents(category=["theft", None, "fire"]), first_row=101)
    assert [p.rows for p in found] == [(102,)]
    assert bad.tolist() == [False, True, False]


def test_digest_ignores_order_and_sees_every_change() -> None:
    frame = incidents()
    assert digest(frame) == digest(frame.sample(frac=1, random_state=1)[sorted(frame.columns)])
    moved = frame.copy()
    moved.loc[0, "geometry"] = Point(120.6000001, 31.3)
    assert len({digest(frame), digest(moved), digest(incidents(category=["theft", "theft", "theft"]))}) == 3
