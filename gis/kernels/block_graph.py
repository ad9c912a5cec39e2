"""Blocks and the borders between them: which touch, along how many metres, and which hang together.

A dart is one side of a border between two blocks: block u touches ``neighbour[first[u]:first[u + 1]]``, each along
``border_m`` at the same place of the list.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class BlockGraph:
    """Blocks (n,) and the m borders between two of them.

    Attributes
    ----------
    first : (n + 1,)
        The darts of block u are ``first[u]`` to ``first[u + 1]``.
    neighbour : (2 m,)
        The block on the other side of each dart, rising within a block.
    border_m : (2 m,)
        Length of the border that the two share.
    outer_m : (n,)
        Length of each block's border that it shares with no neighbour of this graph.
    area_m2 : (n,)

    Examples
    --------
    >>> row = block_graph(np.array([[0, 1], [1, 2]]), np.array([5.0, 5.0]), np.full(3, 10.0), np.full(3, 6.0))
    >>> row.neighbour[row.first[1] : row.first[2]].tolist(), row.perimeter_m.tolist()
    ([0, 2], [15.0, 20.0, 15.0])
    """

    first: Ints
    neighbour: Ints
    border_m: Floats
    outer_m: Floats
    area_m2: Floats

    @property
    def blocks_count(self) -> int:
        """How many blocks there are."""
        return int(self.area_m2.size)

    @property
    def tail(self) -> Ints:
        """The block on the near side of each dart (2 m,)."""
        return np.repeat(np.arange(self.blocks_count), np.diff(self.first))

    @property
    def perimeter_m(self) -> Floats:
        """Length of the whole border of each block (n,)."""
        return self.outer_m + np.bincount(self.tail, self.border_m, minlength=self.blocks_count)

    @property
    def side_m(self) -> float:
        """Side of a square as large as the mean block: the unit in which borders are weighed against loads."""
        return float(np.sqrt(self.area_m2.mean())) if self.blocks_count else 1.0

    def pairs(self) -> tuple[Ints, Floats]:
        """Return the pairs of neighbours (m, 2), the smaller block first and rising, and their borders (m,)."""
        once = self.tail < self.neighbour
        return np.column_stack([self.tail[once], self.neighbour[once]]), self.border_m[once]

    def without(self, closed: Bools) -> BlockGraph:
        """Return the graph without the pairs (m,) that are closed, in the order of `pairs`.

        Their borders count as outer ones, so that every perimeter stays what it is.
        """
        ends, border_m = self.pairs()
        lost = np.bincount(ends[closed].ravel(), np.repeat(border_m[closed], 2), minlength=self.blocks_count)
        return block_graph(ends[~closed], border_m[~closed], self.outer_m + lost, self.area_m2)

    def weighed(self, weight: Floats) -> BlockGraph:
        """Return the graph with each border (m,) multiplied by a weight, in the order of `pairs`."""
        ends, border_m = self.pairs()
        return replace(
            block_graph(ends, border_m * weight, self.outer_m, self.area_m2), first=self.first, neighbour=self.neighbour
        )

    def part(self, members: Ints) -> BlockGraph:
        """Return the graph of some blocks (k,), numbered in the order given; borders to others become outer ones."""
        counts = self.first[members + 1] - self.first[members]
        tail = np.repeat(np.arange(members.size), counts)
        dart = np.arange(tail.size) + np.repeat(self.first[members] - np.cumsum(counts) + counts, counts)
        place = np.full(self.blocks_count, -1)
        place[members] = np.arange(members.size)
        head, border_m = place[self.neighbour[dart]], self.border_m[dart]
        inside = head >= 0
        outer = self.outer_m[members] + np.bincount(tail[~inside], border_m[~inside], minlength=members.size)
        once = inside & (tail < head)
        return block_graph(np.column_stack([tail[once], head[once]]), border_m[once], outer, self.area_m2[members])

    def components(self) -> Ints:
        """Return the number (n,) of the component that each block hangs together with."""
        return self.pieces(np.zeros(self.blocks_count, np.int64))

    def pieces(self, grid: Ints) -> Ints:
        """Return the number (n,) of the piece that each block hangs together with, inside its own grid.

        Numbers rise with the first block of each piece. Blocks without a grid (-1) are pieces, too.
        """
        n = self.blocks_count
        same = grid[self.tail] == grid[self.neighbour]
        ends = self.tail[same], self.neighbour[same]
        near = sparse.coo_array((np.ones(ends[0].size, bool), ends), shape=(n, n))
        return np.asarray(csgraph.connected_components(near, directed=False)[1], dtype=np.int64)


def block_graph(ends: Ints, border_m: Floats, outer_m: Floats, area_m2: Floats) -> BlockGraph:
    """Return the graph of pairs of blocks (m, 2), each pair once, that share borders (m,)."""
    tails = np.concatenate([ends[:, 0], ends[:, 1]])
    heads = np.concatenate([ends[:, 1], ends[:, 0]])
    order = np.lexsort((heads, tails))
    first = np.concatenate([[0], np.cumsum(np.bincount(tails, minlength=area_m2.size))])
    both = np.concatenate([border_m, border_m]).astype(np.float64)
    return BlockGraph(
        first=first.astype(np.int64),
        neighbour=np.ascontiguousarray(heads[order], dtype=np.int64),
        border_m=both[order],
        outer_m=np.asarray(outer_m, dtype=np.float64),
        area_m2=np.asarray(area_m2, dtype=np.float64),
    )
