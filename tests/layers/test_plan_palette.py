"""The colours of a plan that is being redrawn are told apart by everyone, as the palettes of the catalogue are."""

import re
from pathlib import Path

import pytest

from layers.engine.palettes import LAND, THEMES, Theme, blend
from tests.layers.cam02 import SIGHTS, least_difference

PALETTE = (Path(__file__).parents[2] / "web/src/edit/palette.ts").read_text(encoding="utf-8")
LEAST = 8.0


def colours(name: str, theme: Theme) -> list[str]:
    (block,) = re.findall(rf"export const {name}\b.*?{{(.*?)\n}};", PALETTE, re.DOTALL)
    (row,) = re.findall(rf"{theme}: \[(.*?)\]", block)
    return re.findall(r"#[0-9a-f]{6}", row)


def opacities(theme: Theme) -> list[float]:
    (block,) = re.findall(r"export const OPACITY\b.*?= {(.*?)\n};", PALETTE, re.DOTALL)
    (row,) = re.findall(rf"{theme}: {{(.*?)}}", block)
    return [float(number) for name, number in re.findall(r"(\w+): ([\d.]+)", row) if name != "faint"]


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("name", "count"), [("GRIDS", 8), ("LOADS", 5)])
def test_grids_and_loads_are_told_apart_as_they_are_drawn(name: str, count: int, theme: Theme, sight: str) -> None:
    palette, drawn_with = colours(name, theme), opacities(theme)
    assert len(palette) == count
    assert len(drawn_with) == 2
    for opacity in drawn_with:
        seen = [blend(f"{colour}{round(255 * opacity):02x}", LAND.in_(theme)) for colour in palette]
        assert least_difference(seen, sight) >= LEAST
