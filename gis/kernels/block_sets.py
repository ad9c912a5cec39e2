"""Sets of at most 62 blocks as the bits of one number, for questions that are answered by looking at all of them."""

# ruff: noqa: ANN001, ANN201, ANN202 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.errors import TooLarge
from gis.kernels.block_graph import BlockGraph, Floats, Ints

MOST_BLOCKS = 62


def near_sets(graph: BlockGraph) -> Ints:
    """Return the set of neighbours (n,) of each block."""
    if graph.blocks_count > MOST_BLOCKS:
        raise TooLarge(f"{graph.blocks_count} blocks; sets of at most {MOST_BLOCKS} are looked through")
    near = np.zeros(graph.blocks_count, np.int64)
    np.bitwise_or.at(near, graph.tail, np.int64(1) << graph.neighbour)
    return near


def members(block_set: int) -> Ints:
    """Return the blocks of a set, rising.

    Examples
    --------
    >>> members(0b10110).tolist()
    [1, 2, 4]
    """
    return np.array([i for i in range(MOST_BLOCKS) if block_set >> i & 1], dtype=np.int64)


def connected_sets(graph: BlockGraph, load: Floats, *, most: float, limit: int) -> Ints | None:
    """Return every set of blocks that hangs together and has at most a load, or None when there are more than `limit`.

    Parameters
    ----------
    load : (n,)
        Of each block, not negative.

    Examples
    --------
    >>> from gis.kernels.block_graph import block_graph
    >>> row = block_graph(np.array([[0, 1], [1, 2]]), np.ones(2), np.ones(3), np.ones(3))
    >>> [bin(found) for found in connected_sets(row, np.ones(3), most=2.0, limit=9)]
    ['0b1', '0b11', '0b10', '0b110', '0b100']
    """
    found = np.empty(limit + 1, np.int64)
    count = _connected_sets(near_sets(graph), load, most, found)
    return None if count > limit else found[:count].copy()


@njit(cache=True, nogil=True)
def flood(near, within, start):  # type: ignore[no-untyped-def]
    """Return the set of blocks that hang together with the set `start` inside the set `within`."""
    reached = start
    fresh = start
    while fresh:
        around = np.int64(0)
        while fresh:
            low = fresh & -fresh
            around |= near[place(low)]
            fresh ^= low
        fresh = around & within & ~reached
        reached |= fresh
    return reached


@njit(cache=True, nogil=True, inline="always")
def place(bit):  # type: ignore[no-untyped-def]
    """Return which bit is the only one set."""
    place = 0
    for step in (32, 16, 8, 4, 2, 1):
        if bit >> step:
            bit >>= step
            place += step
    return place


@njit(cache=True, nogil=True)
def _connected_sets(near, load, most, found):  # type: ignore[no-untyped-def]
    n = near.size
    count = 0
    sets = np.empty(2 * n + 2, np.int64)
    edges = np.empty(2 * n + 2, np.int64)
    barred = np.empty(2 * n + 2, np.int64)
    loads = np.empty(2 * n + 2)
    for v in range(n):
        if load[v] > most:
            continue
        if count == found.size:
            return count
        own = np.int64(1) << v
        found[count] = own
        count += 1
        # Each set is found from its first block: those before it are barred. Then, block by block on the edge, all
        # sets with it, and all without.
        sets[0], barred[0], loads[0] = own, own - 1, load[v]
        edges[0] = near[v] & ~(own - 1)
        top = 1
        while top:
            top -= 1
            held, edge, bar, weight = sets[top], edges[top], barred[top], loads[top]
            if edge == 0:
                continue
            low = edge & -edge
            w = place(low)
            sets[top], edges[top], barred[top], loads[top] = held, edge ^ low, bar | low, weight
            top += 1
            if weight + load[w] > most:
                continue
            if count == found.size:
                return count
            held |= low
            found[count] = held
            count += 1
            sets[top], barred[top], loads[top] = held, bar, weight + load[w]
            edges[top] = ((edge ^ low) | near[w]) & ~(held | bar)
            top += 1
    return count


def set_loads(sets: NDArray[np.int64], amounts: Floats) -> Floats:
    """Return the sum of amounts (n,) over each set (m,)."""
    total = np.zeros(sets.size)
    for block, amount in enumerate(amounts):
        total += np.where(sets >> block & 1, amount, 0.0)
    return total


def set_cuts(sets: NDArray[np.int64], graph: BlockGraph) -> Floats:
    """Return the length of the border of each set (m,) with other blocks."""
    total = np.zeros(sets.size)
    ends, border_m = graph.pairs()
    for (u, v), length in zip(ends, border_m, strict=True):
        total += np.where((sets >> u ^ sets >> v) & 1, length, 0.0)
    return total
