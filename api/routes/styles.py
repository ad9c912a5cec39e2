"""``/styles``: the whole map, or one layer of it, as MapLibre style and legend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.catalogue import layer_of, layers_of, properties
from api.deps import ExtentsDep, LanguageDep, MomentDep
from api.extents import Extents
from api.links import GEOJSON, JSON, address, link, self_links
from api.pages import VARY, Json, respond
from api.parameters import known
from api.problems import bad_query
from api.schemas import TYPES
from api.sources import version_of
from api.tilesets import ID as TILE_MATRIX_SET
from api.watch import Moment
from gis.contract.text import Language
from layers.engine.layer import Layer
from layers.engine.legend import legend
from layers.engine.maplibre import style
from layers.engine.palettes import THEMES, Theme

router = APIRouter()

STYLE: Final = "application/vnd.mapbox.style+json"
WHOLE: Final = "map"
SPECIFICATION: Final = "https://maplibre.org/maplibre-style-spec/"
_WHOLE_TITLE: Final = {"zh": "总地图", "en": "The whole map"}


@router.get("/styles")
async def styles(request: Request, language: LanguageDep) -> Response:
    """Return the styles there are: the whole map, and one a layer."""
    known(request.query_params, ())
    titles = {WHOLE: _WHOLE_TITLE[language]}
    titles |= {entry.id: entry.title.in_(language) for entry in layers_of(request).values()}
    listed = [
        {
            "id": id_,
            "title": title,
            "links": [
                link(request, "stylesheet", f"/styles/{id_}", STYLE),
                link(request, "describedby", f"/styles/{id_}/metadata", JSON),
            ],
        }
        for id_, title in titles.items()
    ]
    document = {"default": WHOLE, "styles": listed, "links": self_links(request)}
    return respond(
        request, document, "document.html", language=language, title={"zh": "地图样式", "en": "Map styles"}[language]
    )


@router.get("/styles/{id_}")
async def one(request: Request, id_: str, extents: ExtentsDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return a complete MapLibre style; it needs no glyphs, no sprite and no other server."""
    theme = _theme(known(request.query_params, ("theme",)).get("theme"))
    if id_ == WHOLE:
        shown = list(layers_of(request).values())
    else:
        # Hidden on the whole map until it is chosen; whoever asks for it alone has chosen it.
        shown = [layer_of(request, id_).model_copy(update={"visible": True})]
    return Json(await _style(request, shown, extents, moment, theme=theme, language=language), headers=VARY)


@router.get("/styles/{id_}/metadata")
async def metadata(request: Request, id_: str, language: LanguageDep) -> Response:
    """Return what a style is and which layers it draws (OGC API Styles)."""
    known(request.query_params, ())
    drawn = list(layers_of(request).values()) if id_ == WHOLE else [layer_of(request, id_)]
    title = _WHOLE_TITLE[language] if id_ == WHOLE else drawn[0].title.in_(language)
    sheet = link(request, "stylesheet", f"/styles/{id_}", STYLE)
    document = {
        "id": id_,
        "title": title,
        "scope": "style",
        "stylesheets": [
            {"title": "MapLibre", "version": "8", "specification": SPECIFICATION, "native": True, "link": sheet}
        ],
        "layers": [
            {
                "id": one.id,
                "title": one.title.in_(language),
                "type": one.geometry,
                "attributes": [{"id": column.name, "type": TYPES[column.kind]["type"]} for column in properties(one)],
                "sampleData": link(request, "data", f"/collections/{one.id}/items", GEOJSON),
            }
            for one in drawn
        ],
        "links": self_links(request),
    }
    return respond(request, document, "document.html", language=language, title=title)


@router.get("/styles/{id_}/legend")
async def legend_of(request: Request, id_: str, language: LanguageDep) -> Response:
    """Return the legend of a layer, in both languages."""
    theme = _theme(known(request.query_params, ("theme",)).get("theme"))
    of = layer_of(request, id_)
    document = {
        "id": of.id,
        "title": of.title._asdict(),
        "legend": legend(of, None, theme),
        "note": of.note._asdict() if of.note else None,
        "links": [link(request, "self", f"/styles/{of.id}/legend", JSON)],
    }
    return respond(request, document, "document.html", language=language, title=of.title.in_(language))


def _theme(text: str | None) -> Theme:
    if text is None:
        return "light"
    if text not in THEMES:
        raise bad_query("theme", "must be light or dark")
    return text


async def _style(
    request: Request, shown: Iterable[Layer], extents: Extents, moment: Moment, *, theme: Theme, language: Language
) -> dict[str, Any]:
    def tiles(of: Layer) -> str:
        # The version makes a new address of new data, so that a map that is open sees them.
        path = f"/collections/{of.id}/tiles/{TILE_MATRIX_SET}/{{z}}/{{y}}/{{x}}"
        return address(request, path, {"v": version_of(of, moment)})

    profile = moment.city.profile if moment.city else None
    return style(
        shown,
        language=language,
        theme=theme,
        tiles=tiles,
        synthetic=bool(profile and profile.synthetic),
        attribution=profile.attribution if profile else "",
        bounds=await extents.city(moment),
    )
