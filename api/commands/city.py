"""``wangge city``: the cities of this database, and which one is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.console import Commands, out, table
from gis.contract.text import Language, Text
from gis.errors import InvalidInput, NotFound, Problem

app = typer.Typer(cls=Commands, help="City profiles: names, metric CRS, time zone.", no_args_is_help=True)

LANGUAGES: tuple[Language, ...] = ("zh", "en")


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Short name: lower-case letters, digits, - and _.")],
    *,
    metric_crs: Annotated[str, typer.Option(help="Projected CRS in metres, such as EPSG:4549.")],
    time_zone: Annotated[str, typer.Option(help="IANA name, such as Asia/Shanghai.")],
    title_zh: Annotated[str | None, typer.Option(help="Chinese name; the short name when not given.")] = None,
    title_en: Annotated[str | None, typer.Option(help="English name; the short name when not given.")] = None,
    languages: Annotated[str, typer.Option(help="Languages of the city's names, the first one first.")] = "zh,en",
    lattice_origin: Annotated[
        str, typer.Option(help="Easting,northing where every analysis lattice has a corner.")
    ] = "0,0",
    open_categories: Annotated[
        bool, typer.Option("--open-categories", help="Take the city's own incident categories as they come.")
    ] = False,
    grid_code_pattern: Annotated[str, typer.Option(help="Regular expression of a grid code.")] = r"\d{15}",
    attribution: Annotated[str, typer.Option(help="Whose data these are; shown on every map.")] = "",
    synthetic: Annotated[bool, typer.Option("--synthetic", help="The data are invented; every page says so.")] = False,
) -> None:
    r"""Make a city and use it.

    **Examples:**

    `wangge city create suzhou --metric-crs EPSG:4549 --time-zone Asia/Shanghai --title-zh 苏州 --title-en Suzhou`

    `wangge city create chicago --metric-crs EPSG:26916 --time-zone America/Chicago --languages en --open-categories
    --grid-code-pattern '\d{3,4}'`
    """
    from api.opening import opened
    from gis.contract.profile import CityProfile
    from gis.store import cities

    profile = CityProfile(
        slug=name,
        title=Text(title_zh or name, title_en or name),
        metric_crs=metric_crs,
        time_zone=time_zone,
        lattice_origin=_origin(lattice_origin),
        languages=_languages(languages),
        open_categories=open_categories,
        grid_code_pattern=grid_code_pattern,
        attribution=attribution,
        synthetic=synthetic,
    )
    with opened() as store:
        cities.create(store, profile)
        cities.use(store, profile.slug)
    out.print(f"city '{profile.slug}' is made and in use; next: wangge import FRAME FILE")


@app.command("list")
def list_() -> None:
    """List the cities; a star marks the one in use.

    **Example:** `wangge city list`
    """
    from api.opening import opened
    from gis.store import cities

    with opened() as store:
        every = cities.all_(store)
        try:
            used = cities.current(store).id
        except NotFound:
            used = 0
    table(
        "Cities",
        ("", "name", "中文", "English", "CRS", "time zone", "synthetic"),
        (
            (
                "*" if city.id == used else "",
                city.profile.slug,
                city.profile.title.zh,
                city.profile.title.en,
                city.profile.metric_crs,
                city.profile.time_zone,
                "yes" if city.profile.synthetic else "",
            )
            for city in every
        ),
    )


@app.command()
def use(name: Annotated[str, typer.Argument(help="Short name of the city.")]) -> None:
    """Let the server and every command work on another city.

    **Example:** `wangge city use chicago`
    """
    from api.opening import opened
    from gis.store import cities

    with opened() as store:
        cities.use(store, name)
    out.print(f"city '{name}' is in use")


@app.command()
def cells(
    file: Annotated[Path, typer.Argument(help="Points on a raster, such as the middles of a census's cells.")],
    out_file: Annotated[
        Path, typer.Argument(metavar="OUT", help="File to write: .gpkg, .geojson or .parquet.", show_default=False)
    ],
    *,
    metric_crs: Annotated[str, typer.Option(help="Projected CRS in metres in which the cells are drawn.")],
    crs: Annotated[
        str | None, typer.Option(help="What the points are in: wgs84, cgcs2000, gcj02, bd09 or epsg:N.")
    ] = None,
) -> None:
    """Turn the middles of hexagons or squares into these areas, ready to be imported as blocks.

    Points that are no raster are refused: areas for them would be invented.

    **Example:** `wangge city cells census.csv cells.gpkg --crs wgs84 --metric-crs EPSG:4549`
    """
    from gis.files.cells import write_cells

    count, spacing_m = write_cells(file, out_file, crs=crs, metric_crs=metric_crs)
    out.print(f"{count:,} cells, {spacing_m:,.0f} m from middle to middle, in {out_file}")


def _origin(text: str) -> tuple[float, float]:
    try:
        easting, northing = (float(part) for part in text.split(","))
    except ValueError:
        problem = Problem("not_an_origin", "must be easting,northing, such as 0,0", "--lattice-origin")
        raise InvalidInput("this city profile cannot be used", [problem]) from None
    return easting, northing


def _languages(text: str) -> tuple[Language, ...]:
    asked = [part.strip() for part in text.split(",")]
    found = tuple(language for part in asked for language in LANGUAGES if language == part)
    if len(found) != len(asked) or len(set(found)) != len(found):
        problem = Problem("unknown_language", "must be zh, en, or both separated by a comma", "--languages")
        raise InvalidInput("this city profile cannot be used", [problem])
    return found
