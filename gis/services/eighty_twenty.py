"""80-20 analysis: how few places hold how much, and how much of that chance alone would give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import shapely
from pydantic import Field

from gis.city.frames import DISTRICTS, GRIDS, INCIDENTS, SEGMENTS
from gis.city.ground import ground_m2
from gis.city.selection import IncidentSelection, Selected, select_incidents
from gis.city.street_network import street_network
from gis.city.study_area import grid_units, grids_in_force, lattice_units
from gis.contract.frame import AREAS, Column, FrameSpec
from gis.contract.result import LeftOut
from gis.contract.service import Context, Findings, Input, Service
from gis.contract.tells import Tells
from gis.contract.text import Text
from gis.errors import InvalidParams, Problem
from gis.kernels.concentration import (
    by_chance,
    generalised_gini,
    gini,
    held_by_first,
    places_holding,
    unseen_places,
)
from gis.kernels.lattice import Lattice

CURVE_POINTS = 50
"""Of the curve, closest together at its steep beginning."""
HOLDING = (0.5, 0.8)
CLASSES = ((0.5, "first_50"), (0.8, "next_to_80"))
STREET_HALF_WIDTH_M = 8.0
"""A street is drawn this wide on either side."""


class EightyTwentyParams(IncidentSelection):
    """What counts as a place."""

    unit: Literal["addresses", "segments", "lattice", "grids"] = "lattice"
    """What is compared: addresses with an incident, street segments, cells of the city's lattice, or its grids."""
    address_m: float = Field(default=10.0, ge=1, le=25, json_schema_extra={"unit": "m"})
    """Incidents in the same square of this side, in metres, are at one address."""
    snap_m: float = Field(default=50.0, gt=0, le=500, json_schema_extra={"unit": "m"})
    """An incident belongs to its nearest segment; farther than this from every one, in metres, it is left out."""
    cell: Literal["square", "hexagon"] = "square"
    """Shape of a lattice cell."""
    lattice_m: float = Field(default=200.0, ge=10, le=10_000, json_schema_extra={"unit": "m"})
    """Side of a square cell, or width of a hexagon, in metres."""
    chance: Literal["places", "size"] = "places"
    """What chance is taken to be: each place is alike, or each metre of street and each square metre of ground is. For
    addresses always the first."""
    draws: int = Field(default=199, ge=19, le=9_999)
    """How often the incidents are placed at random, to see what chance alone would give."""
    seed: int = Field(default=0, ge=0)
    """Of the draws."""


EIGHTY_TWENTY = FrameSpec(
    "eighty_twenty",
    Text("80-20 分析", "80-20 analysis"),
    (
        Column("code", "code", Text("编码", "Code"), required=True),
        Column("name_zh", "text", Text("名称", "Name (Chinese)")),
        Column("name_en", "text", Text("英文名称", "Name (English)")),
        Column("rank", "integer", Text("名次", "Rank"), required=True, minimum=1),
        Column("incidents_count", "integer", Text("事件数", "Incidents"), required=True, minimum=1),
        Column("share", "real", Text("占比", "Share"), required=True, minimum=0, maximum=1),
        Column(
            "cumulative_share",
            "real",
            Text("累计占比", "Share with all above it"),
            required=True,
            minimum=0,
            description="Of the incidents, held by this place and all that hold more.",
        ),
        Column(
            "places_share",
            "real",
            Text("地方累计占比", "Share of places so far"),
            required=True,
            minimum=0,
            maximum=1,
            description="Of all places that are compared, up to this one.",
        ),
        Column(
            "concentration_class",
            "code",
            Text("集中等级", "Concentration class"),
            required=True,
            codebook="concentration_classes",
        ),
    ),
    AREAS,
    key="code",
    mandate="Art. 18, 48",
)


@dataclass(frozen=True, slots=True)
class Places:
    """What is compared.

    Attributes
    ----------
    features
        One row a place, with `code` and names where there are any; in metres.
    held : (m,)
        Which place holds each incident, -1 for none.
    size : (n,)
        Length or area of each; None where all are alike.
    outside
        Why an incident is held by none.
    only_seen
        Places without an incident are not known.
    choices, used, left_out
        For the account; `used` counts rows by frame.
    """

    features: gpd.GeoDataFrame
    held: np.ndarray
    size: np.ndarray | None
    outside: str
    only_seen: bool = False
    choices: dict[str, Any] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()


