"""The folium face of a layer: a map that shows itself in a notebook and is saved as one self-contained file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import folium
import geopandas as gpd
from branca.element import Figure, MacroElement
from folium.template import Template

from gis.contract.profile import CityProfile
from gis.contract.result import Provenance, Result
from gis.contract.service import profile_of
from gis.contract.text import Language
from gis.errors import InvalidParams
from layers.engine.catalog import catalog, layer_of_service
from layers.engine.drawing import drawing
from layers.engine.layer import Layer
from layers.engine.onefile import self_contained
from layers.engine.page import TEMPLATE, Page, page
from layers.engine.palettes import Theme

PADDING = 24
"""Pixels between the data and the edge of the map when it opens."""


class OneFile(Figure):
    """A figure that renders to one file which loads nothing."""

    def __init__(self, content: Page) -> None:
        super().__init__()
        self.content = content

    def render(self, **kwargs: Any) -> str:
        """Return the whole page as HTML; ValueError when something in it would be loaded from elsewhere."""
        for child in self._children.values():
            child.render(**kwargs)
        return self_contained(TEMPLATE.render(this=self, kwargs=kwargs, page=self.content))


class _Draw(MacroElement):
    """Hands the map to the script of the page."""

    _template = Template("{% macro script(this, kwargs) %}wangge({{ this._parent.get_name() }});{% endmacro %}")


class CityMap(folium.Map):
    """A folium map of declared layers.

    ``save(path)`` and ``get_root().render()`` give one file without any request; in a notebook it shows itself.
    """

    default_js = [asset for asset in folium.Map.default_js if asset[0] == "leaflet"]  # noqa: RUF012 - folium's own way
    default_css = [asset for asset in folium.Map.default_css if asset[0] == "leaflet_css"]  # noqa: RUF012

    def __init__(self, content: Page, bounds: tuple[float, float, float, float] | None) -> None:
        super().__init__(
            tiles=None,
            prefer_canvas=True,
            zoom_control=False,
            attribution_control=False,
            zoom_snap=0.25,
        )
        # The same data give the same file.
        self._id = "city"
        OneFile(content).add_child(self)
        if bounds:
            west, south, east, north = bounds
            self.fit_bounds([[south, west], [north, east]], padding=(PADDING, PADDING))
        self.add_child(_Draw(), name="draw")  # type: ignore[no-untyped-call]


def folium_map(
    layer: Layer,
    frame: gpd.GeoDataFrame,
    *,
    language: Language = "zh",
    theme: Theme = "light",
    profile: CityProfile | None = None,
    context: Mapping[str, gpd.GeoDataFrame] | None = None,
    provenance: Provenance | None = None,
) -> CityMap:
    """Return a layer's rows as a map.

    Parameters
    ----------
    layer
        The declaration: its colours, popup, legend and note.
    frame : (n,) rows
        Features in any CRS; only the columns that the layer names reach the page.
    profile
        The city; without it the frame's own (frames of `gis.City` carry theirs).
    context
        Layer id -> rows of other layers to draw with it, such as ``{"water_areas": ..., "segments": ...}``. They stand
        above or below by the order of the catalog.
    provenance
        Where a result comes from; shown on the page.
    """
    profile = profile or profile_of(frame)
    if profile is None:
        raise InvalidParams("no city profile: give one as profile=")
    around = dict(context or {})
    if unknown := sorted(set(around) - set(catalog())):
        raise InvalidParams(f"no layer is called {', '.join(unknown)}; there are: {', '.join(catalog())}")
    frames = {layer.id: frame, **{id_: rows for id_, rows in around.items() if id_ != layer.id}}
    ordered = [layer, *(other for id_, other in catalog().items() if id_ in frames and id_ != layer.id)]
    drawings = [
        drawing(one, frames[one.id], language=language, theme=theme, time_zone=profile.time_zone) for one in ordered
    ]
    content = page(drawings, profile, language=language, theme=theme, provenance=provenance)
    bounds = next((d.bounds for d in drawings if d.bounds), None)
    return CityMap(content, bounds)


def result_map(
    result: Result,
    *,
    language: Language | None = None,
    theme: Theme = "light",
    context: Mapping[str, gpd.GeoDataFrame] | None = None,
) -> CityMap:
    """Return the features of a result as a map, drawn from the layer of its service, with its provenance."""
    return folium_map(
        layer_of_service(result.service),
        result.features,
        language=language or result.profile.languages[0],
        theme=theme,
        profile=result.profile,
        context=context,
        provenance=result.provenance,
    )
