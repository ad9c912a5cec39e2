"""What one may ask of beats: how they are made, and how their units answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gis.city.codebook import codebook
from gis.city.selection import IncidentSelection
from gis.city.travel import TravelParams


class BeatsParams(IncidentSelection, TravelParams):
    """How beats are made, and how their units answer."""

    beats_count: int | None = Field(default=None, ge=1, le=5_000)
    """How many beats; as many as now when not given."""
    inside: Literal["street", "city"] = "street"
    """Whether every beat lies inside one statutory street, or may cross from one to another."""
    centres: Literal["beats", "posts"] = "beats"
    """Where a beat's unit waits: in the grid of the beat from which its calls are reached soonest, or at posts, each of
    which then has a beat."""
    post_kinds: Annotated[tuple[str, ...], Field(min_length=1, json_schema_extra={"codebook": "post_kinds"})] = (
        "police_post",
    )
    """Kinds of posts, where beats are those of posts."""
    incidents_share: float = Field(default=0.7, ge=0, le=1)
    """How much of the workload is incidents; the rest is households."""
    tolerance: float = Field(default=0.15, ge=0.01, le=1)
    """Share by which a beat's workload may differ from the mean."""
    response_weight: float = Field(default=1.0, ge=0, le=100)
    """How much travel time counts against even workloads."""
    change_weight: float = Field(default=0.5, ge=0, le=100)
    """How much it counts when a grid changes its beat."""
    mean_service_min: float = Field(default=30.0, gt=0, le=1_440, json_schema_extra={"unit": "min"})
    """How long a unit is busy with one incident on average, in minutes, travel included."""
    when_busy: Literal["lost", "waits"] = "lost"
    """What happens to a call while all units are busy: others take it over, or it waits for the next free unit."""
    seed: int = Field(default=0, ge=0, le=2**31)
    """The same seed gives the same beats."""

    @model_validator(mode="after")
    def _check_beats(self) -> BeatsParams:
        if unknown := sorted(set(self.post_kinds) - set(codebook("post_kinds"))):
            raise ValueError(f"post_kinds: no such kind {', '.join(unknown)}")
        if self.centres == "posts" and self.beats_count is not None:
            raise ValueError("beats_count: every post has one beat; leave it out, or let centres be beats")
        return self