def eighty_twenty(
    params: EightyTwentyParams,
    context: Context,
    *,
    incidents: gpd.GeoDataFrame,
    grids: gpd.GeoDataFrame | None,
    segments: gpd.GeoDataFrame | None,
    districts: gpd.GeoDataFrame | None,
) -> Findings:
    """Rank places by what they hold, and compare their curve with that of incidents placed at random."""
    selected = select_incidents(incidents, params, time_zone=context.profile.time_zone)
    context.progress(0.2, "incidents selected")
    if params.unit == "grids":
        places = _grids(grids, selected, context)
    elif params.unit == "segments":
        places = _segments(segments, selected, params)
    elif params.unit == "addresses":
        places = _addresses(selected, params, context)
    else:
        places = _cells(districts, selected, params, context)
    n_places = len(places.features)
    inside = places.held >= 0
    counts = np.bincount(places.held[inside], minlength=n_places)
    used = int(inside.sum())
    context.progress(0.5, f"{n_places} places")
    summary = _summary(counts, places, params)
    outside = len(inside) - used
    return Findings(
        _features(places.features, counts),
        summary,
        used={"incidents": used, "grids": 0, "segments": 0, "districts": 0, **places.used},
        period=selected.period,
        choices={
            **places.choices,
            "chance": "places" if places.size is None else params.chance,
            "places_known": "with_incidents_only" if places.only_seen else "all",
            "extended_incidents_as_points": selected.moved_count,
        },
        left_out=(
            *selected.left_out,
            *places.left_out,
            *((LeftOut("incidents", places.outside, outside),) if outside else ()),
        ),
    )


def _cells(
    districts: gpd.GeoDataFrame | None, selected: Selected, params: EightyTwentyParams, context: Context
) -> Places:
    profile = context.profile
    lattice = Lattice(params.cell, params.lattice_m, profile.lattice_origin)
    units = lattice_units(lattice, selected.points, districts=districts, reach_m=None, crs=profile.metric_crs)
    study_area = units.choices["study_area"]
    by_districts = districts is not None and study_area == "districts"
    return Places(
        units.features,
        units.held,
        ground_m2(units.features.geometry.to_numpy(), area=units.area),
        "outside_study_area",
        choices={"study_area": study_area},
        used={"districts": len(districts)} if by_districts and districts is not None else {},
    )


def _grids(grids: gpd.GeoDataFrame | None, selected: Selected, context: Context) -> Places:
    if grids is None or grids.empty:
        raise _missing("grids")
    last = selected.period and selected.period[1].tz_convert(context.profile.time_zone)
    current = grids_in_force(grids, last)
    units = grid_units(current, selected.points, reach_m=None)
    ended = len(grids) - len(current)
    return Places(
        units.features,
        units.held,
        units.features.area.to_numpy(),
        "outside_study_area",
        used={"grids": len(current)},
        left_out=(LeftOut("grids", "not_in_force", ended),) if ended else (),
    )


def _segments(segments: gpd.GeoDataFrame | None, selected: Selected, params: EightyTwentyParams) -> Places:
    if segments is None or segments.empty:
        raise _missing("segments")
    streets = segments.sort_values("source_id", kind="stable").reset_index(drop=True)
    network = street_network(streets)
    edge, _ = network.nearest(selected.points, params.snap_m)
    rows = np.unique(network.edge_segment)
    held = np.where(edge >= 0, np.searchsorted(rows, network.edge_segment[edge]), -1) if len(rows) else edge
    chosen = streets.iloc[rows].reset_index(drop=True)
    names = [name for name in ("name_zh", "name_en") if name in chosen.columns]
    shapes = shapely.buffer(chosen.geometry.to_numpy(), STREET_HALF_WIDTH_M, cap_style="flat", quad_segs=2)
    features = gpd.GeoDataFrame(chosen[names].assign(code=chosen["source_id"]), geometry=shapes, crs=streets.crs)
    short = len(streets) - len(rows)
    return Places(
        features,
        held,
        chosen.length.to_numpy(),
        "too_far_from_street",
        used={"segments": len(rows)},
        left_out=(LeftOut("segments", "too_short", short),) if short else (),
    )


def _addresses(selected: Selected, params: EightyTwentyParams, context: Context) -> Places:
    """Return the squares with an incident; which other addresses there are is not known."""
    lattice = Lattice("square", params.address_m, context.profile.lattice_origin)
    placed = np.isfinite(selected.points).all(axis=1)
    cells, at = np.unique(lattice.cells_of(selected.points[placed]), axis=0, return_inverse=True)
    held = np.full(len(placed), -1)
    held[placed] = at
    features = gpd.GeoDataFrame(
        {"code": lattice.codes(cells)},
        geometry=shapely.polygons(lattice.corners(cells)),
        crs=context.profile.metric_crs,
    )
    return Places(features, held, None, "outside_study_area", only_seen=True)


