"""The colours of every map, as tokens with one value a theme.

A data palette keeps delta-E (CAM02-UCS) >= 8 between any two of its colours for normal, deutan, protan and tritan
sight, also after it is blended with the background; a test holds it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


class Shade(NamedTuple):
    """One colour, ``#rrggbb``, in both themes."""

    light: str
    dark: str

    def in_(self, theme: Theme) -> str:
        """Return the colour in `theme`."""
        return self.light if theme == "light" else self.dark


# The base map: quiet, so that data speak.
LAND = Shade("#f6f4ef", "#15191e")
WATER = Shade("#c3dbe8", "#1c2f40")
ROAD_MAIN = Shade("#cfc6b5", "#4a525c")
ROAD_SECONDARY = Shade("#d9d2c5", "#3c434c")
ROAD_LOCAL = Shade("#e3ded4", "#2d333a")
ROAD_PATH = Shade("#e6dfd0", "#2a3036")
INK = Shade("#33373d", "#dde3ea")
HALO = Shade("#fdfcfa", "#15191e")
ROAD_INK = Shade("#7a7264", "#98a2ad")
WATER_INK = Shade("#4a7a96", "#7fa6c4")

# The page around a map.
CARD = Shade("#ffffff", "#1e242b")
SOFT = Shade("#5c636d", "#a9b3be")
RULE = Shade("#d9d5cc", "#3a424c")
ACCENT = Shade("#0b5c8a", "#86c8f2")
WARN = Shade("#ffe49a", "#5a4310")
WARN_INK = Shade("#4a3500", "#ffe9b3")

# Borders, from the statutory levels down to the beat.
BORDER_DISTRICT = Shade("#4d4a59", "#b9b6c9")
BORDER_STREET = Shade("#7d7890", "#8f8ba3")
BORDER_COMMUNITY = Shade("#a9a4b6", "#6b6879")
GRID = Shade("#3f6f8f", "#6fa8cc")
GRID_DEDICATED = Shade("#b0563b", "#f0a07f")
BEAT = Shade("#6b3d8f", "#c59be6")
EDGE = Shade("#ffffff", "#15191e")

NEUTRAL = Shade("#8d8d8d", "#8b929a")
"""What belongs to no class, or has no value."""

HATCH = Shade("#b3aea4", "#59616a")
"""Lines over what the map says nothing about: seen, not shouted."""

# Kinds that have no order.
RED = Shade("#cc3311", "#ff7a3d")
ORANGE = Shade("#ee7733", "#ffb3a7")
SAND = Shade("#ddcc77", "#f0e442")
BLUE = Shade("#0077bb", "#4a7fd6")
CYAN = Shade("#33bbee", "#56b4e9")
NAVY = Shade("#004488", "#d0d7ff")

# Hot and cold: red against blue, with lightness falling towards certainty on paper and rising on a dark screen.
HOT_99 = Shade("#a50f20", "#ff8a70")
HOT_95 = Shade("#e8744f", "#c9503f")
HOT_90 = Shade("#f9c7a6", "#743632")
COLD_90 = Shade("#c3dcee", "#26486a")
COLD_95 = Shade("#5aa0cc", "#3f83bd")
COLD_99 = Shade("#15559e", "#8fd0ff")
HOT_ODD = Shade("#b89000", "#f2d544")
COLD_ODD = Shade("#2f8f83", "#57c0a8")
"""Hot and cold against what surrounds it, in space or in time."""

# Little to much.
AMOUNT = (
    Shade("#e3dff0", "#352b52"),
    Shade("#bfb5dc", "#54418a"),
    Shade("#9683c4", "#7c63bd"),
    Shade("#6b4ea6", "#a98fe0"),
    Shade("#42207a", "#dccbff"),
)

RESPONSE = {
    "first": AMOUNT[0],
    "second": AMOUNT[1],
    "third": AMOUNT[2],
    "further": AMOUNT[3],
    "gap": HOT_95,
    "no_street": SAND,
}
"""How soon somebody is there, by the codes of ``coverage_classes``: quiet where it is soon, loud where it is late."""


def blend(color: str, background: str) -> str:
    """Return the opaque colour that ``#rrggbb[aa]`` gives over an opaque background.

    Examples
    --------
    >>> blend("#ff000080", "#ffffff")
    '#ff7f7f'
    """
    alpha = int(color[7:9], 16) / 255 if len(color) > len("#rrggbb") else 1.0
    pairs = zip(_channels(color), _channels(background), strict=True)
    return "#" + "".join(f"{round(alpha * top + (1 - alpha) * below):02x}" for top, below in pairs)


def with_opacity(color: str, opacity: float) -> str:
    """Return ``#rrggbb`` as it is when opaque, else ``#rrggbbaa``.

    Examples
    --------
    >>> with_opacity("#336699", 1), with_opacity("#336699", 0.5)
    ('#336699', '#33669980')
    """
    return color if opacity >= 1 else f"{color}{round(255 * opacity):02x}"


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
