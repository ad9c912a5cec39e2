"""The name of one state of one feature, as a role sees it (RFC 9110, OGC API Features 4)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from api.problems import Stale

_TAG = re.compile(r'(?P<weak>W/)?"(?P<opaque>[^"]*)"')


def etag(key: int, version: int, seen: Sequence[str]) -> str:
    """Return the entity tag of a feature.

    Parameters
    ----------
    seen
        What the representation depends on besides the feature's state: columns, reference system, address.

    Examples
    --------
    >>> etag(12, 3, ["kind"]) == etag(12, 3, ["kind"]) != etag(12, 3, ["kind", "address"])
    True
    """
    view = hashlib.sha256("\x1f".join(seen).encode()).hexdigest()[:12]
    return f'"{key}.{version}.{view}"'


def check_match(header: str | None, key: int, version: int) -> None:
    """Refuse a request whose ``If-Match`` means another state; a weak tag never matches.

    The state is what is compared: whoever read the feature in another reference system, or with fewer columns, has read
    the same state.

    Raises
    ------
    Stale
        None of the tags is of this state.

    Examples
    --------
    >>> check_match('"1.4.00aa", "1.5.00aa"', 1, 5)
    """
    if header is None or header.strip() == "*":
        return
    for tag in _TAG.finditer(header):
        if tag["weak"] is None and tag["opaque"].split(".")[:2] == [str(key), str(version)]:
            return
    raise Stale(
        "the feature has changed since it was read: read it again, and say what to change then",
        zh="该要素在读取之后已被更改：请重新读取后再修改",
    )


def none_match(header: str | None, tag: str) -> bool:
    """Return whether ``If-None-Match`` holds a tag, so that the client has it already.

    Examples
    --------
    >>> none_match('W/"1.1.00"', '"1.1.00"'), none_match(None, '"1.1.00"')
    (True, False)
    """
    if header is None:
        return False
    return header.strip() == "*" or tag in (f'"{found["opaque"]}"' for found in _TAG.finditer(header))
