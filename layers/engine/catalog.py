"""The layers there are: every file of `layers`, found by itself."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from gis.errors import NotFound
from layers.engine.layer import GROUPS, Layer


@cache
def catalog() -> Mapping[str, Layer]:
    """Return every layer, id -> layer, in the order of the legend (top first)."""
    package = importlib.import_module("layers")
    modules = [m.name for m in pkgutil.iter_modules(package.__path__) if not m.ispkg]
    found: list[Layer] = [importlib.import_module(f"layers.{name}").LAYER for name in modules]
    found.sort(key=lambda layer: (GROUPS.index(layer.group), layer.order, layer.id))
    return MappingProxyType({layer.id: layer for layer in found})


def layer(id_: str) -> Layer:
    """Return the layer called `id_`; NotFound names those there are."""
    try:
        return catalog()[id_]
    except KeyError:
        raise NotFound(f"no layer '{id_}'; there are: {', '.join(catalog())}") from None


def layer_of_service(service_id: str) -> Layer:
    """Return the layer that shows the runs of a service: of several the one named after it, else the first."""
    shown = [candidate for candidate in catalog().values() if candidate.service == service_id]
    if shown:
        return next((candidate for candidate in shown if candidate.id == service_id), shown[0])
    raise NotFound(f"no layer shows the service '{service_id}'")
