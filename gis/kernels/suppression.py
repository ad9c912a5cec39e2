"""Which numbers of a published table of counts must be withheld, so that no small one can be worked out from the rest.

Cell suppression in a two-way table with its totals. A small count is protected by a square of four withheld numbers,
two in its row and two in another, that can all be one more or one less with every total unchanged: then at least two
tables agree with all that is published, and they differ in that count. Such squares are the shortest cycles of the
graph of withheld cells, in which Gusfield's theorem finds every count that can be worked out.

References
----------
D. Gusfield, "A graph theoretic approach to statistical data security", SIAM Journal on Computing 17(3), 1988, 552-571:
theorem 1 (a cell is known exactly when it is a bridge). J. Castro, "Recent advances in optimization techniques for
statistical tabular data protection", European Journal of Operational Research 216(2), 2012: the problem and its terms.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def withhold(counts: Ints, *, least: int) -> Bools | None:
    """Return which numbers of a table and its totals must be withheld.

    Zeros are published as they are. Whoever reads the table is taken to know the rule, that what is withheld is at
    least 1, and the total of all. Of the squares that protect a count, the one with the smallest counts is taken.

    Parameters
    ----------
    counts : (r, c)
        Whole numbers, 0 or more. With one column the totals of rows are the counts themselves.
    least
        A number from 1 to one less than this is small.

    Returns
    -------
    (r + 1, c + 1) or None
        The last column belongs to the totals of rows, the last row to those of columns; the total of all is never
        withheld. None where that alone would give a small count away, so that nothing can be published.

    Examples
    --------
    >>> withhold(np.array([[2, 9, 20], [8, 7, 30]]), least=5).astype(int).tolist()
    [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]]
    """
    table = with_totals(counts)
    hidden = (table > 0) & (table < least)
    if hidden[-1, -1]:
        return None
    signs = np.ones(table.shape)
    signs[:-1, -1] = signs[-1, :-1] = -1
    # The largest first: what protects them often protects the smaller ones of their row as well.
    rows, columns = np.nonzero(hidden)
    for at in np.argsort(-table[rows, columns], kind="stable"):
        square = _cheapest_square(table, hidden, signs, (int(rows[at]), int(columns[at])))
        if square is None:
            return None
        hidden[square] = True
    return hidden


def with_totals(counts: Ints) -> Ints:
    """Return a table (r, c) with its totals (r + 1, c + 1)."""
    rows = np.column_stack([counts, counts.sum(axis=1)])
    return np.vstack([rows, rows.sum(axis=0)]).astype(np.int64)


def _cheapest_square(table: Ints, hidden: Bools, signs: Floats, cell: tuple[int, int]) -> tuple[Ints, Ints] | None:
    """Return rows and columns of the four numbers of the cheapest square through a cell; None where there is none."""
    i, j = cell
    cost = np.where(hidden, 0.0, table.astype(float))
    cost[-1, -1] = np.inf
    found: tuple[float, int, int] | None = None
    for step in (1, -1):
        if step == -1 and table[i, j] < 2:  # noqa: PLR2004 - what is withheld stays at least 1
            continue
        sign = step * signs[i, j]
        beside = _price(table[i], cost[i], -sign * signs[i])
        below = _price(table[:, j], cost[:, j], -sign * signs[:, j])
        across = _price(table, cost, sign * signs)
        total = beside[None, :] + below[:, None] + across
        total[i] = total[:, j] = np.inf
        r, c = divmod(int(np.argmin(total)), total.shape[1])
        if np.isfinite(total[r, c]) and (found is None or total[r, c] < found[0]):
            found = (float(total[r, c]), r, c)
    if found is None:
        return None
    _, r, c = found
    return np.array([i, i, r, r]), np.array([j, c, j, c])


def _price(counts: Ints, cost: Floats, change: Floats) -> Floats:
    """Return what it costs to withhold numbers that change by -1 or 1; infinity where they could not."""
    could = (counts >= 1) & ((change > 0) | (counts >= 2))  # noqa: PLR2004
    return np.where(could, cost, np.inf)
