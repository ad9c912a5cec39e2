"""Write ``docs/who-may-what.md``: which role may ask which route, and sees which layer with which columns.

``python docs/who_may_what.py`` rewrites the page; a test holds it equal to the declarations.
"""

from __future__ import annotations

from pathlib import Path

from api.matrix import LINES
from gis.contract.roles import ROLES, TITLES
from layers.engine.catalog import catalog

PAGE = Path(__file__).with_name("who-may-what.md")

HEAD = """# Who may what

This page is written by `python docs/who_may_what.py` from `api/matrix.py` and the declarations in `layers/`. A test
holds it true, and another walks every route in every role. A route without a line is nobody's; a layer that a role does
not see answers as if it were not there.

A role may be granted for some districts, streets or communities alone: it then sees and computes from what lies there,
and the routes of plans (`/plans`, `/edit`) are closed to it, because a plan is one of the whole city.
"""


def _row(name: str, marks: list[str]) -> str:
    return f"| {name} | {' | '.join(marks)} |"


def page() -> str:
    """Return the page as Markdown."""
    heads = [f"{role} {TITLES[role].zh}" for role in ROLES]
    rule = _row("---", ["---"] * len(ROLES)).replace(" ", "")
    lines = [HEAD, "## Routes", "", _row("route", heads), rule]
    lines += [_row(f"`{name}`", ["yes" if role in roles else "" for role in ROLES]) for name, roles in LINES.items()]
    lines += ["", "## Layers", "", _row("layer", heads), rule]
    for layer in catalog().values():
        marks = []
        for role in ROLES:
            hidden = ", ".join(f"`{name}`" for name in sorted(layer.hidden.get(role, ())))
            marks.append("" if role not in layer.roles else f"without {hidden}" if hidden else "yes")
        lines.append(_row(f"`{layer.id}`" + (" (as a file with moved places only)" if layer.masked else ""), marks))
    lines += ["", "## Editing feature by feature", "", _row("layer", heads), rule]
    for layer in catalog().values():
        if layer.is_edited:
            marks = [
                "add, change, remove"
                if role in layer.added_by & layer.changed_by
                else "add"
                if role in layer.added_by
                else "change, remove"
                if role in layer.changed_by
                else ""
                for role in ROLES
            ]
            lines.append(_row(f"`{layer.id}`", marks))
    lines += [
        "",
        "All other layers change through plans, through imports, or by being computed anew.",
        "",
        "An officer sees the incidents of the last 90 days; in a synthetic city time stands still at its last one.",
        "An administrator sees how every job goes, and of the results those published for everybody.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
