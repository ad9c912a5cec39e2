"""What one may ask of a patrol: places to halt at, units with their shifts, orders to keep."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gis.city.codebook import codebook
from gis.city.places import PlaceSelection
from gis.city.shift_clock import Clock
from gis.city.travel import TravelParams
from gis.contract.service import Params

Label = Annotated[str, Field(min_length=1, max_length=60)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Minutes = Annotated[float, Field(ge=1, le=240)]
Kinds = Annotated[tuple[str, ...], Field(max_length=4, json_schema_extra={"codebook": "patrol_kinds"})]


def _check_kinds(kinds: tuple[str, ...]) -> None:
    if unknown := sorted(set(kinds) - set(codebook("patrol_kinds"))):
        raise ValueError(f"no such kind {', '.join(unknown)}; there are {', '.join(codebook('patrol_kinds'))}")


class AskedStop(Params):
    """A place to halt at."""

    lon: Longitude
    """Longitude, WGS84."""
    lat: Latitude
    """Latitude, WGS84."""
    code: Label | None = None
    """What it is called in orders that are kept; S1, S2 and so on when not given."""
    name: Label | None = None
    """For people."""
    weight: float = Field(default=1.0, ge=0, le=1e9)
    """What a visit is worth, against the other stops."""
    dwell_min: Minutes | None = None
    """Minutes of a halt; those of all stops when not given."""
    visits_count: int = Field(default=1, ge=1, le=12)
    """Visits in the night, the least interval apart."""
    must_visit: bool = False
    """Whether it comes before all stops that need not be visited."""
    window_from: Clock | None = None
    """A halt begins at this time of day or later."""
    window_to: Clock | None = None
    """A halt begins at this time of day or earlier; a window that ends before it begins runs past midnight."""
    kinds: Kinds = ()
    """Kinds of units that are needed here together; a unit of any kind when empty."""

    @model_validator(mode="after")
    def _known_kinds(self) -> AskedStop:
        _check_kinds(self.kinds)
        return self


class AskedUnit(Params):
    """Who goes, never a person: a unit with a label."""

    label: Label
    """What the unit is called, such as Patrol 3."""
    kinds: Annotated[Kinds, Field(min_length=1)] = ("police",)
    """Kinds of the unit; a joint patrol of several kinds walks together as one unit."""
    post: str | None = None
    """Source id of the post where it starts and ends."""
    lon: Longitude | None = None
    """Longitude of where it starts and ends, where that is no post."""
    lat: Latitude | None = None
    """Latitude of where it starts and ends, where that is no post."""
    end_post: str | None = None
    """Source id of the post where it ends, where that is another one."""
    shift_start: Clock | None = None
    """When its shift begins; that of all units when not given."""
    shift_min: float | None = Field(default=None, ge=15, le=1_440)
    """Minutes of its shift; those of all units when not given."""
    break_min: float | None = Field(default=None, ge=0, le=120)
    """Minutes of its break; those of all units when not given, 0 for none."""
    break_from: Clock | None = None
    """Its break begins at this time of day or later; after a third of the shift when not given."""
    break_to: Clock | None = None
    """Its break begins at this time of day or earlier; before two thirds of the shift when not given."""

    @model_validator(mode="after")
    def _complete(self) -> AskedUnit:
        _check_kinds(self.kinds)
        if (self.lon is None) != (self.lat is None):
            raise ValueError("lon and lat come together")
        if (self.post is None) == (self.lon is None):
            raise ValueError("where it starts is either a post or lon and lat")
        return self


class KeptOrder(Params):
    """Stops that a unit makes in just this order."""

    unit: Label
    """Label of the unit."""
    stops: tuple[Label, ...]
    """Codes of its stops in order, a code again for another visit; none for a unit that stays in."""


class PatrolParams(PlaceSelection, TravelParams):
    """Where to go, who goes and when."""

    stops: tuple[AskedStop, ...] | None = Field(default=None, min_length=1, max_length=1_000)
    """Places to halt at, such as hotspots picked on the map; when not given, the hottest places of the incidents that
    are selected."""
    hotspots_count: int = Field(default=20, ge=1, le=500)
    """How many of the hottest places are offered at most, where stops are not given."""
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    """Level at which a place counts as hot: expected share of false ones among them."""
    checkpoints_use: Literal["must", "may", "none"] = "must"
    """Whether the city's checkpoints are visited before all other stops, visited like other stops, or left aside."""
    units: tuple[AskedUnit, ...] | None = Field(default=None, min_length=1, max_length=200)
    """Who goes; when not given, as many units as `units_count`."""
    units_count: int = Field(default=6, ge=1, le=200)
    """How many units go, where they are not given; they start from the posts that are nearest to most weight."""
    shift_start: Clock = "18:00"
    """When a shift begins, a time of day on the city's clock."""
    shift_min: float = Field(default=360.0, ge=15, le=1_440)
    """Minutes of a shift, from leaving the post to being back."""
    shift_on: dt.date | None = None
    """Day on which the shift begins; with it, times are given as instants too."""
    break_min: float = Field(default=0.0, ge=0, le=120)
    """Minutes of a break for each unit, begun in the middle third of its shift; 0 for none."""
    dwell_min: Minutes = 12.0
    """Minutes of a halt, where the stop says nothing else; 10 to 16 is what studies advise."""
    visits_count: int = Field(default=1, ge=1, le=12)
    """Visits to each hotspot in a night, where stops are not given."""
    least_interval_min: float = Field(default=60.0, ge=0, le=720)
    """Least minutes between the end of a visit and the next one to the same stop, by whichever unit."""
    fixed: tuple[KeptOrder, ...] = Field(default=(), max_length=200)
    """Orders that are kept as given, with new times; the other units are planned around them."""
    search: Literal["instant", "longer"] = "instant"
    """An answer at once, or a better one after a longer search."""
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    """Another seed gives another night: other times and orders at much the same profit, so that nobody can foretell
    them; the same seed gives the same night."""
