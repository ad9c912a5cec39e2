"""What a service gives back: features, numbers and where they came from."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from gis.contract.profile import CityProfile
from gis.contract.text import Language

if TYPE_CHECKING:
    import folium


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that did not take part, and why."""

    frame: str
    reason: str
    count: int

    @classmethod
    def some(cls, frame: str, reason: str, count: int) -> tuple[LeftOut, ...]:
        """Return the account of so many rows; empty where there are none.

        Examples
        --------
        >>> LeftOut.some("posts", "too_far_from_street", 0)
        ()
        """
        return (cls(frame, reason, count),) if count else ()


@dataclass(frozen=True, slots=True)
class InputRecord:
    """One input as it was used.

    Attributes
    ----------
    digest
        SHA-256 of the rows given, before any were left out.
    n_given, n_used
        Rows given; rows that took part.
    """

    frame: str
    digest: str
    n_given: int
    n_used: int


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything needed to compute a result again.

    Attributes
    ----------
    parameters
        Every parameter with the value used, defaults included.
    choices
        What the service decided by itself, such as a distance band or a way of inference.
    period
        First and last instant of the data used (ISO 8601, UTC), or None where time plays no part.
    """

    service: str
    version: int
    parameters: Mapping[str, Any]
    inputs: tuple[InputRecord, ...]
    metric_crs: str
    n: int
    period: tuple[str, str] | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    synthetic: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Result:
    """Features in EPSG:4326, a summary of numbers, and the provenance of both."""

    service: str
    features: gpd.GeoDataFrame
    summary: Mapping[str, Any]
    provenance: Provenance
    profile: CityProfile

    def map(
        self, *, language: Language | None = None, context: Mapping[str, gpd.GeoDataFrame] | None = None
    ) -> folium.Map:
        """Return the result as a folium map drawn from the layer's declaration.

        In a notebook the map shows itself; ``.save(path)`` writes one file that needs no network.

        Parameters
        ----------
        language
            Of the words on the map; by default the city's first.
        context
            Layer id -> rows of what to draw with it, such as ``{"segments": city.segments}``.
        """
        # The arrow points from `layers` to `gis`; only this convenience looks back, and only when called.
        notebook = importlib.import_module("layers.engine.notebook")
        return notebook.result_map(self, language=language, context=context)  # type: ignore[no-any-return]
