"""One document, two faces: JSON for programs, an HTML page for people, at the same address."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import jinja2
import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.matrix import may_ask
from api.problems import bad_query
from api.visitors import csrf_of, visitor_of
from gis.contract.roles import TITLES
from gis.contract.text import Language, Text

TEMPLATES: Final = Path(__file__).parent / "templates"
LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
VARY: Final = {"Vary": "Accept, Accept-Language, Authorization, Cookie"}


class Json(Response):
    """JSON by orjson, which knows times and numpy numbers and refuses NaN."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes of `content`."""
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def wants_html(request: Request) -> bool:
    """Return whether to answer with a page: by ``f=json|html``, else by the Accept header."""
    asked = request.query_params.get("f")
    if asked is not None:
        if asked not in ("json", "html"):
            raise bad_query("f", "must be json or html")
        return asked == "html"
    return accepts_html(request.headers.get("accept", ""))


def accepts_html(accept: str) -> bool:
    """Return whether an Accept header prefers HTML to every kind of JSON.

    Examples
    --------
    >>> accepts_html("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    True
    >>> accepts_html("application/geo+json, text/html;q=0.5")
    False
    """
    best = {"html": 0.0, "json": 0.0}
    for entry in accept.lower().split(","):
        media, *parameters = (part.strip() for part in entry.split(";"))
        quality = next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        if media in ("text/html", "application/xhtml+xml"):
            best["html"] = max(best["html"], quality)
        elif media == "application/json" or media.endswith("+json"):
            best["json"] = max(best["json"], quality)
    return best["html"] > best["json"]


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def language_of(request: Request, default: Language = "zh") -> Language:
    """Return the reader's language: by ``lang=zh|en``, else by Accept-Language, else `default`."""
    asked = request.query_params.get("lang")
    if asked is not None:
        if asked not in LANGUAGES:
            raise bad_query("lang", "must be zh or en")
        return asked
    for entry in request.headers.get("accept-language", "").lower().split(","):
        for language in LANGUAGES:
            if entry.strip().startswith(language):
                return language
    return default


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["pretty"] = lambda value: orjson.dumps(
        value, default=str, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    ).decode()
    return environment


def render(request: Request, template: str, *, language: Language, status: int = 200, **context: Any) -> Response:
    """Return a page; in templates ``t(zh, en)`` picks the reader's words and ``say(text)`` those of a `Text`."""

    def pick(zh: str, en: str) -> str:
        return zh if language == "zh" else en

    def say(text: Text) -> str:
        return text.in_(language)

    def with_query(**changes: str) -> str:
        kept = {k: v for k, v in request.query_params.items() if k not in changes}
        return str(request.url.replace(scheme="", netloc="").replace_query_params(**kept, **changes))

    moment = getattr(request.state, "moment", None)
    body = (
        _environment()
        .get_template(template)
        .render(
            {
                "city": moment.city.profile if moment and moment.city else None,
                "t": pick,
                "say": say,
                "lang": language,
                "with_query": with_query,
                "path": request.url.path,
                "visitor": visitor_of(request),
                "csrf": csrf_of(visitor_of(request).secret),
                "role_titles": TITLES,
                "may_ask": may_ask,
                **context,
            }
        )
    )
    return HTMLResponse(body, status, VARY)


def respond(
    request: Request,
    document: Any,
    template: str,
    *,
    language: Language,
    status: int = 200,
    media_type: str = "application/json",
    **context: Any,
) -> Response:
    """Return `document` as JSON, or as the page `template` where a person asks."""
    if wants_html(request):
        return render(request, template, language=language, status=status, document=document, **context)
    return Json(document, status, VARY, media_type)
