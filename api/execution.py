"""What a run gave, as OGC API Processes 1 writes it: each output by its value or by its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.catalogue import layer_of, services_of
from api.links import GEOJSON, JSON, Link, link
from api.pages import Json
from api.problems import problem_response
from gis.contract.service import service
from gis.errors import InvalidInput, NotFound, Problem
from gis.store import items, results
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.jobs import Job
from gis.store.query import MAX_LIMIT, ItemQuery
from gis.store.relations import result_relation
from gis.store.results import Run
from layers.engine.catalog import layer_of_service

FEATURES: Final = "features"
OUTPUTS: Final = (FEATURES, "summary", "provenance")
MODES: Final = ("value", "reference")
RESPONSES: Final = ("document", "raw")
FAULTS_OF_OURS: Final = frozenset({"The computation failed unexpectedly", "The computation was cut off"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a run is to be answered.

    Attributes
    ----------
    modes
        Output -> by ``value`` or by ``reference``; features by reference unless asked otherwise, for they are many.
    is_raw
        The one output itself, and no document around it.
    """

    modes: tuple[tuple[str, str], ...]
    is_raw: bool = False


WHOLE: Final = Wanted(tuple((name, "reference" if name == FEATURES else "value") for name in OUTPUTS))


def wanted(body: bytes) -> Wanted:
    """Return what an execution request, known to be a JSON object, wants to be answered.

    Raises
    ------
    InvalidInput
        Names every output, mode or response that there is not.

    Examples
    --------
    >>> wanted(b'{"inputs": {}, "outputs": {"summary": {}}, "response": "raw"}')
    Wanted(modes=(('summary', 'value'),), is_raw=True)
    """
    given = orjson.loads(body or b"{}")
    if "inputs" not in given:
        return WHOLE
    asked, response = given.get("outputs"), given.get("response", RESPONSES[0])
    problems = []
    modes = list(WHOLE.modes)
    if isinstance(asked, dict) and asked:
        usual = dict(WHOLE.modes)
        modes = [(name, _mode(entry, usual.get(name, "value"))) for name, entry in asked.items()]
        problems += [
            Problem("unknown_output", f"there is no such output; there are {', '.join(OUTPUTS)}", f"outputs.{name}")
            for name in asked
            if name not in OUTPUTS
        ]
        problems += [
            Problem("unknown_mode", f"the transmission mode must be {' or '.join(MODES)}", f"outputs.{name}")
            for name, mode in modes
            if mode not in MODES or (mode == "reference" and name in OUTPUTS and name != FEATURES)
        ]
    elif asked not in (None, {}, []):
        problems.append(Problem("not_an_object", "must be a JSON object", "outputs"))
    if response not in RESPONSES:
        problems.append(Problem("unknown_response", f"must be {' or '.join(RESPONSES)}", "response"))
    elif response == "raw" and len(modes) != 1:
        problems.append(Problem("several_outputs", "'raw' answers with one output; name it in 'outputs'", "response"))
    if problems:
        raise InvalidInput("the execution request is not valid", problems)
    return Wanted(tuple(modes), response == "raw")


def _mode(entry: object, usual: str) -> str:
    mode = entry.get("transmissionMode", usual) if isinstance(entry, dict) else ""
    return mode if isinstance(mode, str) else ""


async def finished(
    request: Request, store: Store, city: CityRow, job: Job, *, want: Wanted, headers: dict[str, str]
) -> Response:
    """Return the answer to a request that waited for its job: what came out, or why nothing did."""
    if job.run_id is None:
        return why_not(job, headers)
    run = await _run(request, store, city, job.run_id)
    if not want.is_raw:
        return Json(await document(request, store, city, run, want), headers=headers)
    ((name, mode),) = want.modes
    if mode == "reference":
        at = _address(request, run)
        return Response(status_code=204, headers={**headers, "Link": f'<{at["href"]}>; rel="{name}"; type="{GEOJSON}"'})
    found = await _value(request, store, city, run, name)
    return Json(found, 200, headers, GEOJSON if name == FEATURES else JSON)


def why_not(job: Job, headers: dict[str, str] | None = None) -> Response:
    """Return why nothing came out of a job that is done, as an error."""
    told = job.problem or {}
    status = 500 if told.get("title") in FAULTS_OF_OURS else 422
    said = {"message": told["message"]} if "message" in told else {}
    problems = tuple(Problem(**{**one, "rows": tuple(one["rows"])}) for one in told.get("problems", ()))
    detail = told.get("detail", f"job {job.id} was {job.state}")
    return problem_response(status, detail, problems=problems, headers=headers, **said)


async def results_of(request: Request, store: Store, city: CityRow, run_id: int) -> dict[str, Any]:
    """Return every output of a run: its features by their address, the rest by value."""
    return await document(request, store, city, await _run(request, store, city, run_id), WHOLE)


async def document(request: Request, store: Store, city: CityRow, run: Run, want: Wanted) -> dict[str, Any]:
    """Return outputs of a run by their names."""
    found: dict[str, Any] = {}
    for name, mode in want.modes:
        if name == FEATURES and not _is_shown(run):
            continue
        if mode == "reference":
            found[name] = _address(request, run)
        else:
            kind = GEOJSON if name == FEATURES else JSON
            found[name] = {"value": await _value(request, store, city, run, name), "mediaType": kind}
    return found


async def _run(request: Request, store: Store, city: CityRow, run_id: int) -> Run:
    run = await run_in_threadpool(results.get, store, city, run_id)
    if run.service not in services_of(request):
        raise NotFound(f"there is no run {run_id}")
    return run


def _is_shown(run: Run) -> bool:
    """Return whether a layer shows the features of a run; else nobody gets them over HTTP."""
    try:
        layer_of_service(run.service)
    except NotFound:
        return False
    return True


def _address(request: Request, run: Run) -> Link:
    layer = layer_of(request, layer_of_service(run.service).id)
    return link(request, "items", f"/collections/{layer.id}/items", GEOJSON, query={"run_id": run.id})


async def _value(request: Request, store: Store, city: CityRow, run: Run, name: str) -> Any:
    """Return the value of one output; of more than 10,000 features the first, and how many there are."""
    if name != FEATURES:
        return run.summary if name == "summary" else run.provenance
    layer = layer_of(request, layer_of_service(run.service).id)
    relation = result_relation(service(run.service), run.id)
    page = await items.page(store, city.scope, relation, layer.columns, ItemQuery(limit=MAX_LIMIT))
    found = {
        "type": "FeatureCollection",
        "numberReturned": page.returned,
        "features": orjson.Fragment(page.features),
        "links": [_address(request, run)],
    }
    return found if page.matched is None else {**found, "numberMatched": page.matched}
