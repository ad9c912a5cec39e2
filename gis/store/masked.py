"""Rows whose points have been moved, on their way into a file that leaves the house."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.city.masked_places import Masking, mask
from gis.contract.service import service
from gis.errors import InvalidInput, Problem, StoreUnavailable
from gis.files.rows import POINT, Rows
from gis.files.write import write_rows
from gis.store.cities import CityRow
from gis.store.cql2.filter import Filter, Node
from gis.store.engine import Scope, Store
from gis.store.export import about, matching
from gis.store.frames import read_frame
from gis.store.query import ItemQuery
from gis.store.relations import Relation, frame_relation, result_relation
from gis.store.tables import MASK_SECRETS

LEVELS: Final = ("communities", "streets", "districts")
"""Frames of areas, the smallest first."""


def export_masked(
    store: Store,
    city: CityRow,
    layer: str,
    path: Path,
    *,
    run_id: int | None = None,
    where: Filter | None = None,
    only: tuple[str, str] | None = None,
) -> tuple[Path, Masking]:
    """Write a frame, or the features of a run, with its points moved; as `gis.store.export.export_frame`.

    Parameters
    ----------
    layer
        Name of a frame, or of the service whose run it is.
    only
        Column and value of the rows that are moved; every one is without it.

    Returns
    -------
    Where it was written, and how the places were moved.
    """
    relation = frame_relation(layer) if run_id is None else result_relation(service(layer), run_id)
    spec = relation.source.spec
    with masked(store, city, relation, spec.names, ItemQuery(where=where), only=only) as (rows, how):
        facts = about(layer, spec.title.en, city, masking=how.text)
        return write_rows(path, rows, spec, facts), how


@contextmanager
def masked(
    store: Store,
    city: CityRow,
    relation: Relation,
    columns: Sequence[str],
    query: ItemQuery,
    *,
    only: tuple[str, str] | None = None,
) -> Iterator[tuple[Rows, Masking]]:
    """Give rows as `gis.store.export.matching` does, with their points moved, and how they were moved.

    A box is compared with the moved points: if it were with the true ones, small boxes would give them away.

    Parameters
    ----------
    only
        One of `columns` and the value of the rows that are moved; every one is without it.

    Raises
    ------
    InvalidInput
        The rows cannot be points, or the filter asks where they are.
    StoreUnavailable
        Rows came in meanwhile; asking again helps.
    """
    _check(relation, query)
    anywhere = replace(query, bbox=None)
    with matching(store, city, relation, columns, anywhere) as rows:
        # A house that is drawn as an area is masked as the point it could as well have been.
        parts = [(part.geometry.representative_point(), _chosen(part, only)) for part in rows.chunks]
    places, chosen = pd.concat([part for part, _ in parts]), np.concatenate([some for _, some in parts])
    moved, report = _moved(store, city, places, chosen)
    if query.bbox is not None:
        # Told of the rows of the file; the points are the same, whatever others stand beside them.
        inside = _within(moved, query)
        moved, report = _moved(store, city, places[inside], chosen[inside])
    with matching(store, city, relation, columns, anywhere) as rows:
        chunks = _with_places(rows.chunks, moved, known=places.index)
        there = moved.notna()
        yield Rows(chunks, frozenset({POINT} if there.any() else ()), bool((~there).any()), len(moved)), report


def _check(relation: Relation, query: ItemQuery) -> None:
    problems = []
    if POINT not in relation.source.spec.geometry:
        problems.append(Problem("not_points", "only points can be masked", "mask"))
    if query.where is not None and _asks_where(query.where.node):
        why = "a masked file is not filtered by where the true places are; take 'bbox' in degrees"
        problems.append(Problem("place_in_filter", why, "filter"))
    if problems:
        raise InvalidInput("the rows cannot be masked", problems)


def _asks_where(node: Node) -> bool:
    return node == ("geometry",) or any(_asks_where(part) for part in node if isinstance(part, tuple))


def _chosen(rows: gpd.GeoDataFrame, only: tuple[str, str] | None) -> np.ndarray:
    """Return which rows (n,) are moved."""
    return np.ones(len(rows), dtype=bool) if only is None else (rows[only[0]] == only[1]).to_numpy(dtype=bool)


def _moved(store: Store, city: CityRow, places: gpd.GeoSeries, chosen: np.ndarray) -> tuple[gpd.GeoSeries, Masking]:
    """Return where the places (n,) are, those that are chosen (n,) moved.

    Blocks and areas are those of the whole city, whatever part of it is seen: a point that came out differently for
    each asker would be two points for two of them, and their middle nearer to the truth than either.
    """
    whole = CityRow(city.id, city.profile)
    moved, report = mask(
        places[chosen],
        blocks=read_frame(store, whole, "blocks", only=("households_count",)),
        levels=[read_frame(store, whole, level, only=()) for level in LEVELS],
        secret=_secret(store, city),
        metric_crs=city.profile.metric_crs,
    )
    points = places.to_numpy(dtype=object, copy=True)
    points[chosen] = moved.to_numpy()
    return gpd.GeoSeries(points, index=places.index, crs=places.crs), report


def _secret(store: Store, city: CityRow) -> bytes:
    """Return the secret of a city, made when it is first needed."""
    mine = sa.select(MASK_SECRETS.c.secret).where(MASK_SECRETS.c.city_id == city.id)
    with store.transaction(Scope(city.id)) as connection:
        connection.execute(pg.insert(MASK_SECRETS).values(city_id=city.id).on_conflict_do_nothing())
        return bytes(connection.execute(mine).scalar_one())


def _within(moved: gpd.GeoSeries, query: ItemQuery) -> np.ndarray:
    """Return which places (n,) lie in the box that is asked for."""
    xy = moved.to_numpy()
    x, y = shapely.get_x(xy), shapely.get_y(xy)
    sides = [(w <= x) & (x <= e) & (s <= y) & (y <= n) for w, s, e, n in query.boxes]
    return np.asarray(np.logical_or.reduce(sides), dtype=bool)


def _with_places(
    chunks: Iterator[gpd.GeoDataFrame], moved: gpd.GeoSeries, *, known: pd.Index
) -> Iterator[gpd.GeoDataFrame]:
    for number, chunk in enumerate(chunks):
        if not chunk.index.isin(known).all():
            raise StoreUnavailable("the rows changed while the file was begun; ask again")
        kept = chunk[chunk.index.isin(moved.index)]
        if number == 0 or len(kept):
            yield kept.set_geometry(moved.loc[kept.index])
