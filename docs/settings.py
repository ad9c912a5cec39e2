"""Write the table of settings into ``docs/howto/operate.md``; a test holds it equal to the classes.

``python docs/settings.py`` rewrites it.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic_settings import BaseSettings

from api.settings import ServerSettings
from gis.files.limits import ReadingSettings
from gis.store.settings import PROJECT, Settings

PAGE = Path(__file__).with_name("howto") / "operate.md"
BEGIN, END = "<!-- settings: python docs/settings.py -->\n", "<!-- end of settings -->"
CLASSES: tuple[type[BaseSettings], ...] = (Settings, ServerSettings, ReadingSettings)


def _shown(value: object) -> str:
    if isinstance(value, Path):
        return f"`{value.relative_to(PROJECT)}`" if value.is_relative_to(PROJECT) else f"`{value}`"
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)
    return f"`{text}`" if text and value is not None else ""


def table() -> str:
    """Return the table of every setting: its variable, what it is without one, and what it does."""
    lines = ["| variable | default | says |", "|---|---|---|"]
    for kind in CLASSES:
        prefix = kind.model_config["env_prefix"]
        for name, field in kind.model_fields.items():
            said = " ".join((field.description or "").replace("``", "`").split())
            lines.append(f"| `{prefix}{name.upper()}` | {_shown(field.default)} | {said} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Return the page with the table as it is now."""
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}{table()}{END}", text, flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
