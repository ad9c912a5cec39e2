"""The reference systems spoken here: those of the web, of China, and the one a city measures in (Features 2)."""

from __future__ import annotations

from typing import Final

from api.problems import bad_query
from gis.contract.profile import CityProfile
from gis.crs import CRS84, Reference, reference

_EPSG: Final = "http://www.opengis.net/def/crs/EPSG/0/"
ALWAYS: Final = (CRS84, f"{_EPSG}4326", f"{_EPSG}3857", f"{_EPSG}4490")


def spoken(profile: CityProfile | None) -> tuple[str, ...]:
    """Return the addresses of the systems that a city's features come in."""
    own = reference(profile.metric_crs) if profile is not None else None
    return tuple(dict.fromkeys((*ALWAYS, *([own.uri] if own is not None else []))))


def asked(name: str, text: str | None, profile: CityProfile) -> Reference | None:
    """Return the system of a parameter, None for degrees of WGS84; one that is not spoken is refused, not ignored."""
    if text in (None, CRS84):
        return None
    found = reference(text.removeprefix("[").removesuffix("]"))
    if found is None or found.uri not in spoken(profile):
        raise bad_query(name, f"must be one of {', '.join(spoken(profile))}")
    return found
