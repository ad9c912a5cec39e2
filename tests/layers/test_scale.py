"""One rule for colours, in Python and in MapLibre."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from gis.contract.text import Text
from layers.engine.catalog import catalog
from layers.engine.legend import legend
from layers.engine.maplibre import style
from layers.engine.palettes import AMOUNT, BLUE, LAND, RED, SAND, THEMES, blend
from layers.engine.scale import Categorical, Class, Graduated, Single, Symbol

LANGUAGES = ("zh", "en")
Ask = Callable[..., dict[str, Any]]


def values_of(symbol: Symbol) -> list[Any]:
    """Return values that could part the two rules: breaks and their neighbours, near misses, other kinds."""
    odd: list[Any] = [
        None,
        "",
        "nothing",
        "Theft",
        " theft",
        "0",
        "toString",
        "constructor",
        0,
        7,
        -1,
        1.5,
        True,
        False,
    ]
    if isinstance(symbol, Categorical):
        codes = [code for one in symbol.classes for code in one.codes]
        return [*odd, *codes, *(code.upper() for code in codes), *(code + "s" for code in codes)]
    if isinstance(symbol, Graduated):
        near = [b + d for b in symbol.breaks for d in (-1, -1e-9, 0, 1e-9, 1)]
        source = np.random.default_rng(len(symbol.field))
        return [*odd, *near, *symbol.breaks, 1e12, -1e12, *(source.uniform(-100, 1500) for _ in range(100))]
    return odd


def invented() -> list[Symbol]:
    """Return symbols beyond those of the catalog: random breaks and codes."""
    source = np.random.default_rng(7)
    symbols: list[Symbol] = []
    for i in range(6):
        breaks = tuple(sorted({round(source.uniform(-50, 900), 3) for _ in range(4)}))
        symbols.append(Graduated(field=f"f{i}", breaks=breaks, colors=AMOUNT[: len(breaks) + 1], opacity=0.5 + i / 12))
        classes = tuple(
            Class(codes=(f"a{j}{i}", f"b{j}"), label=Text("", ""), color=shade, opacity=j / 3)
            for j, shade in enumerate((RED, BLUE, SAND))
        )
        other = (None, 0.0, 0.4)[i % 3]
        symbols.append(Categorical(field=f"f{i}", classes=classes, opacity=0.7, other_opacity=other))
    symbols.append(Graduated(field="flat", breaks=(), colors=AMOUNT[:1]))
    return symbols


def channels(color: str) -> list[int]:
    padded = color if len(color) == 9 else color + "ff"
    return [int(padded[i : i + 2], 16) for i in (1, 3, 5, 7)]


def test_python_and_maplibre_give_the_same_colour(maplibre: Ask) -> None:
    cases, expected = [], []
    for symbol in [*(one.symbol for one in catalog().values()), *invented()]:
        known = [{symbol.field or "x": value} for value in values_of(symbol)]
        table = [{}, {"another": "theft"}, *known]
        for theme in THEMES:
            cases.append({"expression": symbol.expression(theme), "rows": table})
            expected.append([channels(symbol.color_of(row, theme)) for row in table])
    given = maplibre(cases=cases)["colours"]
    assert sum(map(len, expected)) >= 1800
    disagreements = [
        (case["expression"], row, ours, theirs)
        for case, our_rows, their_rows in zip(cases, expected, given, strict=True)
        for row, ours, theirs in zip(case["rows"], our_rows, their_rows, strict=True)
        # Where nothing is seen, the hue says nothing.
        if (ours[3] or theirs[3]) and max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) > (ours[3] < 40)
    ]
    assert disagreements == []


def test_where_no_number_is_the_map_is_hatched(maplibre: Ask) -> None:
    hatched = [one for one in catalog().values() if one.symbol.hatch_filter() is not None]
    cases = []
    for one in hatched:
        rows = [{one.symbol.field: value} for value in values_of(one.symbol)]
        rows += [
            {**row, name: value} for row in rows for name in one.symbol.fields[1:] for value in (True, False, None, 1)
        ]
        expression = ["case", one.symbol.hatch_filter(), "#ff0000", "#0000ff"]
        cases.append({"expression": expression, "rows": [{}, *rows]})
    for one, case, given in zip(hatched, cases, maplibre(cases=cases)["colours"], strict=True):
        assert [colour[0] == 255 for colour in given] == [one.symbol.hatched(row) for row in case["rows"]], one.id


def test_every_style_is_valid(maplibre: Ask) -> None:
    styles = [drawn(language, theme) for language in LANGUAGES for theme in THEMES]
    alone = [drawn("en", "light", only=id_) for id_ in catalog()]
    assert maplibre(styles=[*styles, *alone])["faults"] == [[]] * (len(styles) + len(alone))


def drawn(language: Any, theme: Any, only: str = "") -> dict[str, Any]:
    return style(
        [one for id_, one in catalog().items() if only in ("", id_)],
        language=language,
        theme=theme,
        tiles=lambda one: f"http://127.0.0.1/{one.id}/{{z}}/{{y}}/{{x}}",
        synthetic=True,
        attribution="somebody",
        bounds=(120, 31, 121, 32),
    )


def test_a_style_needs_nothing_from_elsewhere_and_labels_come_last() -> None:
    made = drawn("zh", "light")
    assert "glyphs" not in made
    assert "sprite" not in made
    kinds = [one["type"] for one in made["layers"]]
    assert kinds == sorted(kinds, key=["background", "fill", "line", "circle", "symbol"].index)
    for one in made["layers"]:
        if one["type"] == "symbol":
            area = catalog()[one["source"]].geometry == "polygon"
            assert one["source-layer"] == one["source"] + ("_label" if area else "")
    assert made["metadata"]["wangge:synthetic"] is True
    assert [entry["id"] for entry in made["metadata"]["wangge:catalog"]] == list(catalog())


def test_language_changes_words_only() -> None:
    zh, en = drawn("zh", "dark"), drawn("en", "dark")
    fields = [one.get("layout", {}).pop("text-field", None) for made in (zh, en) for one in made["layers"]]
    assert fields[: len(fields) // 2] != fields[len(fields) // 2 :]
    assert zh["layers"] == en["layers"]


@pytest.mark.parametrize("theme", THEMES)
def test_the_legend_shows_the_colours_of_the_map(theme: Any) -> None:
    for one in catalog().values():
        symbol = one.symbol
        swatches = {entry["color"] for entry in legend(one, "en", theme)}
        if isinstance(symbol, Categorical) and symbol.doubt:
            # Drawn over whatever colour the feature has: the swatch shows the bare ground.
            swatches.remove(LAND.in_(theme))
        on_map = {symbol.color_of({symbol.field: value} if symbol.field else {}, theme) for value in values_of(symbol)}
        blended = {blend(color, LAND.in_(theme)) for color in on_map}
        assert swatches <= blended, one.id
        assert blended <= swatches or (isinstance(symbol, Categorical) and symbol.other_label is None), one.id


def test_a_number_falls_into_the_class_that_its_lower_break_opens() -> None:
    scale = Graduated(field="n", breaks=(10, 20), colors=AMOUNT[:3])
    found = [scale.color_of({"n": n}, "light") for n in (9.99, 10, 19.99, 20)]
    assert found == [AMOUNT[0].light, AMOUNT[1].light, AMOUNT[1].light, AMOUNT[2].light]
    assert scale.color_of({"n": float("nan")}, "light") == scale.color_of({}, "light")


def test_wrong_declarations_are_refused() -> None:
    with pytest.raises(ValidationError, match="rise"):
        Graduated(field="n", breaks=(2, 1), colors=AMOUNT[:3])
    with pytest.raises(ValidationError, match="need 3 colours"):
        Graduated(field="n", breaks=(1, 2), colors=AMOUNT[:2])
    one = Class(codes=("a",), label=Text("", ""), color=RED)
    with pytest.raises(ValidationError, match="two classes"):
        Categorical(field="k", classes=(one, one))
    with pytest.raises(ValidationError, match="Extra inputs"):
        Single(color=RED, colour=BLUE)  # type: ignore[call-arg]
