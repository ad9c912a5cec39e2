"""``wangge run``: a service on the city in use, without the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.console import facts, out, progress
from api.pairs import parameters


def run(
    service: Annotated[str, typer.Argument(help="Id of a service, such as hotspots.")],
    param: Annotated[
        list[str] | None, typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter; repeat for more.")
    ] = None,
    out_file: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write the features (format by extension), or the map (.html)."),
    ] = None,
) -> None:
    """Run a service on the city in use; its results appear on the map, and in a file if asked.

    **Examples:**

    `wangge run hotspots --param lattice_m=300 --out hotspots.gpkg`

    `wangge run hotspots --param alpha=0.01 --out hotspots.html`
    """
    from api.files import check_target, write_result
    from api.opening import opened
    from gis.contract.service import service as find
    from gis.runs import execute
    from gis.store import audit, cities, results

    if out_file is not None:
        check_target(out_file)
    chosen = find(service)
    values = parameters(param or [])
    chosen.parse(values)
    with opened() as store:
        city = cities.current(store)
        audit.record(store, audit.Entry("run", f"processes/{service}", city.id, detail={"chosen": sorted(values)}))
        with progress(chosen.title.in_(city.profile.languages[0])) as report:
            run_id = execute(store, city, service, values, report)
        facts(f"{service}, run {run_id}", dict(results.get(store, city, run_id).summary))
        if out_file is not None:
            out.print(f"written: {write_result(store, city, run_id, out_file)}", soft_wrap=True)
