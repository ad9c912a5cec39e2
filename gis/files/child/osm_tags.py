"""What the tags of an OpenStreetMap way say of a street: its class, who may pass, the direction, the speed, the level.

References: the OpenStreetMap wiki, pages Key:highway, Key:access, Key:oneway, Key:maxspeed, Key:barrier and Key:layer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

ROAD_CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "motorway": "motorway",
        "motorway_link": "motorway",
        "trunk": "trunk",
        "trunk_link": "trunk",
        "primary": "main",
        "primary_link": "main",
        "secondary": "secondary",
        "secondary_link": "secondary",
        "tertiary": "tertiary",
        "tertiary_link": "tertiary",
        "unclassified": "local",
        "residential": "local",
        "road": "local",
        "service": "service",
        "living_street": "living",
        "pedestrian": "pedestrian",
        "footway": "path",
        "path": "path",
        "cycleway": "cycleway",
        "steps": "steps",
        "track": "track",
    }
)
"""Value of ``highway`` -> class; ways with another value are no streets here."""
MOTOR_CLASSES: Final = frozenset({"motorway", "trunk", "main", "secondary", "tertiary", "local", "service", "living"})
LEAST_KMH, MOST_KMH = 5.0, 130.0
"""A signed speed beyond these is taken as the nearer of them."""
KMH_OF_UNIT: Final[Mapping[str, float]] = MappingProxyType(
    {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
)
HIGHEST_LEVEL = 10

_SPEED = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots)?\s*(?:[;|,].*)?")
_SHUT: Final = frozenset({"no", "private"})
_FREE: Final = frozenset({"yes", "designated", "permissive", "official", "destination", "customers", "public"})
_BOTH_WAYS: Final = frozenset({"no", "false", "0", "reversible", "alternating"})
_STOPPING: Final = frozenset(
    {
        "block", "bollard", "cycle_barrier", "debris", "jersey_barrier", "kissing_gate", "log", "motorcycle_barrier",
        "stile", "turnstile", "full-height_turnstile", "planter", "rope",
    }
)  # fmt: skip
"""Kinds of ``barrier`` that no car passes, unless their tags say that it may."""
_ON_FOOT: Final = frozenset({"kissing_gate", "stile", "turnstile", "full-height_turnstile"})

Tags = Mapping[str, str]
Heading = Literal["forward", "backward", "both"]


class Speed(NamedTuple):
    """A signed speed in km/h, None where nothing readable is signed, and what became of the sign."""

    kmh: float | None
    outcome: Literal["unsigned", "taken", "clipped", "unreadable"]


def access_of(tags: Tags, road_class: str) -> str | None:
    """Return who may pass a way, a code of ``segment_access``; None where nobody may.

    A way that is shut (``access`` = no or private) is open to those whom a tag of their own admits, and to no one else.

    Examples
    --------
    >>> access_of({}, "local"), access_of({"motor_vehicle": "no"}, "local"), access_of({"access": "private"}, "service")
    ('open', 'no_motor', None)
    >>> access_of({"access": "no", "foot": "yes"}, "local"), access_of({"access": "no", "bus": "yes"}, "main")
    ('walk_only', None)
    """
    everyone = tags.get("access") not in _SHUT
    motor = _may(tags, ("motorcar", "motor_vehicle", "vehicle"), default=everyone)
    cycle = _may(tags, ("bicycle", "vehicle"), default=everyone)
    walk = _may(tags, ("foot",), default=everyone)
    if motor and road_class in MOTOR_CLASSES:
        return "open"
    if not everyone and not (cycle or walk):
        return None
    # On ways that no car uses anyway, the class says so: only what differs from it is said again.
    if cycle:
        return "no_motor" if road_class in MOTOR_CLASSES else "open"
    return "walk_only"


def _may(tags: Tags, keys: tuple[str, ...], *, default: bool) -> bool:
    """Return what the first tag that decides says; unknown values decide nothing."""
    for key in keys:
        if tags.get(key) in _SHUT:
            return False
        if tags.get(key) in _FREE:
            return True
    return default


def heading_of(tags: Tags) -> Heading:
    """Return in which direction of its nodes a way may be driven.

    Examples
    --------
    >>> heading_of({"oneway": "yes"}), heading_of({"oneway": "-1"}), heading_of({"junction": "roundabout"})
    ('forward', 'backward', 'forward')
    >>> heading_of({"highway": "motorway_link"}), heading_of({"highway": "motorway", "oneway": "no"})
    ('forward', 'both')
    """
    sign = tags.get("oneway", "")
    if sign in ("yes", "true", "1"):
        return "forward"
    if sign in ("-1", "reverse"):
        return "backward"
    if sign in _BOTH_WAYS:
        return "both"
    round_about = tags.get("junction") in ("roundabout", "circular")
    return "forward" if round_about or tags.get("highway") in ("motorway", "motorway_link") else "both"


def speed_of(tags: Tags) -> Speed:
    """Return the signed speed of a way.

    Examples
    --------
    >>> speed_of({"maxspeed": "30 mph"}).kmh, speed_of({"maxspeed": "60;40"}).kmh
    (48.3, 60.0)
    >>> speed_of({"maxspeed": "0"}), speed_of({"maxspeed": "walk"}).outcome, speed_of({}).outcome
    (Speed(kmh=5.0, outcome='clipped'), 'unreadable', 'unsigned')
    """
    sign = tags.get("maxspeed")
    if sign is None:
        return Speed(None, "unsigned")
    read = _SPEED.fullmatch(sign)
    if read is None:
        return Speed(None, "unreadable")
    kmh = round(float(read[1]) * KMH_OF_UNIT[read[2] or ""], 1)
    within = min(max(kmh, LEAST_KMH), MOST_KMH)
    return Speed(within, "taken" if within == kmh else "clipped")


def level_of(tags: Tags) -> int:
    """Return the level of a way: its ``layer``, else 1 for a bridge, -1 for a tunnel, 0 on the ground.

    Examples
    --------
    >>> level_of({"layer": "-2"}), level_of({"bridge": "viaduct"}), level_of({"tunnel": "yes"}), level_of({})
    (-2, 1, -1, 0)
    """
    layer = tags.get("layer", "")
    if re.fullmatch(r"[+-]?\d{1,2}", layer):
        return max(-HIGHEST_LEVEL, min(HIGHEST_LEVEL, int(layer)))
    if tags.get("bridge", "no") != "no":
        return 1
    # A passage through a building is on the ground.
    return -1 if tags.get("tunnel", "no") not in ("no", "building_passage") else 0


def barrier_access(tags: Tags) -> str | None:
    """Return who may pass a barrier that stops cars, a code of ``segment_access``; None where cars pass.

    Gates, lift gates, toll booths and kerbs stop a car only where their own tags say so.

    Examples
    --------
    >>> barrier_access({"barrier": "bollard"}), barrier_access({"barrier": "turnstile"})
    ('no_motor', 'walk_only')
    >>> barrier_access({"barrier": "gate"}), barrier_access({"barrier": "gate", "access": "private"})
    (None, 'no_motor')
    """
    kind = tags.get("barrier")
    if kind is None:
        return None
    motor = _may(tags, ("motorcar", "motor_vehicle", "vehicle", "access"), default=kind not in _STOPPING)
    if motor and tags.get("locked") != "yes":
        return None
    if kind in _ON_FOOT or tags.get("bicycle") in _SHUT:
        return "walk_only"
    return "no_motor"


def names_of(tags: Tags) -> tuple[str | None, str | None]:
    """Return the Chinese name of a way and the other one.

    Examples
    --------
    >>> names_of({"name": "人民路", "name:en": "Renmin Road"}), names_of({"name": "Avenida Ipiranga"})
    (('人民路', 'Renmin Road'), (None, 'Avenida Ipiranga'))
    """
    name = tags.get("name")
    chinese = name is not None and re.search(r"[\u3400-\u9fff]", name) is not None
    return tags.get("name:zh", name if chinese else None), tags.get("name:en", None if chinese else name)
