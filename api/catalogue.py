"""What of a layer leaves the server."""

from __future__ import annotations

from gis.contract.frame import Column
from layers.engine.layer import Layer


def properties(layer: Layer) -> tuple[Column, ...]:
    """Return the columns of a layer's allow-list, in the order of its contract."""
    return tuple(column for column in layer.spec.columns if column.name in layer.columns)
