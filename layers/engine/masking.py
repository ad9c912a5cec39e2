"""Which rows leave the server in files only with their places moved, see ``docs/methods/masking.md``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gis.contract.service import service
from layers.engine.catalog import catalog
from layers.engine.layer import FrameSource


@dataclass(frozen=True, slots=True)
class Moved:
    """Rows whose places have to be moved.

    Attributes
    ----------
    only
        Column and value of those rows; None where it is all of them.
    """

    only: tuple[str, str] | None = None


def masked_frame(frame_id: str) -> bool:
    """Return whether the places of a frame have to be moved, as a layer of them says."""
    shown = [layer for layer in catalog().values() if isinstance(layer.source, FrameSource)]
    return any(layer.masked for layer in shown if layer.spec.id == frame_id)


def masked_run(service_id: str, provenance: Mapping[str, Any]) -> Moved | None:
    """Return which features of a run are places of such a frame; None where none is."""
    told = _told(service_id, provenance["parameters"], {record["frame"] for record in provenance["inputs"]})
    if not told:
        return None
    return Moved() if None in told else Moved(told[0])


def _told(service_id: str, parameters: Mapping[str, Any], given: Collection[str]) -> list[tuple[str, str] | None]:
    return [
        tells.rows
        for tells in service(service_id).tells
        if tells.in_rows and tells.frame in given and tells.of(parameters) and masked_frame(tells.frame)
    ]
