"""A city of two districts, four streets and eight communities, with rows of every frame that know where they are.

Whatever belongs to the eastern district says EAST in its code, its source's number or its words, so that a test can
look for it in an answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from gis.city import FRAMES
from gis.city.codebook import codebooks
from gis.contract.frame import AREAS, LINES, Column, FrameSpec
from gis.store import placing
from gis.store.cities import CityRow
from gis.store.engine import Store
from tests.support.rows import fill

WEST, SOUTH, SIDE = 120.60, 31.28, 0.01
COLUMNS, ROWS = 4, 2
"""Communities: the two columns in the west are one district, those in the east the other; each column is a street."""
DISTRICTS = ("WEST", "EAST")
TITLES = (
    "district:WEST",
    "district:EAST",
    "street:WEST-S1",
    "street:EAST-S3",
    "community:WEST-S0-C0",
    "community:EAST-S2-C1",
)
"""Some areas of each level."""
LAST_EVENT = {"WEST": dt.datetime(2025, 6, 1, tzinfo=dt.UTC), "EAST": dt.datetime(2025, 8, 1, tzinfo=dt.UTC)}
_WORDS = ("name_zh", "name_en", "address", "unit_label", "joint_label")

Cell = tuple[int, int]


def district_of(cell: Cell) -> str:
    """Return the district of a community."""
    return DISTRICTS[cell[0] * len(DISTRICTS) // COLUMNS]


def street_of(cell: Cell) -> str:
    """Return the street of a community."""
    return f"{district_of(cell)}-S{cell[0]}"


def community_of(cell: Cell) -> str:
    """Return the code of a community."""
    return f"{street_of(cell)}-C{cell[1]}"


def cells(name: str) -> set[Cell]:
    """Return the communities of an area such as ``district:EAST``."""
    level, _, code = name.partition(":")
    of = {"district": district_of, "street": street_of, "community": community_of}[level]
    return {cell for cell in np.ndindex(COLUMNS, ROWS) if of(cell) == code}


def box(west: float, south: float, east: float, north: float) -> str:
    """Return a rectangle in units of a community from the south-west corner of the city."""
    w, e = (WEST + SIDE * x for x in (west, east))
    s, n = (SOUTH + SIDE * y for y in (south, north))
    return f"POLYGON(({w} {s},{e} {s},{e} {n},{w} {n},{w} {s}))"


def narrow(store: Store, city: CityRow, *names: str) -> CityRow:
    """Return the city as somebody who is granted these areas sees it, worked out here once more."""
    with store.transaction(city.scope, read_only=True) as connection:
        rows = connection.execute(sa.select(placing.AREAS).where(placing.AREAS.c.city_id == city.id)).all()
    covered = {row.id for row in rows if f"{row.level}:{row.code}" in names}
    assert len(covered) == len(set(names))
    while more := {row.id for row in rows if row.parent_id in covered} - covered:
        covered |= more
    return replace(city, areas=tuple(sorted(covered)))


def populate(store: Store, city: CityRow, *, only: str | None = None, rows: int = 12, seed: int = 0) -> None:
    """Fill a city with the areas and with rows of every other frame.

    Parameters
    ----------
    only
        Rows of one area alone, such as ``district:WEST``: the same ones that the whole city has there.
    rows
        In each community, of each frame.
    """
    wanted = set(np.ndindex(COLUMNS, ROWS)) if only is None else cells(only)
    for frame_id, given in {**_areas(), **_contents(rows, seed)}.items():
        mine = [row for cells_, row in given if cells_ <= wanted]
        if mine:
            fill(store, city, frame_id, mine)
    with store.transaction(city.scope) as connection:
        placing.place(connection, city.id, ["districts", "streets", "communities"])


def _areas() -> dict[str, list[tuple[set[Cell], dict[str, Any]]]]:
    found: dict[str, list[tuple[set[Cell], dict[str, Any]]]] = {"districts": [], "streets": [], "communities": []}
    for district in DISTRICTS:
        mine = cells(f"district:{district}")
        xs = [cell[0] for cell in mine]
        row = {"code": district, **_called(f"{district} district"), "geom": box(min(xs), 0, max(xs) + 1, ROWS)}
        found["districts"].append((mine, row))
    for x in range(COLUMNS):
        code = street_of((x, 0))
        row = {"code": code, "district_code": district_of((x, 0)), **_called(code), "geom": box(x, 0, x + 1, ROWS)}
        found["streets"].append(({(x, y) for y in range(ROWS)}, row))
    for x, y in np.ndindex(COLUMNS, ROWS):
        code = community_of((x, y))
        row = {"code": code, "street_code": street_of((x, y)), **_called(code), "geom": box(x, y, x + 1, y + 1)}
        found["communities"].append(({(x, y)}, row))
    for frame_id, given in found.items():
        for i, (_, row) in enumerate(given):
            row["source_id"] = f"{row['code']}-{frame_id}-{i}"
    return found


def _called(words: str) -> dict[str, str]:
    return {"name_zh": f"{words} 区划", "name_en": words}


def _contents(rows: int, seed: int) -> dict[str, list[tuple[set[Cell], dict[str, Any]]]]:
    rng = np.random.default_rng(seed)
    return {
        spec.id: [({cell}, _row(spec, cell, i, rng, rows)) for cell in np.ndindex(COLUMNS, ROWS) for i in range(rows)]
        for spec in FRAMES.values()
        if spec.id not in placing.AREA_FRAMES.values()
    }


def _row(spec: FrameSpec, cell: Cell, i: int, rng: np.random.Generator, rows: int) -> dict[str, Any]:
    row = {
        column.name: _value(column, cell, i, rng) if column.required or rng.random() < 0.7 else None
        for column in spec.columns
    }
    row["source_id"] = f"{district_of(cell)}-{spec.id}-{community_of(cell)}-{i}"
    if "code" in row:
        row["code"] = f"{community_of(cell)}-{spec.id[:5]}{i}"
    own = {"community_code": community_of(cell), "grid_code": f"{community_of(cell)}-grids{i}"}
    row |= {name: value for name, value in own.items() if name in row}
    if "valid_from" in spec.names:
        row |= {"valid_from": dt.date(2020, 1, 1), "valid_to": None}
    if spec.id == "incidents":
        # Every hundred hours one, up to the last one of the district.
        row["occurred_at"] = LAST_EVENT[district_of(cell)] - dt.timedelta(hours=100 * i)
        row |= {"occurred_until_at": None, "reported_at": None, "location_withheld": i % 5 == 0}
    if spec.id == "patrol_runs":
        row["ended_at"] = row["started_at"] + dt.timedelta(hours=2)
    row["geom"] = None if row.get("location_withheld") else _place(spec, cell, i, rng, rows)
    return row


def _value(column: Column, cell: Cell, i: int, rng: np.random.Generator) -> Any:
    if column.codebook is not None:
        return str(rng.choice(sorted(codebooks()[column.codebook])))
    if column.default is not None:
        return column.default
    if column.name in _WORDS:
        return f"{district_of(cell)} {column.name} {i}"
    values: Mapping[str, Any] = {
        "text": f"{district_of(cell)} {i}",
        "code": f"{district_of(cell)}-{i}",
        "integer": int(rng.integers(1, 50)),
        "real": float(np.round(rng.uniform(1, 50), 2)),
        "boolean": bool(rng.integers(0, 2)),
        "instant": dt.datetime(2025, 5, 1, tzinfo=dt.UTC) + dt.timedelta(hours=i),
        "date": dt.date(2025, 5, 1) + dt.timedelta(days=i),
    }
    return values[column.kind]


def _place(spec: FrameSpec, cell: Cell, i: int, rng: np.random.Generator, rows: int) -> str:
    x, y = cell[0] + rng.uniform(0.1, 0.8), cell[1] + rng.uniform(0.1, 0.8)
    if spec.geometry <= AREAS:
        # Side by side, so that two grids never lie over one another.
        left = cell[0] + (i + 0.05) / rows
        return box(left, cell[1] + 0.1, left + 0.9 / rows, cell[1] + 0.9)
    lon, lat = WEST + SIDE * x, SOUTH + SIDE * y
    if spec.geometry <= LINES or (spec.id == "patrol_runs" and i % 2):
        return f"LINESTRING({lon} {lat},{lon + 0.05 * SIDE} {lat + 0.1 * SIDE})"
    return f"POINT({lon} {lat})"
