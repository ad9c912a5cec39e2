"""Rows on their way into a file: part by part, so that a big layer never stands in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

POINT = "Point"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows part by part, and what must be known of all of them before the first is written.

    Attributes
    ----------
    chunks
        GeoDataFrames (n,) of the same columns; at least one, which is empty where there are no rows.
    kinds
        Names of the types of geometry that occur.
    placeless
        Whether some row has no geometry.
    count
        Rows in all.
    """

    chunks: Iterator[gpd.GeoDataFrame]
    kinds: frozenset[str]
    placeless: bool
    count: int

    @property
    def are_points(self) -> bool:
        """Whether every place is a single point, so that two numbers tell it."""
        return self.kinds <= {POINT}

    def whole(self) -> gpd.GeoDataFrame:
        """Return all rows (n,) at once, for formats that are written in one piece."""
        parts = list(self.chunks)
        return parts[0] if len(parts) == 1 else pd.concat(parts)


def rows_of(frame: gpd.GeoDataFrame) -> Rows:
    """Return a frame (n,) that is there already as rows of one part."""
    kinds = frame.geom_type.dropna()
    return Rows(iter([frame]), frozenset(kinds), len(kinds) < len(frame), len(frame))
