"""``/collections/{id}/export.{format}``: a layer, or one result, as a file to keep, filtered or whole."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import filters, recording
from api.catalogue import layer_of
from api.deps import CityDep, MomentDep, StoreDep
from api.downloads import download, known_ending
from api.problems import bad_query
from api.purpose import MASKS, state_purpose
from api.sources import relation_of, run_of
from gis.errors import Forbidden, NotFound
from gis.files.write import write_rows
from gis.store import results
from gis.store.export import about, matching
from gis.store.masked import masked
from layers.engine.masking import Moved, masked_run

router = APIRouter()

MASK_HEADER: Final = "Wangge-Mask"
"""Says how they were."""

ROUTES: Final = "gpx"
"""The ending of files for navigation devices: routes to walk, which nobody has to give a reason for."""


@router.get("/collections/{id_}/export.gpx")
async def export_routes(request: Request, id_: str, *, store: StoreDep, city: CityDep, moment: MomentDep) -> Response:
    """Return routes as a file for a navigation device."""
    return await export(request, id_, ROUTES, store=store, city=city, moment=moment)


@router.get("/collections/{id_}/export.{ending}")
async def export(
    request: Request, id_: str, ending: str, *, store: StoreDep, city: CityDep, moment: MomentDep
) -> Response:
    """Return a layer as a file, filtered like its items; of a service the latest run, or the one asked for.

    Only what the layer shows leaves the server, as in its items; and some layers only with their places moved.
    """
    of = layer_of(request, id_)
    asked = filters.asked(of, request.query_params, own=filters.EXPORT, profile=city.profile)
    ending = known_ending(ending)
    if ending != ROUTES:
        state_purpose(request)
    relation = relation_of(of, moment, run_id=asked.run_id)
    if relation is None:
        raise NotFound(f"'{of.service}' has no results yet")
    mask = _mask(request)
    told: dict[str, str] = {}
    run = run_of(of, moment, run_id=asked.run_id)
    stem = of.id if run is None else f"{of.id}-{run}"

    def write(folder: Path) -> Path:
        must = Moved() if of.masked else None
        if run is not None:
            found = results.get(store, city, run)
            if found.service != of.service:
                raise bad_query("run_id", f"is a run of '{found.service}', not of '{of.service}'")
            must = must or masked_run(found.service, found.provenance)
        if must is not None and mask == "none":
            raise Forbidden(f"'{of.id}' leaves the server with moved places only: they can single out a household")
        with ExitStack() as opened:
            masking = ""
            with filters.as_bad_query():
                if must is not None or mask == "donut":
                    only = None if must is None or mask == "donut" else must.only
                    moved = masked(store, city, relation, of.columns, asked.query, only=only)
                    rows, how = opened.enter_context(moved)
                    masking, told[MASK_HEADER] = how.text, how.header
                else:
                    rows = opened.enter_context(matching(store, city, relation, of.columns, asked.query))
            recording.note(request, rows_count=rows.count, query=asked.query)
            facts = about(of.id, of.title.en, city, masking=masking)
            return write_rows(folder / f"{stem}.{ending}", rows, of.spec, facts)

    return await download(ending, write, told)


def _mask(request: Request) -> str | None:
    """Return how places are to be moved, None where nothing is said."""
    asked = request.query_params.get("mask")
    if asked not in (None, *MASKS):
        raise bad_query("mask", f"must be {' or '.join(MASKS)}")
    return asked
