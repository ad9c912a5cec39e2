"""Boxes in degrees, and their parts on either side of the antimeridian."""

from __future__ import annotations

from typing import Final

Bounds = tuple[float, float, float, float]
"""West, south, east, north in degrees."""
_HALF_TURN: Final = 180.0
_TURN: Final = 360.0


def unwrapped(bbox: Bounds) -> tuple[Bounds, ...]:
    """Return the one or two boxes between -180 and 180 degrees that `bbox` covers.

    Examples
    --------
    >>> unwrapped((170.0, -20.0, -170.0, 10.0))
    ((170.0, -20.0, 180.0, 10.0), (-180.0, -20.0, -170.0, 10.0))
    """
    west, south, east, north = bbox
    width = east - west if west <= east else (east - west) % _TURN
    if width >= _TURN:
        return ((-_HALF_TURN, south, _HALF_TURN, north),)
    if not -_HALF_TURN <= west <= _HALF_TURN:
        west = (west + _HALF_TURN) % _TURN - _HALF_TURN
        east = west + width
    elif not west <= east <= _HALF_TURN:
        east = west + width
    if east <= _HALF_TURN:
        return ((west, south, east, north),)
    return ((west, south, _HALF_TURN, north), (-_HALF_TURN, south, east - _TURN, north))
