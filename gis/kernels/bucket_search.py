"""Times from the nearest of some starts over a directed graph, by buckets of time instead of a heap.

Dial's buckets as delta-stepping uses them [1]_, one after another: nodes wait in the bucket that their time so far
falls into, in a ring of as many buckets as the longest arc spans. A node may be looked at again while its own bucket is
open; on streets that is rare, and every step is a few array reads. The times are those of Dijkstra's algorithm to the
last bit: both are the least solution of ``time[v] = min(time[u] + seconds[u, v])`` in the machine's numbers.

References
----------
.. [1] Meyer, U., Sanders, P. (2003): Delta-stepping: a parallelizable shortest path algorithm. J. Algorithms 49(1).
"""

# ruff: noqa: ANN001, ANN202, PLR0917 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WIDTH_SHARE = 0.5
"""Width of a bucket, of the mean arc: on the streets of Porto Alegre twice or half as much is about as fast."""
MOST_BUCKETS = 1_000_000
NOBODY = -1


def settle(graph: sparse.csr_array, node: Ints, leg_s: Floats, owner: Ints, *, limit_s: float) -> tuple[Floats, Ints]:
    """Return the seconds (n,) to each node from the nearest start, and whose start (n,) that is.

    Parameters
    ----------
    graph : (n, n)
        Seconds of the arcs, finite and not negative.
    node, leg_s, owner : (m,)
        Nodes that one starts from, after how many seconds, and as whom; legs of inf are none.
    limit_s
        inf and -1 where nobody comes within it.

    Examples
    --------
    >>> street = sparse.csr_array(([10.0, 10.0], ([0, 1], [1, 2])), shape=(3, 3))
    >>> found = settle(street, np.array([0, 2]), np.array([3.0, 15.0]), np.array([7, 8]), limit_s=np.inf)
    >>> [one.tolist() for one in found]
    [[3.0, 13.0, 15.0], [7, 7, 8]]
    """
    seconds = graph.data
    longest = max(seconds.max(initial=0.0), leg_s[np.isfinite(leg_s)].max(initial=0.0))
    usual = WIDTH_SHARE * float(seconds.mean()) if len(seconds) else 0.0
    width = max(usual, float(longest) / MOST_BUCKETS) or 1.0
    buckets = int(longest / width) + 2
    times, whose = _settle(graph.indptr, graph.indices, seconds, node, leg_s, owner, limit_s, width, buckets)
    return times, whose.astype(np.int64)


@njit(cache=True, nogil=True)
def _settle(begins, heads, seconds, node, leg_s, owner, limit_s, width, buckets):  # type: ignore[no-untyped-def]
    n = len(begins) - 1
    best = np.full(n, np.inf)
    whose = np.full(n, NOBODY, np.int32)
    first = np.full(buckets, -1, np.int32)
    after = np.full(n, -1, np.int32)
    before = np.full(n, -1, np.int32)
    slot_of = np.full(n, -1, np.int32)
    waiting = 0
    for i in range(len(node)):
        if leg_s[i] <= limit_s and leg_s[i] < best[node[i]]:
            waiting += _wait(first, after, before, slot_of, node[i], int(leg_s[i] / width) % buckets)
            best[node[i]] = leg_s[i]
            whose[node[i]] = owner[i]
    now = 0
    while waiting > 0:
        slot = now % buckets
        while first[slot] >= 0:
            u = first[slot]
            _leave(first, after, before, slot_of, u)
            waiting -= 1
            for arc in range(begins[u], begins[u + 1]):
                v = heads[arc]
                time = best[u] + seconds[arc]
                if time < best[v] and time <= limit_s:
                    waiting += _wait(first, after, before, slot_of, v, int(time / width) % buckets)
                    best[v] = time
                    whose[v] = whose[u]
        now += 1
    return best, whose


@njit(cache=True, nogil=True, inline="always")
def _wait(first, after, before, slot_of, v, slot):  # type: ignore[no-untyped-def]
    """Let a node wait in a slot of the ring, wherever it waited before; return by how many more wait now."""
    was = slot_of[v]
    if was == slot:
        return 0
    if was >= 0:
        _leave(first, after, before, slot_of, v)
    behind = first[slot]
    after[v] = behind
    before[v] = -1
    if behind >= 0:
        before[behind] = v
    first[slot] = v
    slot_of[v] = slot
    return 0 if was >= 0 else 1


@njit(cache=True, nogil=True, inline="always")
def _leave(first, after, before, slot_of, v):  # type: ignore[no-untyped-def]
    """Take a node out of its bucket."""
    if before[v] >= 0:
        after[before[v]] = after[v]
    else:
        first[slot_of[v]] = after[v]
    if after[v] >= 0:
        before[after[v]] = before[v]
    slot_of[v] = -1
