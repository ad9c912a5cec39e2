"""Which nodes lie inside polygons: one pass over their edges, whatever the number of nodes."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.kernels.density import Nodes


def nodes_inside(edges: NDArray[np.float64], nodes: Nodes) -> NDArray[np.bool_]:
    """Return which nodes (rows, columns) lie inside the union of polygons.

    The winding number of every node is summed along its row. Polygons may overlap, touch and have holes; a node on a
    border that two of them share belongs to exactly one.

    Parameters
    ----------
    edges : (m, 4)
        x and y of the start and the end of every edge. Exterior rings all run the same way round, and holes the other.

    References
    ----------
    Foley, van Dam, Feiner and Hughes (1990), Computer Graphics, section 3.6, with the non-zero winding rule.

    Examples
    --------
    >>> square = np.array([[0.5, 0.5, 2.5, 0.5], [2.5, 0.5, 2.5, 1.5], [2.5, 1.5, 0.5, 1.5], [0.5, 1.5, 0.5, 0.5]])
    >>> nodes_inside(square, Nodes(0.0, 0.0, 1.0, 3, 4)).astype(int).tolist()
    [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    """
    turns = np.zeros((nodes.rows, nodes.columns + 1), np.int32)
    edges = np.ascontiguousarray(edges, dtype=float)
    _add_crossings(edges, nodes, turns)
    return np.asarray(np.cumsum(turns[:, :-1], axis=1, dtype=np.int32) != 0)


@njit(cache=True, nogil=True)
def _add_crossings(edges: NDArray[np.float64], nodes: Nodes, turns: NDArray[np.int32]) -> None:
    rows, columns = nodes.rows, nodes.columns
    for edge in range(edges.shape[0]):
        # From its lower end, so that the two directions of a shared border cross a row at the same place to the bit.
        up = edges[edge, 3] > edges[edge, 1]
        low, high = (0, 2) if up else (2, 0)
        x, y = edges[edge, low], edges[edge, low + 1]
        end_x, end_y = edges[edge, high], edges[edge, high + 1]
        first = max(np.ceil((y - nodes.south) / nodes.step), 0.0)
        last = min(np.ceil((end_y - nodes.south) / nodes.step), float(rows))
        for row in range(int(first), int(last)):
            crossing = x + (nodes.south + row * nodes.step - y) * (end_x - x) / (end_y - y)
            column = min(max(np.ceil((crossing - nodes.west) / nodes.step), 0.0), float(columns))
            turns[row, int(column)] += 1 if up else -1
