"""A frame of a city, or the result of a run, to a file; importing it again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd

from gis.contract.result import Result
from gis.contract.service import service
from gis.files.write import About, write_file
from gis.store import wire
from gis.store.cities import CityRow
from gis.store.clauses import bound, clauses
from gis.store.cql2 import Filter
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.query import ItemQuery
from gis.store.relations import Relation, frame_relation, result_relation
from gis.store.results import get


def export_frame(store: Store, city: CityRow, frame_id: str, path: Path, *, where: Filter | None = None) -> Path:
    """Write one frame of a city, of grids those in force today; the format goes by the file's ending.

    With a filter, only the rows that pass it. Only the columns of the contract leave the house, geometry in
    EPSG:4326, instants in UTC.

    Returns
    -------
    Path
        Where it was written, see `gis.files.write.write_file`.

    Raises
    ------
    NotFound
        There is no frame of that name.
    UnsupportedMedia, InvalidInput, TooLarge
        The format is not written here, or cannot hold these rows.
    """
    relation = frame_relation(frame_id)
    spec = relation.source.spec
    frame = read_matching(store, city, relation, spec.names, ItemQuery(where=where))
    return write_file(path, frame, spec, about(frame_id, spec.title.en, city))


def export_run(store: Store, city: CityRow, run_id: int, path: Path, *, where: Filter | None = None) -> Path:
    """Write the features of a run, or those of them that pass a filter; as `export_frame`."""
    declared = service(get(store, city, run_id).service)
    relation = result_relation(declared, run_id)
    features = read_matching(store, city, relation, declared.output.names, ItemQuery(where=where))
    return write_file(path, features, declared.output, about(declared.id, declared.title.en, city))


def read_matching(
    store: Store, city: CityRow, relation: Relation, columns: Sequence[str], query: ItemQuery
) -> gpd.GeoDataFrame:
    """Return all rows of a relation that pass a filter, whatever its page; geometry in EPSG:4326.

    Raises
    ------
    InvalidInput
        The filter reads another property than `columns`, or a value is of a wrong kind.
    NotFound
        The service never ran.
    """
    source = relation.source
    values = bound(relation, city.scope, query, columns)
    met = [clause.params(values) for clause in clauses(source, query.shape)]
    with store.transaction(city.scope, timeout_s=WORKER_TIMEOUT_S, read_only=True) as connection:
        return wire.read(connection, source.spec, source.table, *met)


def export_result(result: Result, path: Path, *, city: CityRow) -> Path:
    """Write the features of a run; as `export_frame`."""
    declared = service(result.service)
    return write_file(path, result.features, declared.output, about(result.service, declared.title.en, city))


def about(layer: str, title: str, city: CityRow) -> About:
    """Return what a file of a city's layer says about itself."""
    profile = city.profile
    return About(layer, f"{title}, {profile.title.en}", profile.attribution, profile.synthetic)
