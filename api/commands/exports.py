"""``wangge export``: a layer of the city in use into a file."""

from __future__ import annotations

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
    mask: Annotated[str, typer.Option(help="Move every point before it leaves: donut.")] = "",
    where: Annotated[str, typer.Option(help='Only rows of this condition in CQL2, such as "rooms_count > 4".')] = "",
) -> None:
    """Write a layer of the city in use; importing a frame's file again changes nothing.

    **Examples:**

    `wangge export grids grids.gpkg`

    `wangge export hotspots hotspots.geojson`

    `wangge export rentals crowded.gpkg --where "rooms_count > 8 AND smoke_detectors = false"`

    `wangge export rentals to-share.gpkg --mask donut`
    """
    from api.files import check_target
    from api.opening import opened
    from gis.city import FRAMES
    from gis.contract.service import services
    from gis.errors import InvalidInput, NotFound, Problem
    from gis.store import audit, cities, cql2, results
    from gis.store.export import export_frame, export_run
    from gis.store.masked import export_masked

    if layer not in FRAMES and layer not in services():
        raise NotFound(f"there is no layer '{layer}'; there are {', '.join((*FRAMES, *services()))}")
    if run_id is not None and layer in FRAMES:
        problem = Problem("no_runs", f"'{layer}' is a frame; only the results of a service have runs", "--run-id")
        raise InvalidInput("the layer cannot be written", [problem])
    if mask not in ("", "donut"):
        raise InvalidInput("the layer cannot be written", [Problem("unknown_mask", "must be donut", "--mask")])
    check_target(file)
    with opened() as store:
        city = cities.current(store)
        with progress(f"Writing {file.name}"):
            columns = FRAMES[layer].columns if layer in FRAMES else services()[layer].output.columns
            zone = city.profile.time_zone
            condition = cql2.check(cql2.parse(where), columns, time_zone=zone) if where else None
            told = {"ending": file.suffix.lower(), "filtered": bool(where), "masked": bool(mask)}
            audit.record(store, audit.Entry("export", f"collections/{layer}", city.id, detail=told))
            run = None if layer in FRAMES else run_id or results.latest_id(store, city, layer)
            how = None
            if mask:
                written, how = export_masked(store, city, layer, file, run_id=run, where=condition)
            elif run is None:
                written = export_frame(store, city, layer, file, where=condition)
            else:
                written = export_run(store, city, run, file, where=condition)
    out.print(f"written: {written}", soft_wrap=True)
    if how is not None:
        out.print(how.text, soft_wrap=True)
