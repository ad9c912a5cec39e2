"""``/plans``: drafts of the grids, edited by revision, reviewed by another desk, published for a day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import shapely
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.deps import CityDep, LanguageDep, StoreDep, watch_of
from api.downloads import download, known_ending
from api.links import JSON, link
from api.pages import Json, render
from api.plan_actions import Acted
from api.plans import (
    Asked,
    Change,
    Copied,
    GridChanges,
    Locks,
    Moves,
    NewPlan,
    Published,
    Returned,
    Weighed,
    comparison_document,
    edit_documents,
    patch_of,
    plan_document,
    problem_documents,
    proposals_document,
    read,
)
from api.problems import bad_query
from api.purpose import PARAMETER, state_purpose
from api.roles import DeskDep
from api.streams import Report, streamed
from api.visitors import visitor_of
from gis.errors import NotFound
from gis.files.write import write_file
from gis.store import plans
from gis.store.export import about
from gis.store.plans import NOTICE, Grid, Patch, PlanRow, State

router = APIRouter(prefix="/plans")

EDITS_AT_ONCE: Final = 1000
STATES: Final[tuple[State, ...]] = ("draft", "review", "approved", "effective", "superseded")


@router.get("")
async def listed(request: Request, store: StoreDep, city: CityDep) -> Response:
    """Return the plans of the city in use, the newest first."""
    given = parameters.known(request.query_params, ("state", "limit"))
    state = next((known for known in STATES if known == given.get("state")), None)
    if "state" in given and state is None:
        raise bad_query("state", f"must be one of {', '.join(STATES)}")
    await run_in_threadpool(plans.settle, store, city)
    limit = parameters.limit(given.get("limit"))
    found = await run_in_threadpool(lambda: plans.list_(store, city, state=state, limit=limit))
    return Json({"plans": [plan_document(request, plan) for plan in found]})


@router.post("")
async def create(request: Request, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Write down a new draft."""
    new = await read(request, NewPlan)
    if new.copy_of is not None:
        plan = await run_in_threadpool(plans.copy, store, city, new.copy_of, title=new.title, desk=desk)
    elif new.assignment is not None:
        codes = sorted({code for code in new.assignment.values() if code is not None})
        plan = await run_in_threadpool(
            plans.create, store, city, title=new.title, desk=desk, blocks=new.assignment,
            grids=[Grid(code) for code in codes], note=new.note,
        )  # fmt: skip
    else:
        plan = await run_in_threadpool(plans.from_current, store, city, title=new.title, desk=desk, note=new.note)
    return Json(plan_document(request, plan), 201, {"Location": f"/plans/{plan.id}"})


