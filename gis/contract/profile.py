"""What a computation must know about the city it runs in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from zoneinfo import ZoneInfo

from pyproj import CRS
from pyproj.exceptions import CRSError

from gis.contract.text import Language, Text
from gis.errors import InvalidInput, Problem


@dataclass(frozen=True, slots=True)
class CityProfile:
    """One city: its names, its metric CRS, its clock, the origin of its lattices.

    Attributes
    ----------
    slug
        Short name in commands and addresses, ``[a-z][a-z0-9_-]*``.
    metric_crs
        Projected CRS in metres in which the city measures, such as ``EPSG:4549``.
    time_zone
        IANA name; naive local times of an import are read in it.
    lattice_origin
        Easting and northing in `metric_crs` where every lattice of the city has a corner.
    languages
        Languages of the city's names, the first one first.
    open_categories
        False: incident categories are the codes of the codebook. True: the city's own categories are taken as they
        come (still never a political, religious or petition category).
    grid_code_pattern
        What a grid code looks like; by default the 12-digit community code and a 3-digit serial.
    synthetic
        True where the data are invented; every face says so.
    """

    slug: str
    title: Text
    metric_crs: str
    time_zone: str
    lattice_origin: tuple[float, float] = (0.0, 0.0)
    languages: tuple[Language, ...] = ("zh", "en")
    open_categories: bool = False
    grid_code_pattern: str = r"\d{15}"
    attribution: str = ""
    synthetic: bool = False
    _checked: None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        problems = []
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,39}", self.slug):
            problems.append(Problem("bad_slug", "use lower-case letters, digits, - and _", "slug"))
        try:
            crs = CRS.from_user_input(self.metric_crs)
            if not crs.is_projected or any(axis.unit_name != "metre" for axis in crs.axis_info):
                problems.append(
                    Problem("not_metric", f"{self.metric_crs} is not a projected CRS in metres", "metric_crs")
                )
        except CRSError:
            problems.append(Problem("unknown_crs", f"{self.metric_crs} is no known CRS", "metric_crs"))
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            problems.append(Problem("unknown_time_zone", f"{self.time_zone} is no IANA time zone", "time_zone"))
        try:
            re.compile(self.grid_code_pattern)
        except re.error as error:
            problems.append(Problem("bad_pattern", f"not a regular expression: {error}", "grid_code_pattern"))
        if problems:
            raise InvalidInput("this city profile cannot be used", problems)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values.

        Examples
        --------
        >>> profile = CityProfile("demo", Text("示范", "Demo"), "EPSG:4549", "Asia/Shanghai")
        >>> CityProfile.from_dict(profile.as_dict()) == profile
        True
        """
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.init}
        plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return {**plain, "title": self.title._asdict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CityProfile:
        """Return the profile written by `as_dict`, also after a way through JSON or TOML."""
        tuples = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**{**values, **tuples, "title": Text(**values["title"])})
