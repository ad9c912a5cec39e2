"""Points that stand for many, put into a Mapbox vector tile: protocol buffers, written byte by byte.

A tile holds layers, a layer its features, and the keys and values that the features name by their numbers [1]_. A list
of a protocol buffer may go on anywhere in its message, so points are added to a layer behind everything that it has.

References
----------
.. [1] Mapbox Vector Tile Specification 2.1, sections 4.1 to 4.4 and its ``vector_tile.proto``.
"""

# ruff: noqa: ANN001, ANN202, PLR2004 - compiled functions: numba knows the types; numbers of seven bits to a byte

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]

EXTENT = 4096
_LAYER, _FEATURE, _KEY, _VALUE = 0x1A, 0x12, 0x1A, 0x22
"""The tags of a layer in a tile, and of what is in a layer: number of the field times 8, and 2 for a length."""
_TAGS, _TYPE, _GEOMETRY = 0x12, 0x18, 0x22
"""The tags of what is in a feature."""
_POINT, _MOVE_TO, _WHOLE = 1, 9, 0x28
"""The type of a point, the command that begins it, the tag of a whole number in a value."""
_BEGIN = b"\x78\x02"
"""A layer of version 2."""
_END = b"\x28\x80\x20"
"""A layer whose side is 4096 units."""
_MOST_BYTES = 32
"""Of a feature: 20 bytes are the most that its parts come to."""


def with_counts(tile: bytes, *, layer: str, key: str, x: Ints, y: Ints, count: Ints) -> bytes:
    """Return a vector tile with points added, each with a number of what it stands for, and no key of its own.

    Parameters
    ----------
    tile
        A tile of one layer of that name, or of nothing.
    layer
        Name of the layer.
    key
        Name of the property.
    x, y : (n,)
        Places in units of the tile, from 0 to 4095, from the north-west corner.
    count : (n,)
        What the property says, from 1.

    Examples
    --------
    >>> with_counts(b"", layer="a", key="n", x=np.array([1]), y=np.array([2]), count=np.array([7])).hex()
    '1a1c78020a01612880201a016e120b120200001801220309020422022807'
    """
    if not len(count):
        return tile
    distinct, value = np.unique(count, return_inverse=True)
    if tile:
        size, at = _varint(np.frombuffer(tile, np.uint8), 1)
        body = tile[at : at + size]
        if tile[0] != _LAYER or at + size != len(tile):
            raise ValueError("not a tile of one layer")
        keys, values, known = _counted(np.frombuffer(body, np.uint8), np.frombuffer(key.encode(), np.uint8))
    else:
        body = _BEGIN + _message(0x0A, layer.encode()) + _END
        keys, values, known = 0, 0, -1
    if known < 0:
        body += _message(_KEY, key.encode())
        known = keys
    out = np.empty(_MOST_BYTES * (len(count) + len(distinct)), np.uint8)
    size = _values(distinct, out, _points(x, y, value + values, known, out))
    return _message(_LAYER, body + out[:size].tobytes())


def prepare() -> None:
    """Have everything compiled that the first tile would wait seconds for."""
    one = np.ones(1, np.int64)
    tile = with_counts(b"", layer="a", key="n", x=one, y=one, count=one)
    with_counts(tile, layer="a", key="n", x=one, y=one, count=one)


def _message(tag: int, content: bytes) -> bytes:
    return bytes((tag,)) + _packed(len(content)) + content


def _packed(number: int) -> bytes:
    """Return a number as a protocol buffer has it: seven bits a byte, the lowest first."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes((*found, number))


@njit(cache=True, nogil=True)
def _varint(data, at):  # type: ignore[no-untyped-def]
    """Return the number at a place, and the place after it."""
    number, shift = np.int64(0), np.int64(0)
    while True:
        byte = np.int64(data[at])
        at += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, at
        shift += 7


@njit(cache=True, nogil=True)
def _counted(body, key):  # type: ignore[no-untyped-def]
    """Return how many keys and values a layer has, and which of the keys is a certain one, -1 for none."""
    keys, values, known, at = 0, 0, -1, 0
    while at < len(body):
        tag, at = _varint(body, at)
        size, after = _varint(body, at)
        if tag & 7 == 0:  # a number, no length
            at = after
            continue
        at = after + size
        if tag == _KEY:
            if size == len(key) and np.all(body[after:at] == key):
                known = keys
            keys += 1
        elif tag == _VALUE:
            values += 1
    return keys, values, known


@njit(cache=True, nogil=True)
def _put(out, at, number):  # type: ignore[no-untyped-def]
    """Write a number; return the place after it."""
    while number > 127:
        out[at] = number & 127 | 128
        at += 1
        number >>= 7
    out[at] = number
    return at + 1


@njit(cache=True, nogil=True)
def _points(x, y, value, key, out):  # type: ignore[no-untyped-def]
    """Write a feature for each point, a feature being of no more than 127 bytes; return the place after them."""
    at = 0
    for i in range(len(x)):
        out[at] = _FEATURE
        begin = at + 2
        place = begin + 2
        place = _put(out, place, key)
        place = _put(out, place, value[i])
        out[begin] = _TAGS
        out[begin + 1] = place - begin - 2
        out[place] = _TYPE
        out[place + 1] = _POINT
        place += 2
        line = place
        place = _put(out, line + 2, _MOVE_TO)
        place = _put(out, place, 2 * x[i])
        place = _put(out, place, 2 * y[i])
        out[line] = _GEOMETRY
        out[line + 1] = place - line - 2
        out[at + 1] = place - begin
        at = place
    return at


@njit(cache=True, nogil=True)
def _values(numbers, out, at):  # type: ignore[no-untyped-def]
    """Write a value for each number from a place on; return the place after them."""
    for number in numbers:
        out[at] = _VALUE
        out[at + 2] = _WHOLE
        place = _put(out, at + 3, number)
        out[at + 1] = place - at - 2
        at = place
    return at
