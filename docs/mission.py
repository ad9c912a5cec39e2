"""Write ``docs/mission.md``: which article of the regulation each service and layer serves.

``python docs/mission.py`` rewrites the page; a test holds it equal to what the server offers.
"""

from __future__ import annotations

from pathlib import Path

import gis
from layers.engine.catalog import catalog

PAGE = Path(__file__).with_name("mission.md")

HEAD = """# What wangge is for, article by article

This page is written by `python docs/mission.py` from the declarations in `gis/services/` and `layers/`, and a test
holds it true. The articles are those of the Suzhou regulation on grid governance, in force since 2023-01-01.
"""


def page() -> str:
    """Return the page as Markdown."""
    lines = [HEAD, "## What the city can compute", "", "| service | | serves |", "|---|---|---|"]
    lines += [
        f"| `{service.id}` | {service.title.en} · {service.title.zh} | {service.mandate} |"
        for service in gis.services().values()
    ]
    lines += ["", "## What the map can show", "", "| layer | | serves |", "|---|---|---|"]
    lines += [
        f"| `{layer.id}` | {layer.title.en} · {layer.title.zh} | {layer.mandate or 'base map'} |"
        for layer in catalog().values()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
