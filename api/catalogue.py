"""What of the layers and services a role sees, and what of a layer leaves the server."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from starlette.requests import Request

from api.visitors import visitor_of
from gis.contract.frame import Column
from gis.contract.roles import Role
from gis.contract.service import Service, services
from gis.errors import NotFound
from layers.engine.catalog import catalog
from layers.engine.layer import SEEN_BY, FrameSource, Layer


@cache
def layers_seen(role: Role) -> Mapping[str, Layer]:
    """Return the layers that a role sees, each with the columns it sees of it, in the order of the legend."""
    seen = {id_: layer.seen(role) for id_, layer in catalog().items()}
    return MappingProxyType({id_: layer for id_, layer in seen.items() if layer is not None})


@cache
def unseen_by(role: Role) -> tuple[str, ...]:
    """Return the frames that a role sees in no layer, but of whose places services tell whose results it sees."""
    told = {tells.frame for service in services_seen(role).values() for tells in service.tells}
    seen = {layer.source.frame for layer in layers_seen(role).values() if isinstance(layer.source, FrameSource)}
    return tuple(sorted(told - seen))


def layers_of(request: Request) -> Mapping[str, Layer]:
    """Return the layers that whoever asks sees."""
    return layers_seen(visitor_of(request).role)


def layer_of(request: Request, id_: str) -> Layer:
    """Return a layer as whoever asks sees it; NotFound, as if it were not there, where they do not.

    The public sees the newest run of what is published, for of two runs one could be subtracted from the other.
    """
    if visitor_of(request).role == "public" and "run_id" in request.query_params:
        from api.problems import bad_query  # which itself leads here by way of the documents it shows

        raise bad_query("run_id", "sign in to see another run than the newest")
    seen = layers_of(request)
    try:
        return seen[id_]
    except KeyError:
        if id_ in catalog():
            from api import recording  # as above

            recording.deny(request)
        raise NotFound(f"no layer '{id_}'; there are: {', '.join(seen)}") from None


def services_seen(role: Role) -> Mapping[str, Service]:
    """Return the services whose results a role sees: those of its layers, and what no layer shows as analyses are."""
    shown = {layer.service for layer in catalog().values()}
    mine = {layer.service for layer in layers_seen(role).values()}
    return MappingProxyType(
        {
            id_: service
            for id_, service in services().items()
            if id_ in mine or (id_ not in shown and role in SEEN_BY["analysis"])
        }
    )


def services_of(request: Request) -> Mapping[str, Service]:
    """Return the services whose results whoever asks sees."""
    return services_seen(visitor_of(request).role)


def properties(layer: Layer) -> tuple[Column, ...]:
    """Return the columns of a layer's allow-list, in the order of its contract."""
    names = layer.columns
    return tuple(column for column in layer.spec.columns if column.name in names)
