"""Grids in several pieces put together: each keeps its heaviest piece and gives the others to its neighbours."""

from __future__ import annotations

import numpy as np

from gis.kernels.block_graph import BlockGraph, Bools, Floats, Ints

MOST_ROUNDS = 20


def in_one_piece(
    graph: BlockGraph, load: Floats, grid: Ints, *, fixed: Bools | None = None, closed: Bools | None = None
) -> Ints:
    """Return the plan (n,) with every piece but the heaviest of its grid given to a neighbour.

    A piece goes to the open grid, of those whose heaviest piece it touches, with which it shares the longest border.
    Pieces that touch none stay: they lie beyond a barrier, alone. So do pieces with a block that is fixed.

    Parameters
    ----------
    graph
        Of the borders that a grid may reach across.
    load : (n,)
    grid : (n,)
        From 0; all blocks have one.
    fixed : (n,), optional
        Blocks that stay where they are.
    closed : (k,), optional
        Grids that take no block in and give none away.

    Examples
    --------
    >>> from gis.kernels.block_graph import block_graph
    >>> row = block_graph(np.array([[0, 1], [1, 2], [2, 3]]), np.ones(3), np.ones(4), np.ones(4))
    >>> in_one_piece(row, np.array([5.0, 1, 1, 1]), np.array([0, 1, 0, 1])).tolist()
    [0, 1, 1, 1]
    """
    new = np.array(grid, dtype=np.int64)
    grids_count = int(new.max(initial=-1)) + 1
    shut = np.zeros(grids_count, bool) if closed is None else closed
    still = shut[new] if fixed is None else shut[new] | fixed
    for _ in range(MOST_ROUNDS):
        piece = graph.pieces(new)
        count = int(piece.max(initial=-1)) + 1
        owner, main = np.empty(count, np.int64), np.zeros(count, bool)
        owner[piece] = new
        main[_heaviest(owner, np.bincount(piece, load, minlength=count).astype(float))] = True
        loose = ~main
        loose[piece[still]] = False
        target = _longest_border(graph, new, piece, loose, main & ~shut[owner])
        if (target < 0).all():
            break
        moving = target[piece] >= 0
        new[moving] = target[piece[moving]]
    return new


def _heaviest(owner: Ints, weight: Floats) -> Ints:
    """Return the heaviest piece of each grid; of equals, the first."""
    order = np.lexsort((np.arange(owner.size), -weight, owner))
    first = np.append(True, owner[order][1:] != owner[order][:-1])
    return np.asarray(order[first])


def _longest_border(graph: BlockGraph, grid: Ints, piece: Ints, loose: Bools, taking: Bools) -> Ints:
    """Return the grid (p,) that each loose piece goes to, -1 for a piece that stays."""
    a, b = piece[graph.tail], piece[graph.neighbour]
    across = (a != b) & loose[a] & taking[b]
    target = np.full(loose.size, -1)
    if across.any():
        grids_count = int(grid.max()) + 1
        key, at = np.unique(a[across] * grids_count + grid[graph.neighbour[across]], return_inverse=True)
        length = np.bincount(at, graph.border_m[across])
        # Written in the order of lengths, the longest stays; of equals, the first grid.
        order = np.lexsort((-key, length))
        target[key[order] // grids_count] = key[order] % grids_count
    return target