def _missing(frame: str) -> InvalidParams:
    return InvalidParams(f"eighty_twenty: no {frame}", [Problem("missing_frame", f"the city has no {frame}", "unit")])


def _features(places: gpd.GeoDataFrame, counts: np.ndarray) -> gpd.GeoDataFrame:
    """Return the places with an incident, the busiest first."""
    ranked = places.assign(incidents_count=counts)[counts > 0]
    ranked = ranked.sort_values(["incidents_count", "code"], ascending=[False, True]).reset_index(drop=True)
    held = ranked["incidents_count"].cumsum()
    before = (held - ranked["incidents_count"]) / max(counts.sum(), 1)
    classes = np.full(len(ranked), "rest", dtype=object)
    for level, code in reversed(CLASSES):
        classes[before < level] = code
    rank = np.arange(1, len(ranked) + 1)
    ranked = ranked.assign(
        rank=rank,
        share=ranked["incidents_count"] / max(counts.sum(), 1),
        cumulative_share=held / max(counts.sum(), 1),
        places_share=rank / max(len(places), 1),
        concentration_class=classes,
    )
    for name in ("name_zh", "name_en"):
        if name not in ranked.columns:
            ranked[name] = None
    return ranked[[*EIGHTY_TWENTY.names, "geometry"]]


def _summary(counts: np.ndarray, places: Places, params: EightyTwentyParams) -> dict[str, object]:
    n, n_places = int(counts.sum()), counts.size
    numbers: dict[str, object] = {
        "incidents_count": n,
        "places_count": n_places,
        "places_with_incidents_count": int((counts > 0).sum()),
        "repeat_places_count": int((counts > 1).sum()),
    }
    if n == 0:
        return {**numbers, "concentration_curve": []}
    held = held_by_first(counts)
    # Places counted from the busiest; squares lie closest together at the steep beginning.
    first = np.unique(np.ceil(n_places * np.linspace(0, 1, CURVE_POINTS + 1)[1:] ** 2).astype(np.int64))
    all_places = unseen_places(n, n_places) if places.only_seen else float(n_places)
    chance = by_chance(
        n,
        all_places,
        first / n_places,
        np.array(HOLDING),
        size=places.size if params.chance == "size" else None,
        only_seen=places.only_seen,
        draws=params.draws,
        seed=params.seed,
    )
    coefficient = gini(counts)
    for share, expected in zip(HOLDING, chance.holding, strict=True):
        words = f"share_of_places_holding_{share:.0%}".rstrip("%")
        numbers |= {words: places_holding(held, share) / n_places, f"expected_{words}": float(expected)}
    return {
        **numbers,
        "gini": coefficient,
        "gini_generalised": generalised_gini(counts),
        "gini_by_chance": chance.gini,
        "gini_adjusted": (coefficient - chance.gini) / (1.0 - chance.gini),
        "concentration_curve": [
            {
                "places_share": float(k / n_places),
                "incidents_share": float(held[k - 1]),
                "expected_share": float(expected),
            }
            for k, expected in zip(first, chance.curve, strict=True)
        ],
    }


SERVICE = Service(
    id="eighty_twenty",
    version=1,
    title=EIGHTY_TWENTY.title,
    abstract=Text(
        "把地方按事件数排序，给出占一半和八成事件的地方比例、洛伦兹曲线与基尼系数，并与随机散布的预期相比。",
        "Ranks places by their incidents: the share of places that hold half and four fifths of them, the curve and "
        "Gini's coefficient, each beside what incidents placed at random would give.",
    ),
    card=Text(
        "显示多少地方集中了一半和八成的事件，并与随机散布时的预期相比。不说明原因，大的或人多的地方本来就会有更多事件。",
        "Shows how few places hold half and four fifths of the incidents, beside what chance alone would give. It "
        "names no cause, and a larger or busier place has more incidents anyway.",
    ),
    mandate="Art. 18, 48",
    params=EightyTwentyParams,
    inputs=(
        Input(INCIDENTS),
        Input(GRIDS, required=False),
        Input(SEGMENTS, required=False),
        Input(DISTRICTS, required=False),
    ),
    output=EIGHTY_TWENTY,
    compute=eighty_twenty,
    tells=(Tells("incidents", when=("unit", "addresses")),),
)
