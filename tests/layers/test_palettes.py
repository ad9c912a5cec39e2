"""Nobody is left out by a colour: every palette is told apart with four kinds of sight, in both themes."""

import numpy as np
import pytest

from layers.engine.catalog import catalog
from layers.engine.legend import entries
from layers.engine.palettes import ACCENT, CARD, INK, LAND, SOFT, THEMES, WARN, WARN_INK, Theme
from layers.engine.scale import Categorical, Graduated
from tests.layers.cam02 import SIGHTS, least_difference, linear_rgb

LEAST = 8.0


@pytest.mark.parametrize(
    ("colours", "published"),
    [
        (["#b2182b", "#ef8a62", "#fddbc7", "#f7f7f7", "#d1e5f0", "#67a9cf", "#2166ac"], [10.6, 10.0, 8.4, 11.3]),
        (["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00"], [21.6, 14.8, 14.0, 11.0]),
        (["#d7191c", "#fdae61", "#ffffbf", "#a6d96a", "#1a9641"], [21.3, 2.4, 8.6, 20.5]),
    ],
)
def test_the_measure_gives_the_known_differences(colours: list[str], published: list[float]) -> None:
    """RdBu 7, Okabe-Ito 5 and red-yellow-green 5, computed with colorspacious 1.1.2."""
    assert [round(least_difference(colours, sight), 1) for sight in SIGHTS] == published


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", THEMES)
def test_every_palette_is_told_apart_by_everyone(theme: Theme, sight: str) -> None:
    """As it is seen: blended with the ground, which is one of the colours where a class is left empty."""
    short = {}
    for layer in catalog().values():
        if layer.group == "base" or layer.is_border or not isinstance(layer.symbol, Categorical | Graduated):
            continue
        # An area whose fill is a mere breath is told apart by its outline.
        outlined = layer.outline is not None and layer.outline.color is None
        seen = [(e.outline if outlined else e.color) or e.color for e in entries(layer, theme) if e.shape != "hatch"]
        least = least_difference(list(dict.fromkeys(seen)), sight)
        assert len(set(seen)) == len(seen), layer.id
        if least < LEAST:
            short[layer.id] = round(least, 1)
    assert short == {}


@pytest.mark.parametrize("theme", THEMES)
def test_words_are_legible(theme: Theme) -> None:
    """WCAG 2.2 AA: at least 4.5 : 1."""
    pairs = [(INK, CARD), (SOFT, CARD), (ACCENT, CARD), (WARN_INK, WARN), (INK, LAND), (SOFT, LAND)]
    pairs += [(one.label.color, LAND) for one in catalog().values() if one.label and one.group != "base"]
    for ink, paper in pairs:
        light, dark = sorted((luminance(ink.in_(theme)), luminance(paper.in_(theme))), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, paper)


def luminance(colour: str) -> float:
    return float(np.dot([0.2126, 0.7152, 0.0722], linear_rgb(colour)))
