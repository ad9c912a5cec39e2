"""Where the rows of a layer lie at a moment, and under which version."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from api.watch import Moment
from gis.contract.service import service
from gis.store.relations import Relation, frame_relation, result_relation
from layers.engine.layer import FrameSource, Layer


def relation_of(layer: Layer, moment: Moment, *, run_id: int | None = None) -> Relation | None:
    """Return the rows behind a layer; None where its service never ran.

    Parameters
    ----------
    run_id
        A run of the layer's service; the latest when not given.
    """
    if isinstance(layer.source, FrameSource):
        return frame_relation(layer.source.frame)
    run = run_of(layer, moment, run_id=run_id)
    return None if run is None else result_relation(service(layer.source.service), run)


def run_of(layer: Layer, moment: Moment, *, run_id: int | None = None) -> int | None:
    """Return the run that a layer of a service shows: the one asked for, or the latest; None for a frame."""
    if layer.service is None:
        return None
    return run_id if run_id is not None else moment.runs.get(layer.service)


def version_of(layer: Layer, moment: Moment, *, run_id: int | None = None) -> str:
    """Return the name of the state of a layer's rows: the same name, the same rows."""
    city = moment.city.id if moment.city else 0
    if isinstance(layer.source, FrameSource):
        return f"{city}.{moment.versions.get(layer.source.frame, 0)}{_day(layer, moment)}"
    run = run_id if run_id is not None else moment.runs.get(layer.source.service, 0)
    return f"{city}.r{run}"


def _day(layer: Layer, moment: Moment) -> str:
    """Return the city's day for rows with a validity: another day, other rows."""
    if moment.city is None or "valid_from" not in layer.spec.names:
        return ""
    return f".{dt.datetime.now(ZoneInfo(moment.city.profile.time_zone)).date().toordinal()}"
