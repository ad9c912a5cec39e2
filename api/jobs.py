"""Jobs and runs as OGC API Processes writes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from api.catalogue import services_of
from api.links import GEOJSON, HTML, JSON, MVT, address, link
from api.tilesets import ID as TILE_MATRIX_SET
from gis.errors import NotFound
from gis.store import results
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.jobs import Job
from layers.engine.catalog import layer_of_service

RESULTS_REL = "http://www.opengis.net/def/rel/ogc/1.0/results"

STATES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "accepted": {"zh": "排队中", "en": "waiting"},
        "running": {"zh": "计算中", "en": "running"},
        "successful": {"zh": "已完成", "en": "done"},
        "failed": {"zh": "失败", "en": "failed"},
        "dismissed": {"zh": "已取消", "en": "cancelled"},
    }
)


def instant(at: dt.datetime | None) -> str | None:
    """Return an instant in RFC 3339, UTC."""
    return None if at is None else at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def status_info(request: Request, job: Job) -> dict[str, Any]:
    """Return the state of a job."""
    here = f"/jobs/{job.id}"
    # What is not yet so is left out: the standard knows no null here.
    known = {
        "message": job.message or None,
        "created": instant(job.created_at),
        "started": instant(job.started_at),
        "finished": instant(job.finished_at),
    }
    document: dict[str, Any] = {
        "jobID": str(job.id),
        "processID": job.service,
        "type": "process",
        "status": job.state,
        "progress": round(100 * job.progress_share),
        **{name: told for name, told in known.items() if told is not None},
        "parameters": job.parameters,
        "links": [link(request, "self", here, JSON), link(request, "alternate", here, HTML, query={"f": "html"})],
    }
    if job.problem is not None:
        document["problem"] = job.problem
    if job.run_id is not None:
        document["run_id"] = job.run_id
        document["links"].append(link(request, RESULTS_REL, f"{here}/results", JSON))
    return document


def result_links(request: Request, service: str, run_id: int) -> list[dict[str, object]]:
    """Return where the features of a run are; nowhere while no layer shows its service."""
    try:
        layer = layer_of_service(service)
    except NotFound:
        return []
    base, run = f"/collections/{layer.id}", {"run_id": run_id}
    tile = address(request, f"{base}/tiles/{TILE_MATRIX_SET}/{{z}}/{{y}}/{{x}}", run)
    return [
        link(request, "items", f"{base}/items", GEOJSON, "GeoJSON", query=run),
        {"rel": "tiles", "type": MVT, "href": tile, "templated": True},
        link(request, "map", f"/maps/{layer.id}.html", HTML, "map", query=run),
    ]


async def results_document(request: Request, store: Store, city: CityRow, run_id: int) -> dict[str, Any]:
    """Return what came out of a run: numbers, provenance, and where the features are."""
    run = await run_in_threadpool(results.get, store, city, run_id)
    if run.service not in services_of(request):
        raise NotFound(f"there is no run {run_id}")
    return {
        "run_id": run.id,
        "service": run.service,
        "created": instant(run.created_at),
        "summary": run.summary,
        "provenance": run.provenance,
        "links": result_links(request, run.service, run.id),
    }
