"""Many tests at once: how many of the places called hot would be hot by chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def benjamini_hochberg(p: NDArray[np.float64], counts: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """Return the false discovery rate q (n,) at which each test becomes significant.

    Calling every test with q <= a significant keeps the expected share of false ones among them at most a, for
    independent or positively dependent tests.

    Parameters
    ----------
    p : (n,)
        One p a test; nan where nothing could be tested. Those keep nan and do not count as tests.
    counts : (n,), optional
        How many tests share each p, where they are given once; 1 each by default.

    References
    ----------
    Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57, the step-up procedure of section 3.1.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, np.nan])).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p)
    order = order[: p.size - np.count_nonzero(np.isnan(p))]  # nan sorts last
    ranks = np.cumsum(counts[order]) if counts is not None else np.arange(1, order.size + 1)
    q = np.full(p.shape, np.nan)
    if order.size:
        scaled = p[order] * (ranks[-1] / ranks)
        q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q
