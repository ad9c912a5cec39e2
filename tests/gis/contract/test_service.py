"""A service is one object for notebooks, commands and HTTP."""

import inspect

import geopandas as gpd
import pytest
from shapely import Point

from gis.contract.frame import POINTS, Column, FrameSpec
from gis.contract.profile import CityProfile
from gis.contract.service import Context, Findings, Input, Params, Service, service, services
from gis.contract.text import Text
from gis.errors import FrameMismatch, InvalidInput, InvalidParams, NotFound

PLACES = FrameSpec("places", Text("地点", "Places"), (Column("weight", "integer", Text("权", "Weight")),), POINTS)
CARD = Text("显示移动后的地点。不说明为何移动。", "Shows places after a move. It does not say why.")
MOVED = FrameSpec(
    "moved", Text("移动", "Moved"), (Column("step_m", "real", Text("步", "Step"), required=True),), POINTS
)


class MoveParams(Params):
    """How far."""

    step_m: float = 100.0
    """Metres to move east."""


def move(params: MoveParams, _context: Context, *, places: gpd.GeoDataFrame) -> Findings:
    features = gpd.GeoDataFrame({"step_m": params.step_m}, index=places.index, geometry=places.translate(params.step_m))
    return Findings(features, {"moved": len(places)}, used={"places": len(places)})


MOVE = Service(
    "move", 1, Text("移", "Move"), Text("向东移动。", "Move east."), CARD, "", MoveParams, (Input(PLACES),), MOVED, move
)


@pytest.fixture
def places() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"weight": [1, 2]}, geometry=[Point(120.6, 31.3), Point(120.7, 31.3)], crs="EPSG:4326")


def test_computes_in_metres_and_answers_in_degrees(places: gpd.GeoDataFrame) -> None:
    profile = CityProfile("t", Text("测", "Test"), "EPSG:4549", "Asia/Shanghai")
    result = MOVE(places, profile=profile, step_m=1000)
    assert result.features.crs == "EPSG:4326"
    moved_m = result.features.to_crs("EPSG:4549").distance(places.to_crs("EPSG:4549"))
    assert moved_m.round(6).tolist() == [1000.0, 1000.0]
    assert result.provenance.parameters == {"step_m": 1000.0}
    assert result.provenance.inputs[0].n_given == 2


def test_without_a_profile_utm_is_chosen_and_reported(places: gpd.GeoDataFrame) -> None:
    assert MOVE(places).provenance.metric_crs == "EPSG:32651"


def test_every_wrong_parameter_is_named() -> None:
    with pytest.raises(InvalidParams) as caught:
        MOVE.parse({"step_m": "far", "stride": 1})
    assert {p.field for p in caught.value.problems} == {"step_m", "stride"}


def test_a_missing_or_wrong_frame_is_named(places: gpd.GeoDataFrame) -> None:
    with pytest.raises(InvalidParams, match="no frame"):
        MOVE()
    with pytest.raises(FrameMismatch, match="weight"):
        MOVE(places.assign(weight=["a", "b"]))


def test_help_shows_frames_and_parameters() -> None:
    assert str(inspect.signature(MOVE)).startswith("(places:")
    assert "Metres to move east." in (MOVE.__doc__ or "")


def test_discovery_finds_what_the_folder_holds() -> None:
    assert "hotspots" in services()
    assert service("hotspots").id == "hotspots"
    with pytest.raises(NotFound, match="hotspots"):
        service("nothing")


def test_a_profile_names_all_that_is_wrong() -> None:
    with pytest.raises(InvalidInput) as caught:
        CityProfile("No Good", Text("", ""), "EPSG:4326", "Mars/Olympus", grid_code_pattern="(")
    assert {p.field for p in caught.value.problems} == {"slug", "metric_crs", "time_zone", "grid_code_pattern"}


def test_progress_reaches_the_caller(places: gpd.GeoDataFrame) -> None:
    seen: list[float] = []

    def report(share: float, _message: str) -> None:
        seen.append(share)

    def compute(params: MoveParams, context: Context, *, places: gpd.GeoDataFrame) -> Findings:
        context.progress(0.5, "half")
        return move(params, context, places=places)

    noisy = Service("noisy", 1, MOVE.title, MOVE.abstract, CARD, "", MoveParams, MOVE.inputs, MOVED, compute)
    profile = CityProfile("t", Text("测", "Test"), "EPSG:4549", "UTC")
    noisy.run({"places": places}, MoveParams(), Context(profile, report))
    assert seen == [0.5]
