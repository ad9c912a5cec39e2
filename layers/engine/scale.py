"""From a feature's values to its colour: the one rule that every face of a layer reads.

`color_of` is the rule in Python, `expression` the same rule for MapLibre; a test evaluates both on thousands of values
and allows no disagreement. Legend and folium page ask `color_of` and `swatches`.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gis.city import codebook
from gis.contract.text import Text
from layers.engine.palettes import NEUTRAL, Shade, Theme, with_opacity

Opacity = Annotated[float, Field(ge=0, le=1)]
Codes = TypeVar("Codes", bound=str | tuple[str, ...])
"""One code, or several that are drawn alike."""


class Declared(BaseModel):
    """Base of everything a layer file declares: frozen, and no word that means nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Swatch(NamedTuple):
    """One line of a legend before it is drawn."""

    label: Text
    color: str
    hatch: bool


class Class(Declared):
    """One or several codes that are drawn alike.

    Attributes
    ----------
    opacity
        Instead of the symbol's own.
    hatch
        Draw diagonal lines over the colour: here the map makes no statement.
    """

    codes: tuple[str, ...]
    label: Text
    color: Shade
    opacity: Opacity | None = None
    hatch: bool = False


class Doubt(Declared):
    """A yes-or-no column that says of a feature that its class means little; it is hatched over its colour."""

    field: str
    label: Text


class Single(Declared):
    """One colour for every feature."""

    kind: Literal["single"] = "single"
    color: Shade
    opacity: Opacity = 1.0

    field: None = None

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns it reads."""
        return ()

    def color_of(self, _props: Mapping[str, Any], theme: Theme) -> str:
        """Return the colour, ``#rrggbb[aa]``."""
        return with_opacity(self.color.in_(theme), self.opacity)

    def expression(self, theme: Theme) -> Any:
        """Return the MapLibre expression of `color_of`."""
        return self.color_of({}, theme)

    def hatched(self, _props: Mapping[str, Any]) -> bool:
        """Return whether lines are drawn over the feature, because the map makes no statement there."""
        return False

    def hatch_filter(self) -> Any:
        """Return the MapLibre filter of `hatched`, None where nothing ever is."""
        return None

    def opaque(self) -> Single:
        """Return the same colours without transparency."""
        return self.model_copy(update={"opacity": 1.0})

    def swatches(self, title: Text, theme: Theme) -> list[Swatch]:
        """Return the lines of the legend."""
        return [Swatch(title, self.color_of({}, theme), hatch=False)]


class Categorical(Declared):
    """A colour a class of codes; anything else, and a missing value, has the colour `other`.

    Attributes
    ----------
    other_opacity
        Instead of the symbol's own.
    """

    kind: Literal["categorical"] = "categorical"
    field: str
    classes: tuple[Class, ...]
    other: Shade = NEUTRAL
    other_label: Text | None = Text("其他", "Other")
    other_opacity: Opacity | None = None
    doubt: Doubt | None = None
    opacity: Opacity = 1.0

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.field, self.doubt.field) if self.doubt else (self.field,)

    @model_validator(mode="after")
    def _no_code_twice(self) -> Self:
        codes = [code for c in self.classes for code in c.codes]
        if len(codes) != len(set(codes)):
            raise ValueError(f"{self.field}: a code stands in two classes")
        return self

    def color_of(self, props: Mapping[str, Any], theme: Theme) -> str:
        """Return the colour, ``#rrggbb[aa]``."""
        found = self.class_of(props)
        return self._color(found, theme) if found else self._other(theme)

    def class_of(self, props: Mapping[str, Any]) -> Class | None:
        """Return the class of a feature, None where it has none."""
        value = props.get(self.field)
        return next((c for c in self.classes if value in c.codes), None) if isinstance(value, str) else None

    def expression(self, theme: Theme) -> Any:
        """Return the MapLibre expression of `color_of`."""
        cases: list[Any] = []
        for c in self.classes:
            cases += [list(c.codes), self._color(c, theme)]
        return ["match", ["get", self.field], *cases, self._other(theme)]

    def opaque(self) -> Categorical:
        """Return the same colours without transparency."""
        classes = tuple(c.model_copy(update={"opacity": None}) for c in self.classes)
        return self.model_copy(update={"opacity": 1.0, "other_opacity": None, "classes": classes})

    def hatched(self, props: Mapping[str, Any]) -> bool:
        """Return whether lines are drawn over the feature, because the map makes no statement there."""
        found = self.class_of(props)
        doubted = self.doubt is not None and props.get(self.doubt.field) is True
        return doubted or (found is not None and found.hatch)

    def hatch_filter(self) -> Any:
        """Return the MapLibre filter of `hatched`, None where nothing ever is."""
        codes = [code for c in self.classes if c.hatch for code in c.codes]
        either: list[Any] = [["match", ["get", self.field], codes, True, False]] if codes else []
        if self.doubt:
            either.append(["==", ["get", self.doubt.field], True])
        return ["any", *either] if either else None

    def swatches(self, _title: Text, theme: Theme) -> list[Swatch]:
        """Return the lines of the legend."""
        lines = [Swatch(c.label, self._color(c, theme), c.hatch) for c in self.classes]
        if self.other_label:
            lines.append(Swatch(self.other_label, self.color_of({}, theme), hatch=False))
        if self.doubt:
            # Over any of the colours, so the swatch shows the paper.
            lines.append(Swatch(self.doubt.label, with_opacity(self.other.in_(theme), 0), hatch=True))
        return lines

    def _color(self, c: Class, theme: Theme) -> str:
        return with_opacity(c.color.in_(theme), self.opacity if c.opacity is None else c.opacity)

    def _other(self, theme: Theme) -> str:
        return with_opacity(self.other.in_(theme), self.opacity if self.other_opacity is None else self.other_opacity)


