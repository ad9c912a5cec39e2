"""``/collections/{id}/items``, written to: one feature added, replaced, changed or removed (OGC API Features 4)."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api import parameters
from api.catalogue import layer_of
from api.deps import CityDep, MomentDep, StoreDep, watch_of
from api.editing import (
    MERGE_PATCH,
    PARTS,
    WHOLE,
    allowed_on_item,
    allowed_on_items,
    condition,
    edited_layer,
    item_key,
    read_body,
    retry_of,
    tag_of,
)
from api.links import address
from api.sources import relation_of
from api.visitors import visitor_of
from api.watch import Moment
from gis.crs import Reference
from gis.errors import NotFound
from gis.files import feature
from gis.files.feature import Draft, Row
from gis.store import writes
from gis.store.cities import CityRow
from gis.store.engine import Store
from gis.store.relations import Relation
from gis.store.writes import Written
from layers.engine.layer import Layer

router = APIRouter()


@router.options("/collections/{id_}/items")
async def items_options(request: Request, id_: str) -> Response:
    """Return what whoever asks may do with the features of a layer."""
    of = layer_of(request, id_)
    methods = allowed_on_items(of, visitor_of(request).role)
    headers = {"Allow": ", ".join(methods)}
    if "POST" in methods:
        headers["Accept-Post"] = ", ".join(WHOLE)
    return Response(headers=headers)


@router.options("/collections/{id_}/items/{key}")
async def item_options(request: Request, id_: str, key: str) -> Response:
    """Return what whoever asks may do with one feature of a layer."""
    of = layer_of(request, id_)
    item_key(key)
    methods = allowed_on_item(of, visitor_of(request).role)
    headers = {"Allow": ", ".join(methods)}
    if "PATCH" in methods:
        headers["Accept-Patch"] = MERGE_PATCH
    return Response(headers=headers)


@router.post("/collections/{id_}/items")
async def create(request: Request, id_: str, store: StoreDep, city: CityDep, moment: MomentDep) -> Response:
    """Add a feature: 201 with its address."""
    of = edited_layer(request, id_, adds=True)
    parameters.known(request.query_params, ())
    body = await read_body(request, city.profile, WHOLE)
    retry = retry_of(request, body.raw)

    def work() -> Written:
        draft = feature.whole(body.document, of.spec, of.columns)
        row = feature.checked(draft, writes.rules(store, city, of.spec), crs=body.crs)
        return writes.create(store, city.scope, _relation(of, moment), row, retry=retry)

    done = await run_in_threadpool(work)
    watch_of(request).forget()
    here = address(request, f"/collections/{of.id}/items/{done.key}")
    return Response(status_code=201, headers={"Location": here, "ETag": tag_of(request, of, done.key, done.version)})


@router.put("/collections/{id_}/items/{key}")
async def replace(
    request: Request, id_: str, key: str, *, store: StoreDep, city: CityDep, moment: MomentDep
) -> Response:
    """Replace a feature that is there; what of it the role does not see stays as it is."""
    of = edited_layer(request, id_, adds=False)
    number = item_key(key)
    body = await read_body(request, city.profile, WHOLE)

    def draft(before: Row) -> tuple[Draft, Row]:
        hidden = {name: value for name, value in before.values.items() if name not in of.columns}
        return feature.whole(body.document, of.spec, of.columns), Row(hidden, before.geometry)

    check = condition(request, number, needed=True)
    return await _changed(request, store, city, _relation(of, moment), of, number, draft, check, body.crs)


@router.patch("/collections/{id_}/items/{key}")
async def update(
    request: Request, id_: str, key: str, *, store: StoreDep, city: CityDep, moment: MomentDep
) -> Response:
    """Change what a JSON merge patch names of a feature."""
    of = edited_layer(request, id_, adds=False)
    number = item_key(key)
    body = await read_body(request, city.profile, PARTS)

    def draft(before: Row) -> tuple[Draft, Row]:
        return feature.part(body.document, of.spec, of.columns, number), before

    check = condition(request, number, needed=False)
    return await _changed(request, store, city, _relation(of, moment), of, number, draft, check, body.crs)


@router.delete("/collections/{id_}/items/{key}")
async def remove(
    request: Request, id_: str, key: str, *, store: StoreDep, city: CityDep, moment: MomentDep
) -> Response:
    """Remove a feature."""
    of = edited_layer(request, id_, adds=False)
    parameters.known(request.query_params, ())
    number, relation = item_key(key), _relation(of, moment)
    check = condition(request, number, needed=False)
    await run_in_threadpool(lambda: writes.remove(store, city.scope, relation, number, check=check))
    watch_of(request).forget()
    return Response(status_code=204)


def _relation(of: Layer, moment: Moment) -> Relation:
    relation = relation_of(of, moment)
    if relation is None:
        raise NotFound(f"{of.id} has no features yet")
    return relation


async def _changed(  # noqa: PLR0917 - all that one change is about, from two callers
    request: Request,
    store: Store,
    city: CityRow,
    relation: Relation,
    of: Layer,
    key: int,
    draft: Callable[[Row], tuple[Draft, Row]],
    check: Callable[[int], None],
    crs: Reference | None,
) -> Response:
    """Change a feature from what it is to what `draft` makes of that, and answer with its new state's name."""
    parameters.known(request.query_params, ())

    def work() -> Written:
        held_to = writes.rules(store, city, of.spec)

        def merge(before: Row) -> Row:
            said, base = draft(before)
            return feature.checked(said, held_to, crs=crs, before=base)

        return writes.change(store, city.scope, relation, key, merge=merge, check=check)

    done = await run_in_threadpool(work)
    watch_of(request).forget()
    return Response(status_code=204, headers={"ETag": tag_of(request, of, key, done.version)})
