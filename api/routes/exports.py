"""``/collections/{id}/export.{format}``: a layer, or one result, as a file to keep."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.catalogue import layer_of
from api.deps import CityDep, StoreDep
from api.downloads import download, known_ending
from api.problems import bad_query
from gis.contract.result import Result
from gis.errors import Forbidden
from gis.files.write import write_file
from gis.store import results
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.export import about
from gis.store.frames import read_frame
from layers.engine.layer import FrameSource, Layer

router = APIRouter()


@router.get("/collections/{id_}/export.{ending}")
async def export(request: Request, id_: str, ending: str, store: StoreDep, city: CityDep) -> Response:
    """Return a layer as a file; of a service the latest run, or the one asked for.

    Only what the layer shows leaves the server, as in its items; and some layers do not leave it at all.
    """
    of = layer_of(request, id_)
    if not of.leaves:
        raise Forbidden(f"'{of.id}' does not leave the server as a file: its places can single out a household")
    given = parameters.known(request.query_params, ("run_id",) if of.service is not None else ())
    ending = known_ending(ending)
    run_id = None
    if "run_id" in given and (run_id := parameters.key(given["run_id"])) is None:
        raise bad_query("run_id", "must be the number of a run")
    return await download(ending, lambda folder: _write(store, city, of, folder, ending=ending, run_id=run_id))


def _write(store: Store, city: CityRow, of: Layer, folder: Path, *, ending: str, run_id: int | None) -> Path:
    if isinstance(of.source, FrameSource):
        stem, rows = of.id, read_frame(store, city, of.source.frame)
    else:
        run = run_id if run_id is not None else results.latest_id(store, city, of.source.service)
        stem, rows = f"{of.id}-{run}", _of_service(results.read(store, city, run), of)
    shown = rows[[name for name in of.columns if name in rows.columns] + [rows.active_geometry_name]]
    return write_file(folder / f"{stem}.{ending}", shown, of.spec, about(of.id, of.title.en, city))


def _of_service(result: Result, of: Layer) -> gpd.GeoDataFrame:
    if result.service != of.service:
        raise bad_query("run_id", f"is a run of '{result.service}', not of '{of.service}'")
    return result.features
