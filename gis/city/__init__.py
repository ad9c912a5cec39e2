"""A city as frames: what is kept, in which codes, and how to read it from files."""

from gis.city.codebook import codebook, codebooks
from gis.city.frames import (
    BEATS,
    BLOCKS,
    COMMUNITIES,
    DISTRICTS,
    FRAMES,
    GRIDS,
    INCIDENTS,
    KEY_UNITS,
    POSTS,
    RENTALS,
    SEGMENTS,
    STREETS,
    WATER_AREAS,
)

__all__ = [
    "BEATS",
    "BLOCKS",
    "COMMUNITIES",
    "DISTRICTS",
    "FRAMES",
    "GRIDS",
    "INCIDENTS",
    "KEY_UNITS",
    "POSTS",
    "RENTALS",
    "SEGMENTS",
    "STREETS",
    "WATER_AREAS",
    "codebook",
    "codebooks",
]
