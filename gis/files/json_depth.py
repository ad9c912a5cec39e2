"""How deep the brackets of a JSON file lie in one another, counted without parsing it."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np

BLOCK_BYTES = 4 * 1024**2
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_QUOTE = ord('"')
_STEP = np.zeros(256, dtype=np.int8)
_STEP[[ord("["), ord("{")]] = 1
_STEP[[ord("]"), ord("}")]] = -1


def deepest(file: BinaryIO, *, cap: int) -> int:
    """Return the deepest nesting of the brackets outside strings; stops reading as soon as it exceeds `cap`.

    Examples
    --------
    >>> import io
    >>> deepest(io.BytesIO(b'{"a": [1, "[[["]}'), cap=10)
    2
    """
    depth = most = 0
    inside = False
    dangling = b""
    while block := file.read(BLOCK_BYTES):
        text = dangling + block
        dangling = b""
        if b"\\" in text:
            trailing = len(text) - len(text.rstrip(b"\\"))
            if trailing % 2:
                text, dangling = text[:-1], b"\\"
            text = _ESCAPE.sub(b"  ", text)
        codes = np.frombuffer(text, dtype=np.uint8)
        quoted = (np.cumsum(codes == _QUOTE) + inside) % 2 == 1
        levels = np.cumsum(np.where(quoted, 0, _STEP[codes]), dtype=np.int64) + depth
        if levels.size:
            most = max(most, int(levels.max()))
            depth, inside = int(levels[-1]), bool(quoted[-1])
        if most > cap:
            break
    return most
