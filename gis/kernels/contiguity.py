"""Whether a grid stays in one piece when a block leaves it: a walk that ends as soon as the answer is known.

What has been visited is marked with a stamp that rises from walk to walk, so that nothing is ever cleared.
"""

# ruff: noqa: ANN001, ANN201, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def walking_room(blocks_count: int) -> tuple[Ints, Ints, Ints]:
    """Return marks (n,), a queue (n,) and the last stamp (1,): what walks over `blocks_count` blocks need."""
    return np.zeros(blocks_count, np.int64), np.empty(blocks_count, np.int64), np.zeros(1, np.int64)


@njit(cache=True, nogil=True)
def stays_whole(first, neighbour, grid, block, marks, queue, stamp):  # type: ignore[no-untyped-def]
    """Return whether the grid of `block` keeps as few pieces without it, itself not counted.

    That is so when its neighbours inside the grid still reach one another. A block with no neighbour in its grid is a
    piece of its own, and leaves nothing behind.
    """
    own = grid[block]
    stamp[0] += 1
    wanted = stamp[0]
    start = -1
    missing = 0
    for dart in range(first[block], first[block + 1]):
        other = neighbour[dart]
        if grid[other] == own:
            marks[other] = wanted
            missing += 1
            start = other
    if missing <= 1:
        return True
    stamp[0] += 1
    seen = stamp[0]
    marks[block] = seen
    marks[start] = seen
    missing -= 1
    queue[0] = start
    head, tail = 0, 1
    while head < tail:
        here = queue[head]
        head += 1
        for dart in range(first[here], first[here + 1]):
            other = neighbour[dart]
            if marks[other] == seen or grid[other] != own:
                continue
            if marks[other] == wanted:
                missing -= 1
                if missing == 0:
                    return True
            marks[other] = seen
            queue[tail] = other
            tail += 1
    return False


@njit(cache=True, nogil=True)
def walk(first, neighbour, grid, start, marks, queue, stamp):  # type: ignore[no-untyped-def]
    """Return how many blocks hang together with `start` inside its grid; they stand in the queue, in order of the walk.

    They carry the new stamp, which is one more than before.
    """
    own = grid[start]
    stamp[0] += 1
    seen = stamp[0]
    marks[start] = seen
    queue[0] = start
    head, tail = 0, 1
    while head < tail:
        here = queue[head]
        head += 1
        for dart in range(first[here], first[here + 1]):
            other = neighbour[dart]
            if marks[other] != seen and grid[other] == own:
                marks[other] = seen
                queue[tail] = other
                tail += 1
    return tail
