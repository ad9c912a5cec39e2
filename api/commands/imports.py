"""``wangge import``: a file into a frame of the city in use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.console import EXIT_INVALID, err, facts, out, progress, sentence, table
from api.pairs import pairs

if TYPE_CHECKING:
    from gis.store.ingest import ImportReport

Repeated = list[str] | None


def import_(
    frame: Annotated[
        str,
        typer.Argument(
            help="districts, streets, communities, blocks, grids, beats, key_units, rentals, posts, checkpoints, "
            "resources, incidents, patrol_runs, segments or water_areas."
        ),
    ],
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV, Excel, GeoJSON, GeoPackage, zipped Shapefile or (Geo)Parquet; segments also OpenStreetMap PBF."
        ),
    ],
    *,
    crs: Annotated[
        str | None, typer.Option(help="What the coordinates are in: wgs84, cgcs2000, gcj02, bd09 or epsg:N.")
    ] = None,
    map_: Annotated[
        Repeated, typer.Option("--map", metavar="COLUMN=FIELD", help="Which field of the file fills a column; repeat.")
    ] = None,
    set_: Annotated[
        Repeated, typer.Option("--set", metavar="COLUMN=VALUE", help="One value for every row; repeat.")
    ] = None,
    skip: Annotated[Repeated, typer.Option(metavar="FIELD", help="A field to leave out; repeat.")] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Where the rows come from; a later import of the same source updates its rows."),
    ] = None,
    time_zone: Annotated[str | None, typer.Option(help="Zone of local times; the city's when not given.")] = None,
    time_format: Annotated[
        str | None, typer.Option(help="Such as '%m/%d/%Y %I:%M:%S %p'; ISO 8601 when not given.")
    ] = None,
    id_from_content: Annotated[
        bool, typer.Option("--id-from-content", help="The source has no identifiers: make them from the rows.")
    ] = False,
    dissolve: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Unite the areas of rows that share a value.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Layer or sheet, where the file has several.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Of a CSV or Shapefile; found out when not given.")] = None,
    trust_crs: Annotated[
        bool, typer.Option("--trust-crs", help="Take --crs although the data fit another system better.")
    ] = False,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Take the good rows of a file that has bad ones.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report only; change nothing.")] = False,
) -> None:
    """Import a file: all of it or nothing, the same file twice changes nothing once.

    **Examples:**

    `wangge import grids grids.gpkg`

    `wangge import incidents incidents.csv --crs gcj02 --dry-run`

    `wangge import segments city.osm.pbf`

    `wangge import incidents crimes.csv --crs wgs84 --map "category=Primary Type" --map "occurred_at=Date"
    --time-format "%m/%d/%Y %I:%M:%S %p" --skip Arrest --source chicago`
    """
    from api.opening import opened
    from gis.store import cities
    from gis.store.ingest import ImportOptions, import_file

    options = ImportOptions(
        crs=crs,
        mapping=pairs(map_ or [], "--map"),
        skip=tuple(skip or ()),
        constants=pairs(set_ or [], "--set"),
        time_zone=time_zone,
        time_format=time_format,
        source=source,
        dry_run=dry_run,
        allow_partial=allow_partial,
        trust_crs=trust_crs,
        id_from_content=id_from_content,
        dissolve=dissolve,
        layer=layer,
        encoding=encoding,
    )
    with opened() as store:
        city = cities.current(store)
        with progress(f"Importing {file.name}") as report:
            found = import_file(store, city, frame, file, options, progress=report)
    show(found)
    if found.refused:
        raise typer.Exit(EXIT_INVALID)


STATES = {
    "applied": "applied",
    "staged": "dry run: nothing was changed",
    "already_applied": "already applied: nothing was changed",
    "refused": "refused: nothing was changed",
}


def show(report: ImportReport) -> None:
    """Print what an import did, or would do; a refusal and its problems go to stderr."""
    facts(
        f"{report.frame} of {report.city}: {STATES[report.state]}",
        {
            "import": report.batch_id,
            "source": report.source,
            "coordinates": report.crs,
            "rows read": f"{report.rows_read:,}",
            "rows with problems": f"{report.rows_bad:,}",
            "new": f"{report.inserted:,}",
            "updated": f"{report.updated:,}",
            "unchanged": f"{report.unchanged:,}",
            "edited here since": f"{report.kept:,}",
            "place withheld": f"{report.withheld:,}",
            "united with another": f"{report.merged:,}",
        },
    )
    if report.fields:
        table("Columns", ("column", "from"), report.fields.items())
    for warning in report.warnings:
        out.print(f"warning: {sentence(warning)}", markup=False, soft_wrap=True)
    for problem in report.problems:
        err.print(f"  - {sentence(problem)}", markup=False, soft_wrap=True)
