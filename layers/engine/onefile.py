"""A folium page as one file: everything it needs inside, and a policy in it that forbids to load anything else."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

ASSETS = Path(__file__).parent / "assets"

VENDORED = {path.name: path for path in (ASSETS / "leaflet/leaflet.js", ASSETS / "leaflet/leaflet.css")}
"""File name of an address -> the file that takes its place."""

ALLOWED_LINKS = ("https://leafletjs.com",)
"""Leaflet's own attribution: a link to follow, nothing that is loaded."""

_SCRIPT_LINK = re.compile(r'<script\b[^>]*\bsrc="([^"]*)"[^>]*>\s*</script>')
_STYLE_LINK = re.compile(r'<link\b[^>]*\bhref="([^"]*)"[^>]*>')
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_CSS_IMAGE = re.compile(r"url\((?!#|data:)['\"]?([^'\")]+)['\"]?\)")
_ADDRESS = re.compile(r"(?:https?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)+[^\s\"'`<>)]*", re.IGNORECASE)
_VIEWPORT = re.compile(r'<meta name="viewport"[^>]*>')


def self_contained(page: str) -> str:
    """Return a rendered folium page with every script, style sheet and image inside it.

    Raises
    ------
    ValueError
        The page asks for something that is not vendored here, such as a tile layer or a plugin's script.
    """
    for script in _SCRIPT.findall(page):
        if addresses := _ADDRESS.findall(_without_comments(script)):
            raise ValueError(f"the page would load from elsewhere: {', '.join(addresses)}")
    page = _SCRIPT_LINK.sub(lambda m: f"<script>{_script(_vendored(m[1]))}</script>", page)
    page = _STYLE_LINK.sub(lambda m: f"<style>{_style(_vendored(m[1]))}</style>", page)
    # Leaflet's template forbids zooming with two fingers; nobody's eyes should be told what to do.
    page = _VIEWPORT.sub("", page)
    head = f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{_policy(page)}\n'
    page = page.replace("<head>\n", f"<head>\n{head}", 1)
    if outside := _addresses_in_attributes(page):
        raise ValueError(f"the page would load from elsewhere: {', '.join(outside)}")
    return page


def _without_comments(script: str) -> str:
    return re.sub(r"^\s*//.*$", "", script, flags=re.MULTILINE)


def _vendored(address: str) -> Path:
    name = address.rsplit("/", 1)[-1]
    if name not in VENDORED:
        raise ValueError(f"the page would load from elsewhere: {address}")
    return VENDORED[name]


def _script(path: Path) -> str:
    text = re.sub(r"^//# sourceMappingURL=.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return text.replace("</script", "<\\/script")


def _style(path: Path) -> str:
    def inline(match: re.Match[str]) -> str:
        image = path.parent / match[1]
        if not image.is_file():
            raise ValueError(f"{path.name} asks for {match[1]}, which is not vendored")
        return f"url(data:image/png;base64,{base64.b64encode(image.read_bytes()).decode()})"

    return _CSS_IMAGE.sub(inline, path.read_text(encoding="utf-8"))


def _policy(page: str) -> str:
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in _SCRIPT.findall(page)]
    scripts = " ".join(f"'sha256-{digest}'" for digest in dict.fromkeys(digests))
    return (
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"script-src {scripts}; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">"
    )


class _Addresses(HTMLParser):
    """Collects every address in ``src`` and ``href``."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"src", "href", "srcset", "data", "action"} and value]


def _addresses_in_attributes(page: str) -> list[str]:
    parser = _Addresses()
    parser.feed(page)
    return [a for a in parser.found if not a.startswith(("data:", "#", *ALLOWED_LINKS))]
