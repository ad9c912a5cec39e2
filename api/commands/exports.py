"""``wangge export``: a layer of the city in use into a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from api.console import out, progress


def export(
    layer: Annotated[str, typer.Argument(help="A frame such as grids or incidents, or a service such as hotspots.")],
    file: Annotated[
        Path,
        typer.Argument(
            help="Format by its ending: .csv .xlsx .geojson .gpkg .fgb .zip (Shapefile) .parquet; routes .gpx"
        ),
    ],
    *,
    run_id: Annotated[int | None, typer.Option(help="A run of the service; the latest when not given.")] = None,
    mask: Annotated[
        str, typer.Option(help="Move every point before it leaves: donut. Rentals are moved without being asked.")
    ] = "",
    true_places: Annotated[
        bool,
        typer.Option(
            "--true-places",
            help="Write rentals, and what results say of each, where they truly are: such a file singles out "
            "households, and must stay in the house. Needs --purpose; both are kept in the audit log.",
        ),
    ] = False,
    purpose: Annotated[str, typer.Option(help="What the file is for; kept in the audit log.")] = "",
    where: Annotated[str, typer.Option(help='Only rows of this condition in CQL2, such as "rooms_count > 4".')] = "",
) -> None:
    """Write a layer of the city in use; importing a frame's file again changes nothing.

    Places of rentals are moved, as in files from the server: the file's name then ends in -masked, and it is none to
    import again.

    **Examples:**

    `wangge export grids grids.gpkg`

    `wangge export hotspots hotspots.geojson`

    `wangge export rentals crowded.gpkg --where "rooms_count > 8 AND smoke_detectors = false"`

    `wangge export incidents to-share.gpkg --mask donut`

    `wangge export rentals rentals.gpkg --true-places --purpose "moving to another server"`
    """
    from api.files import check_target
    from api.opening import opened
    from gis.city import FRAMES
    from gis.contract.service import services
    from gis.errors import InvalidInput, NotFound, Problem
    from gis.store import audit, cities, cql2, results
    from gis.store.export import export_frame, export_run
    from gis.store.masked import export_masked
    from layers.engine.masking import Moved, masked_frame, masked_run

    if layer not in FRAMES and layer not in services():
        raise NotFound(f"there is no layer '{layer}'; there are {', '.join((*FRAMES, *services()))}")
    if run_id is not None and layer in FRAMES:
        problem = Problem("no_runs", f"'{layer}' is a frame; only the results of a service have runs", "--run-id")
        raise InvalidInput("the layer cannot be written", [problem])
    said = _said(mask, purpose, true_places=true_places)
    check_target(file)
    with opened() as store:
        city = cities.current(store)
        with progress(f"Writing {file.name}"):
            columns = FRAMES[layer].columns if layer in FRAMES else services()[layer].output.columns
            zone = city.profile.time_zone
            condition = cql2.check(cql2.parse(where), columns, time_zone=zone) if where else None
            run = None if layer in FRAMES else run_id or results.latest_id(store, city, layer)
            must = Moved() if run is None and masked_frame(layer) else None
            if run is not None:
                found = results.get(store, city, run)
                if found.service != layer:
                    problem = Problem("other_service", f"is a run of '{found.service}'", "--run-id")
                    raise InvalidInput("the layer cannot be written", [problem])
                must = masked_run(layer, found.provenance)
            moved = Moved() if mask else None if true_places else must
            told: dict[str, object] = {
                "ending": file.suffix.lower(),
                "filtered": bool(where),
                "masked": moved is not None,
            }
            if true_places:
                told["true_places"] = True
            with audit.asking(replace(audit.trail().asker, purpose=said)):
                audit.record(store, audit.Entry("export", f"collections/{layer}", city.id, detail=told))
            how = None
            if moved is not None:
                written, how = export_masked(store, city, layer, file, run_id=run, where=condition, only=moved.only)
            elif run is None:
                written = export_frame(store, city, layer, file, where=condition)
            else:
                written = export_run(store, city, run, file, where=condition)
    out.print(f"written: {written}", soft_wrap=True)
    if how is not None:
        out.print(how.text, soft_wrap=True)


def _said(mask: str, purpose: str, *, true_places: bool) -> str | None:
    """Return what a file is for, None where nothing was said; `InvalidInput` names every wrong option."""
    from api.purpose import checked
    from gis.errors import InvalidInput, Problem

    problems = []
    if mask not in ("", "donut"):
        problems.append(Problem("unknown_mask", "must be donut", "--mask"))
    if true_places and mask:
        problems.append(Problem("both", "places are moved or true, not both", "--true-places"))
    said = None
    if purpose or true_places:
        try:
            said = checked(purpose)
        except InvalidInput as error:
            problems += [replace(problem, field="--purpose") for problem in error.problems]
    if problems:
        raise InvalidInput("the layer cannot be written", problems)
    return said