class Graduated(Declared):
    """A colour an interval of numbers, right-open ``[b_i, b_i+1)``; what is no number is hatched over `nodata`."""

    kind: Literal["graduated"] = "graduated"
    field: str
    breaks: tuple[float, ...]
    colors: tuple[Shade, ...]
    unit: Text = Text("", "")
    nodata: Shade = NEUTRAL
    nodata_opacity: Opacity = 0.2
    opacity: Opacity = 1.0

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns it reads."""
        return (self.field,)

    @model_validator(mode="after")
    def _intervals(self) -> Self:
        if len(self.colors) != len(self.breaks) + 1:
            raise ValueError(f"{self.field}: {len(self.breaks)} breaks need {len(self.breaks) + 1} colours")
        if any(a >= b for a, b in pairwise(self.breaks)):
            raise ValueError(f"{self.field}: the breaks must rise")
        return self

    def color_of(self, props: Mapping[str, Any], theme: Theme) -> str:
        """Return the colour, ``#rrggbb[aa]``."""
        if self.hatched(props):
            return with_opacity(self.nodata.in_(theme), self.nodata_opacity)
        return with_opacity(self.colors[bisect_right(self.breaks, props[self.field])].in_(theme), self.opacity)

    def hatched(self, props: Mapping[str, Any]) -> bool:
        """Return whether lines are drawn over the feature, because it holds no number."""
        value = props.get(self.field)
        return isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value)

    def hatch_filter(self) -> Any:
        """Return the MapLibre filter of `hatched`."""
        return ["!=", ["typeof", ["get", self.field]], "number"]

    def expression(self, theme: Theme) -> Any:
        """Return the MapLibre expression of `color_of`."""
        first, *rest = (with_opacity(shade.in_(theme), self.opacity) for shade in self.colors)
        steps: list[Any] = []
        for lower, color in zip(self.breaks, rest, strict=True):
            steps += [lower, color]
        value = ["get", self.field]
        is_number = ["==", ["typeof", value], "number"]
        nodata = with_opacity(self.nodata.in_(theme), self.nodata_opacity)
        return ["case", is_number, ["step", ["number", value], first, *steps] if steps else first, nodata]

    def opaque(self) -> Graduated:
        """Return the same colours without transparency."""
        return self.model_copy(update={"opacity": 1.0, "nodata_opacity": 1.0})

    def swatches(self, _title: Text, theme: Theme) -> list[Swatch]:
        """Return the lines of the legend."""
        colors = [with_opacity(shade.in_(theme), self.opacity) for shade in self.colors]
        lines = [Swatch(label, color, hatch=False) for label, color in zip(self._labels(), colors, strict=True)]
        return [*lines, Swatch(Text("无数据", "No data"), self.color_of({}, theme), hatch=True)]

    def _labels(self) -> list[Text]:
        numbers = [f"{b:,g}" for b in self.breaks]
        if not numbers:
            return [Text("全部", "All")]
        spans = [f"< {numbers[0]}", *(f"{a} – {b}" for a, b in pairwise(numbers)), f"≥ {numbers[-1]}"]
        return [Text(f"{span} {self.unit.zh}".strip(), f"{span} {self.unit.en}".strip()) for span in spans]


Symbol = Annotated[Single | Categorical | Graduated, Field(discriminator="kind")]


def by_code(
    field: str,
    book: str,
    colors: Mapping[Codes, Shade],
    *,
    opacity: float = 1.0,
    faint: Mapping[str, float] = MappingProxyType({}),
    hatched: Collection[str] = (),
    doubt: Doubt | None = None,
    other_opacity: float | None = None,
) -> Categorical:
    """Return a class for each code in `colors`, labelled with the words of the codebook.

    Parameters
    ----------
    colors
        Code -> its colour; several codes that are drawn alike stand together.
    faint
        Code -> an opacity of its own.
    hatched
        Codes about which the map makes no statement.
    other_opacity
        Of what has no code at all.
    """
    words = codebook(book)
    groups = [(key if isinstance(key, tuple) else (key,), shade) for key, shade in colors.items()]
    classes = tuple(
        Class(
            codes=codes,
            label=Text("／".join(words[c].zh for c in codes), " / ".join(words[c].en for c in codes)),
            color=shade,
            opacity=faint.get(codes[0]),
            hatch=codes[0] in hatched,
        )
        for codes, shade in groups
    )
    rest = None if {code for codes, _ in groups for code in codes} >= set(words) else Text("其他", "Other")
    return Categorical(
        field=field, classes=classes, opacity=opacity, other_label=rest, other_opacity=other_opacity, doubt=doubt
    )