@router.get("/{id_}")
async def one(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return one plan."""
    parameters.known(request.query_params, ())
    await run_in_threadpool(plans.settle, store, city)
    return Json(plan_document(request, await run_in_threadpool(plans.get, store, city, _id(id_))))


@router.delete("/{id_}")
async def throw_away(id_: str, store: StoreDep, city: CityDep) -> Response:
    """Throw a draft away."""
    await run_in_threadpool(plans.delete, store, city, _id(id_))
    return Response(status_code=204)


@router.get("/{id_}/assignment")
async def assignment(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return the grid of each block, with the revision at which it is so."""
    parameters.known(request.query_params, ())
    plan = await run_in_threadpool(plans.get, store, city, _id(id_))
    blocks = await run_in_threadpool(plans.assignment, store, city, plan.id)
    return Json({"revision": plan.revision, "assignment": blocks})


@router.get("/{id_}/board")
async def board(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return all that a page needs to redraw the plan by itself."""
    parameters.known(request.query_params, ())
    plan_id = _id(id_)
    return Json(await run_in_threadpool(lambda: plans.board(plans.desk(store, city, plan_id))))


@router.get("/{id_}/problems")
async def problems(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return every rule that the plan breaks, where, and what would mend it."""
    parameters.known(request.query_params, ())
    laid = await run_in_threadpool(plans.desk, store, city, _id(id_))
    found = await run_in_threadpool(plans.problems, store, city, laid)
    return Json({"revision": laid.row.revision, "problems": problem_documents(laid, found)})


@router.get("/{id_}/compare")
async def compare(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return what the plan changes of the grids in force, or of another plan (``with``)."""
    other = parameters.known(request.query_params, ("with",)).get("with", "current")
    laid = await run_in_threadpool(plans.desk, store, city, _id(id_))
    beside = None if other == "current" else await run_in_threadpool(plans.assignment, store, city, _id(other))

    def work() -> dict[str, Any]:
        found, posts = plans.compared(laid, beside), plans.posts_moved(laid, beside)
        return comparison_document(found, posts, plans.coverage(store, city, laid, beside))

    return Json({"revision": laid.row.revision, **await run_in_threadpool(work)})


@router.post("/{id_}/proposals")
async def propose(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Make better plans of the draft as it is, telling how far it is line by line; none of them is kept."""
    body, plan_id = await read(request, Asked), _id(id_)
    laid = await run_in_threadpool(plans.desk, store, city, plan_id)

    def work(report: Report) -> dict[str, Any]:
        found = plans.proposals(store, city, laid, ways=body.ways, seed=body.seed, progress=report)
        return proposals_document(laid, found)

    return streamed(work)


@router.get("/{id_}/grids")
async def grids(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return what the plan says of its grids besides their blocks."""
    parameters.known(request.query_params, ())
    return Json({"grids": [asdict(grid) for grid in await run_in_threadpool(plans.grids, store, city, _id(id_))]})


@router.get("/{id_}/shapes")
async def shapes(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return the blocks that the plan itself cut or moved."""
    parameters.known(request.query_params, ())
    found = await run_in_threadpool(plans.shapes, store, city, _id(id_))
    features = [
        {
            "type": "Feature",
            "id": shape.code,
            "geometry": shapely.geometry.mapping(shape.geometry),
            "properties": {k: v for k, v in asdict(shape).items() if k != "geometry"},
        }
        for shape in found
    ]
    return Json({"type": "FeatureCollection", "features": features})


@router.get("/{id_}/edits")
async def edits(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return the log of the plan in order, a page at a time."""
    given = parameters.known(request.query_params, ("limit", "after"))
    limit = parameters.limit(given["limit"]) if "limit" in given else EDITS_AT_ONCE
    after, plan_id = parameters.key(given["after"]) if "after" in given else 0, _id(id_)
    if after is None:
        raise bad_query("after", "must be the number of an edit")
    found = await run_in_threadpool(lambda: plans.edits(store, city, plan_id, after=after, limit=limit + 1))
    here, page = f"/plans/{plan_id}/edits", found[:limit]
    links = [link(request, "self", here, JSON, query={"limit": limit, **({"after": after} if after else {})})]
    if len(found) > limit:
        links.append(link(request, "next", here, JSON, query={"limit": limit, "after": page[-1].seq}))
    return Json({"edits": edit_documents(page), "links": links})


@router.get("/{id_}/lineage")
async def lineage(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return which grid became which; nothing before the plan is published."""
    parameters.known(request.query_params, ())
    return Json({"lineage": [asdict(row) for row in await run_in_threadpool(plans.lineage, store, city, _id(id_))]})


@router.get("/{id_}/export.{ending}")
async def export(request: Request, id_: str, ending: str, store: StoreDep, city: CityDep) -> Response:
    """Return the plan as a file: its grids with their areas, or as CSV the grid of each block."""
    parameters.known(request.query_params, (PARAMETER,))
    plan_id, ending = _id(id_), known_ending(ending)
    state_purpose(request)

    def write(folder: Path) -> Path:
        return plans.export_plan(store, city, plan_id, folder / f"plan-{plan_id}.{ending}")

    return await download(ending, write)


@router.get("/{id_}/notice.{ending}")
async def notice(
    request: Request, id_: str, ending: str, *, store: StoreDep, city: CityDep, language: LanguageDep
) -> Response:
    """Return whom the plan concerns: a page to print, or the blocks with another grid as a file."""
    parameters.known(request.query_params, (PARAMETER,))
    if ending != "html":
        state_purpose(request)
    laid = await run_in_threadpool(plans.desk, store, city, _id(id_))
    if ending == "html":
        found = await run_in_threadpool(plans.compared, laid)
        return render(
            request,
            "notice.html",
            language=language,
            plan=laid.row,
            totals=found.totals,
            grids=found.grids.reset_index().to_dict("records"),
            posts=plans.posts_moved(laid).to_dict("records"),
            blocks=plans.notice(laid).drop(columns="geometry").to_dict("records"),
        )
    known = known_ending(ending)
    facts = about("notice", f"{NOTICE.title.en}, plan {laid.row.id}", city)

    def write(folder: Path) -> Path:
        return write_file(folder / f"notice-{laid.row.id}.{known}", plans.notice(laid), NOTICE, facts)

    return await download(known, write)


@router.patch("/{id_}/assignment")
async def move(request: Request, id_: str, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Assign blocks to grids: one stroke of the brush is one edit."""
    body = await read(request, Moves)
    patch = patch_of(body)
    return await _changed(
        request, plans.edit, store, city, _id(id_), patch, revision=body.revision, action=body.action, desk=desk
    )


@router.post("/{id_}/edits")
async def act(request: Request, id_: str, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Do an action of `gis.plans.actions` to the draft, as one edit."""
    body = (await read(request, Acted)).root
    said = body.arguments
    return await _changed(
        request,
        plans.act,
        store,
        city,
        _id(id_),
        said.delta,
        revision=body.revision,
        action=body.action,
        arguments=said.model_dump(mode="json"),
        desk_name=desk,
    )


@router.patch("/{id_}/grids")
async def describe(request: Request, id_: str, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Add grids, describe them anew, or take empty ones out."""
    body = await read(request, GridChanges)
    return await _changed(
        request, plans.edit, store, city, _id(id_), patch_of(body),
        revision=body.revision, action="describe_grids", desk=desk,
    )  # fmt: skip


@router.put("/{id_}/locks")
async def lock(request: Request, id_: str, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Say which blocks and grids no edit may touch."""
    body = await read(request, Locks)
    patch = Patch(locks={"blocks": sorted(body.blocks), "grids": sorted(body.grids)})
    return await _changed(
        request, plans.edit, store, city, _id(id_), patch, revision=body.revision, action="lock", desk=desk
    )


@router.get("/{id_}/workload")
async def workload(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Return what makes work in the plan: every weight with its source, and what it comes to."""
    parameters.known(request.query_params, ())
    laid = await run_in_threadpool(plans.desk, store, city, _id(id_))
    return Json({"revision": laid.row.revision, **plans.model(laid)})


@router.patch("/{id_}/workload")
async def weigh(request: Request, id_: str, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Give the plan weights of its own, or the policy's again; loads, rules and proposals follow at once."""
    body = await read(request, Weighed)
    given = None if body.weights is None else body.weights.model_dump(exclude_none=True)
    return await _changed(request, plans.weigh, store, city, _id(id_), given, revision=body.revision, desk_name=desk)


@router.post("/{id_}/undo")
async def undo(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Take the last edit back."""
    body = await read(request, Change)
    return await _changed(request, plans.undo, store, city, _id(id_), revision=body.revision)


@router.post("/{id_}/redo")
async def redo(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Do the edit again that was undone last."""
    body = await read(request, Change)
    return await _changed(request, plans.redo, store, city, _id(id_), revision=body.revision)


@router.post("/{id_}/copy")
async def copy(request: Request, id_: str, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Write down a draft with all that the plan holds."""
    body = await read(request, Copied)
    plan = await run_in_threadpool(plans.copy, store, city, _id(id_), title=body.title, desk=desk)
    return Json(plan_document(request, plan), 201, {"Location": f"/plans/{plan.id}"})


@router.post("/{id_}/submit")
async def submit(request: Request, id_: str, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Hand the draft in for review."""
    body = await read(request, Change)
    account_id = visitor_of(request).account_id
    return await _changed(
        request, plans.hand_in, store, city, _id(id_), revision=body.revision, desk_name=desk, account_id=account_id
    )


@router.post("/{id_}/withdraw")
async def withdraw(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Take the plan back from review."""
    body = await read(request, Change)
    return await _changed(request, plans.withdraw, store, city, _id(id_), revision=body.revision)


@router.post("/{id_}/send-back")
async def send_back(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Send the plan back from review with a note of what to change."""
    body = await read(request, Returned)
    return await _changed(request, plans.send_back, store, city, _id(id_), revision=body.revision, note=body.note)


@router.post("/{id_}/approve")
async def approve(request: Request, id_: str, store: StoreDep, city: CityDep, desk: DeskDep) -> Response:
    """Approve the plan; who handed it in cannot."""
    body, account_id = await read(request, Change), visitor_of(request).account_id
    return await _changed(
        request, plans.approve, store, city, _id(id_), revision=body.revision, desk=desk, account_id=account_id
    )


@router.post("/{id_}/publish")
async def publish(request: Request, id_: str, store: StoreDep, city: CityDep) -> Response:
    """Give the approved plan its day."""
    body = await read(request, Published)
    answer = await _changed(request, plans.publish, store, city, _id(id_), revision=body.revision, on=body.effective_on)
    watch_of(request).forget()
    return answer


async def _changed(request: Request, change: Callable[..., PlanRow], *given: Any, **more: Any) -> Response:
    return Json(plan_document(request, await run_in_threadpool(change, *given, **more)))


def _id(text: str) -> int:
    number = parameters.key(text)
    if number is None:
        raise NotFound(f"there is no plan {text}", zh=f"没有方案 {text}")
    return number
