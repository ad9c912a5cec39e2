"""The declaration of a layer: what is shown, in which colours, with which words.

A file in `layers` declares ``LAYER = Layer(...)``; tiles, items, MapLibre style, legend, popups and the folium page all
come from it. Only the columns it names ever leave the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from gis.city import FRAMES
from gis.contract.frame import FrameSpec
from gis.contract.roles import Role
from gis.contract.service import service
from gis.contract.text import Language, Text
from layers.engine.palettes import HALO, INK, Shade
from layers.engine.scale import Declared, Single, Symbol

Group = Literal["analysis", "events", "units", "grid", "base"]
GROUPS: tuple[Group, ...] = ("analysis", "events", "units", "grid", "base")
"""In the order of the legend: what one came to see stands first, the base map last."""


SEEN_BY: Final[Mapping[Group, frozenset[Role]]] = MappingProxyType(
    {
        "analysis": frozenset({"officer", "analyst", "planner", "supervisor"}),
        "events": frozenset({"officer", "analyst", "supervisor"}),
        "units": frozenset({"officer", "analyst", "planner", "supervisor"}),
        "grid": frozenset({"officer", "analyst", "planner", "supervisor", "admin"}),
        "base": frozenset({"officer", "analyst", "planner", "supervisor", "admin"}),
    }
)
"""Who sees a layer of a group that says nothing else: a planner redraws grids and needs no single event, an
administrator manages accounts and needs none either, and the public sees what is published for it alone."""

COVERING = 0.2
"""Opacity from which a fill hides its ground."""


class FrameSource(Declared):
    """The rows of a city's frame."""

    kind: Literal["frame"] = "frame"
    frame: str

    @property
    def spec(self) -> FrameSpec:
        """The contract of the rows."""
        return FRAMES[self.frame]


class ServiceSource(Declared):
    """The features of a service's run."""

    kind: Literal["service"] = "service"
    service: str

    @property
    def spec(self) -> FrameSpec:
        """The contract of the rows."""
        return service(self.service).output


class Outline(Declared):
    """The line around an area or a point.

    Attributes
    ----------
    color
        None: the feature's own colour, opaque.
    width
        Pixels; of an area, at zoom 14.
    far
        What share of the width is left at zoom 10. Many small areas need little: their lines would cover the map.
    fades
        Whether the feature's own colour keeps its transparency, so that a class that is faint is faint all over.
    """

    color: Shade | None = None
    width: float = 1.0
    far: float = Field(default=0.6, ge=0, le=1)
    fades: bool = False
    dash: tuple[float, ...] = ()


class Width(Declared):
    """Line width in pixels at zoom 14, one a class of `field` where that is given."""

    base: float = 1.5
    field: str | None = None
    classes: Mapping[str, float] = {}


class Radius(Declared):
    """Circle radius in pixels.

    Attributes
    ----------
    count_field
        How many features one point of a crowded tile stands for; with each ten times as many the circle grows by as
        much, up to `most` at a thousand, so that the cells of such a tile (8 pixels) stay apart.
    """

    base: float = 4.5
    most: float = 6.0
    count_field: str | None = None


class Label(Declared):
    """Words on the map: the first of the fields that holds a value.

    Attributes
    ----------
    along_line
        Write along the line instead of at a point.
    """

    zh: tuple[str, ...]
    en: tuple[str, ...]
    minzoom: float = 13.0
    size: float = 12.0
    color: Shade = INK
    halo: Shade = HALO
    along_line: bool = False

    def fields(self, language: Language) -> tuple[str, ...]:
        """Return the fields to try in a language, in order."""
        return self.zh if language == "zh" else self.en


class Layer(Declared):
    """One layer of the map.

    Attributes
    ----------
    order
        Place within its group, from the top of the legend and of the drawing.
    popup
        Columns of the source in the order of reading; their titles, formats and words come from the contract.
    time
        The column that a time filter reads; None where time plays no part.
    note
        What a reader must know to read it honestly.
    seen_by
        The roles that see it; by default those of its group.
    hidden
        Columns of the popup that a role does not see: not in tiles, items, filters, schemas nor files.
    masked
        Whether its points leave the server in files only moved, see ``docs/methods/masking.md``; of a frame, those rows
        of results too that are its points.
    added_by, changed_by
        The roles that may add a feature; change or remove one. Only what is kept place by place can be edited so: grids
        and what lies below them change through plans, and results are computed.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    group: Group
    geometry: Literal["polygon", "line", "point"]
    source: Annotated[FrameSource | ServiceSource, Field(discriminator="kind")]
    symbol: Symbol
    order: int = 0
    outline: Outline | None = None
    width: Width = Width()
    radius: Radius = Radius()
    label: Label | None = None
    popup: tuple[str, ...] = ()
    visible: bool = False
    minzoom: int = Field(default=8, ge=0, le=22)
    mandate: str = ""
    time: str | None = None
    note: Text | None = None
    seen_by: frozenset[Role] | None = None
    hidden: Mapping[Role, frozenset[str]] = {}
    masked: bool = False
    added_by: frozenset[Role] = frozenset()
    changed_by: frozenset[Role] = frozenset()

    @model_validator(mode="after")
    def _hides_what_only_the_popup_tells(self) -> Self:
        rest = self.model_copy(update={"popup": ()}).columns
        for role, names in self.hidden.items():
            if not names <= set(self.popup) - set(rest):
                raise ValueError(f"{self.id} hides from {role} what is drawn, or what it does not tell")
        return self

    @model_validator(mode="after")
    def _is_edited_by_who_sees_it(self) -> Self:
        if not self.added_by | self.changed_by <= self.roles:
            raise ValueError(f"{self.id} is edited by a role that does not see it")
        if self.is_edited and (self.service is not None or self.group == "grid"):
            raise ValueError(f"{self.id} is computed or planned, and not edited feature by feature")
        return self

    @property
    def is_edited(self) -> bool:
        """Whether anybody may edit it feature by feature."""
        return bool(self.added_by | self.changed_by)

    @property
    def roles(self) -> frozenset[Role]:
        """The roles that see it."""
        return SEEN_BY[self.group] if self.seen_by is None else self.seen_by

    def seen(self, role: Role) -> Layer | None:
        """Return the layer as a role sees it, None where it does not."""
        if role not in self.roles:
            return None
        names = self.hidden.get(role, frozenset())
        return self.model_copy(update={"popup": tuple(name for name in self.popup if name not in names)})

    @property
    def spec(self) -> FrameSpec:
        """The contract of the rows it shows."""
        return self.source.spec

    @property
    def service(self) -> str | None:
        """The service whose runs it shows, None for a frame."""
        return self.source.service if isinstance(self.source, ServiceSource) else None

    @property
    def is_border(self) -> bool:
        """Whether only the borders of its areas are drawn, so that what lies below stays visible."""
        return self.geometry == "polygon" and isinstance(self.symbol, Single) and self.symbol.opacity == 0

    @property
    def covers(self) -> bool:
        """Whether its areas hide what lies below them, so that streets are drawn over them."""
        return self.geometry == "polygon" and self.symbol.opacity >= COVERING

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that may leave the server, each once: popup, colour, width, label, time."""
        label = (*self.label.zh, *self.label.en) if self.label else ()
        named = (*self.popup, *self.symbol.fields, self.width.field, *label, self.time)
        return tuple(dict.fromkeys(name for name in named if name))
