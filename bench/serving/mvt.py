"""How many features a vector tile says it stands for, read without any library that could be wrong in our favour."""

from __future__ import annotations

from collections.abc import Iterator

EXTENT = 4096
LAYER, NAME, FEATURE, KEY, VALUE = 3, 1, 2, 3, 4
TAGS, GEOMETRY = 2, 4
CLOSE = 7
"""The command that ends a ring, and takes no place."""
NUMBERS = (4, 5)
"""Fields of a value that hold a whole number."""


def count_inside(tile: bytes, layer: str) -> int:
    """Return how many features of a layer reach into the tile itself; a point with a property ``n`` is so many."""
    total = 0
    for field, content in _fields(tile):
        if field == LAYER and isinstance(content, bytes):
            parts = list(_fields(content))
            if any(kind == NAME and name == layer.encode() for kind, name in parts):
                total += sum(_counts(parts))
    return total


def _counts(parts: list[tuple[int, int | bytes]]) -> Iterator[int]:
    keys = [content for field, content in parts if field == KEY]
    values = [dict(_fields(content)) for field, content in parts if field == VALUE and isinstance(content, bytes)]
    count_key = keys.index(b"n") if b"n" in keys else -1
    for field, content in parts:
        if field != FEATURE or not isinstance(content, bytes):
            continue
        feature = dict(_fields(content))
        if not _reaches_in(list(_varints(_bytes(feature[GEOMETRY])))):
            continue
        tags = list(_varints(_bytes(feature.get(TAGS, b""))))
        said = [values[value] for key, value in zip(tags[::2], tags[1::2], strict=True) if key == count_key]
        yield next((int(said[0][number]) for number in NUMBERS if said and number in said[0]), 1)


def _reaches_in(commands: list[int]) -> bool:
    """Return whether the box of a geometry, given by its drawing commands, has a unit of the tile in it."""
    place, low, high, at = [0, 0], [EXTENT, EXTENT], [-1, -1], 0
    while at < len(commands):
        command, count = commands[at] & 7, commands[at] >> 3
        at += 1
        for _ in range(count if command != CLOSE else 0):
            place = [place[axis] + _signed(commands[at + axis]) for axis in (0, 1)]
            low, high = list(map(min, low, place)), list(map(max, high, place))
            at += 2
    return all(low[axis] < EXTENT and high[axis] >= 0 for axis in (0, 1))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        if tag & 7 == 0:
            content, at = _varint(message, at)
            yield tag >> 3, content
            continue
        size, at = {1: (8, at), 5: (4, at)}.get(tag & 7) or _varint(message, at)
        yield tag >> 3, message[at : at + size]
        at += size


def _varints(packed: bytes) -> Iterator[int]:
    at = 0
    while at < len(packed):
        value, at = _varint(packed, at)
        yield value


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def _signed(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _bytes(content: int | bytes) -> bytes:
    if isinstance(content, int):
        raise TypeError("not a vector tile")
    return content
