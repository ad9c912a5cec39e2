"""What a declaration says once, and every face of the layer says alike."""

from __future__ import annotations

import pytest

from layers import near_repeat
from layers.engine.catalog import layer as layer_of
from layers.engine.legend import outline_color
from layers.engine.maplibre import draw
from layers.engine.popup import rows


@pytest.mark.parametrize(
    ("layer", "field"),
    [("incident_clusters", "share"), ("incident_clusters", "top_category_share"), ("network_density", "share")],
)
def test_every_share_is_told_in_percent(layer: str, field: str) -> None:
    formats = {row.field: row.format for row in rows(layer_of(layer))}
    assert formats[field] == "pct"


def test_a_chain_that_is_closed_is_faint_all_over() -> None:
    layer = near_repeat.LAYER
    fill = layer.symbol.color_of({"chain_class": "closed"}, "light")
    assert outline_color(layer, fill, "light") == fill
    drawn = {one["type"]: one["paint"] for _, one in draw(layer, language="zh", theme="light")}
    assert drawn["line"]["line-color"] == drawn["fill"]["fill-color"]
