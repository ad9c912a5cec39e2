"""What editing a feature needs of its request: the layer that may be edited, the body, the conditions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from api import parameters, references
from api.catalogue import layer_of
from api.etags import check_match, etag
from api.links import GEOJSON, JSON
from api.matrix import READING
from api.problems import BadHeader, ConditionNeeded
from api.visitors import visitor_of
from gis.contract.profile import CityProfile
from gis.contract.roles import TITLES, Role
from gis.crs import CRS84, Reference, reference
from gis.errors import Forbidden, NotFound, Problem, UnsupportedMedia
from gis.files.feature import parse
from gis.store.writes import Retry, digest
from layers.engine.layer import Layer

MERGE_PATCH: Final = "application/merge-patch+json"
WHOLE: Final = (GEOJSON, JSON)
PARTS: Final = (MERGE_PATCH,)
MOST_KEY: Final = 255


def allowed_on_items(layer: Layer, role: Role) -> tuple[str, ...]:
    """Return the methods that a role may use on the features of a layer."""
    return (*READING, *(["POST"] if role in layer.added_by else []))


def allowed_on_item(layer: Layer, role: Role) -> tuple[str, ...]:
    """Return the methods that a role may use on one feature of a layer."""
    return (*READING, *(["PUT", "PATCH", "DELETE"] if role in layer.changed_by else []))


def edited_layer(request: Request, id_: str, *, adds: bool) -> Layer:
    """Return the layer that a request edits.

    Raises
    ------
    NotFound
        The role does not see it.
    HTTPException
        405: nobody edits it feature by feature; says how it changes.
    Forbidden
        Others edit it; says who.
    """
    layer, role = layer_of(request, id_), visitor_of(request).role
    if not layer.is_edited:
        raise HTTPException(405, _other_way(layer), {"Allow": ", ".join(READING)})
    editors = layer.added_by if adds else layer.changed_by
    if role not in editors:
        who = sorted(editors)
        raise Forbidden(
            f"the role '{role}' may not do this to {layer.id}; it is for {', '.join(who)}",
            zh=f"{TITLES[role].zh}不能编辑{layer.title.zh}；可编辑的岗位：{'、'.join(TITLES[one].zh for one in who)}",
        )
    return layer


def _other_way(layer: Layer) -> str:
    if layer.service is not None:
        return f"{layer.id} are computed: run the process '{layer.service}' anew"
    if layer.source.spec.id in ("grids", "blocks"):
        return f"{layer.id} change through plans: make a draft with POST /plans"
    return f"{layer.id} change by an import of their source, not feature by feature"


def item_key(text: str) -> int:
    """Return the key of a feature; `NotFound` where the text is none."""
    key = parameters.key(text)
    if key is None:
        raise NotFound(f"there is no feature {text}")
    return key


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a request that edits a feature.

    Attributes
    ----------
    crs
        What its coordinates are in; degrees of WGS84, east before north, when None.
    """

    document: dict[str, Any]
    crs: Reference | None
    raw: bytes


async def read_body(request: Request, profile: CityProfile, types: tuple[str, ...]) -> Body:
    """Return the body of a request, of one of the media types that are taken.

    Raises
    ------
    BadHeader
        It does not say what it is, or in which reference system.
    UnsupportedMedia
        It is something else.
    InvalidInput
        It is no JSON object.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if not kind:
        raise BadHeader("the header Content-Type is missing", [_header(f"say {' or '.join(types)}", "Content-Type")])
    if kind not in types:
        raise UnsupportedMedia(f"'{kind[:100]}' is not taken here; send {' or '.join(types)}")
    crs = _content_crs(request.headers.get("content-crs"), profile)
    raw = await request.body()
    return Body(parse(raw), crs, raw)


def _content_crs(text: str | None, profile: CityProfile) -> Reference | None:
    address = CRS84 if text is None else text.strip().removeprefix("<").removesuffix(">")
    if address == CRS84:
        return None
    spoken = references.spoken(profile)
    found = reference(address)
    if found is None or found.uri not in spoken:
        raise BadHeader(
            "the header Content-Crs is not valid", [_header(f"say one of {', '.join(spoken)}", "Content-Crs")]
        )
    return found


def _header(message: str, name: str) -> Problem:
    return Problem("bad_header", message, name)


def condition(request: Request, key: int, *, needed: bool) -> Callable[[int], None]:
    """Return what refuses another version of a feature than the request means.

    A request that replaces all of a feature must say which state it means; one that changes what it names, or removes
    the feature, is taken without, for GIS clients do not say it.

    Raises
    ------
    ConditionNeeded
        It says none, and must.
    """
    header = request.headers.get("if-match")

    def check(version: int) -> None:
        if header is None and needed:
            raise ConditionNeeded(
                "say with If-Match which state of the feature is to be replaced; its ETag comes with GET",
                zh="替换要素须以 If-Match 指明所替换的状态（ETag 由 GET 返回）",
            )
        check_match(header, key, version)

    return check


def retry_of(request: Request, raw: bytes) -> Retry | None:
    """Return what tells the request from a new one where it carries an ``Idempotency-Key``.

    Raises
    ------
    BadHeader
        The key is empty or too long.
    """
    key = request.headers.get("idempotency-key")
    account = visitor_of(request).account_id
    if key is None or account is None:
        return None
    if not 0 < len(key) <= MOST_KEY:
        raise BadHeader(
            "the header Idempotency-Key is not valid", [_header(f"1 to {MOST_KEY} characters", "Idempotency-Key")]
        )
    said = digest(raw, request.headers.get("content-crs", "").encode())
    return Retry(account, hashlib.sha256(key.encode()).digest(), said)


def tag_of(request: Request, layer: Layer, key: int, version: int, crs: Reference | None = None) -> str:
    """Return the entity tag of a feature as GeoJSON, as whoever asks sees it."""
    system = CRS84 if crs is None else crs.uri
    return etag(key, version, [str(request.base_url), layer.id, system, *layer.columns])
