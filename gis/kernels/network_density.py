"""Kernel density along streets: the equal-split estimators of Okabe, Satoh and Sugihara.

Each incident is one unit of mass that walks away from its place in both directions. At a junction of m streets the
walk splits: *discontinuous*, equally over the m - 1 other streets; *continuous*, 2/m into each other street and
(2 - m)/m back, which makes the surface continuous there. The density at a point is the sum, over all walks that reach
it, of their shares times the kernel of their length. Nothing is lost: a dead end sends the walk back.

References: Okabe, Satoh and Sugihara (2009), International Journal of Geographical Information Science 23(1), sections
4 and 5; McSwiggan, Baddeley and Nair (2017), Scandinavian Journal of Statistics 44(2), for the sum over walks.

How it is computed. Walks are far too many to be listed: their number doubles and more at each junction. But only how
much arrives where and when matters, not along which way. So each direction of a street is a delay line, and a junction
adds up what comes in and hands it on; one sweep over all streets a step of distance does the walks of all incidents at
once. The effort is streets times bandwidth, whatever the number of incidents.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gis.kernels.street_graph import Lixels, StreetGraph

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kernel = Literal["quartic", "epanechnikov"]
Split = Literal["continuous", "discontinuous"]

LEAST_STEPS = 500
MOST_STEPS = 10_000
LONGEST_STEP_M = 1.0
"""Distance goes in steps: at least and at most so many a bandwidth, none longer than this or the shortest edge."""
_COARSE_STEPS = 200
"""Enough to compare one bandwidth with another."""
_ANYWHERE = 0.01
"""Share of incidents that may happen on any street, so that one where there was none yet is no impossibility."""


def network_density(
    graph: StreetGraph,
    lixels: Lixels,
    edge: Ints,
    offset_m: Floats,
    *,
    bandwidth_m: float,
    kernel: Kernel = "quartic",
    split: Split = "continuous",
    steps: int | None = None,
) -> Floats:
    """Return the incidents that the kernel spreads onto each lixel (k,); divided by its length it is the mean density.

    The sum over all lixels is the number of incidents. Within the edge of an incident lengths count exactly; beyond a
    junction they go in steps of at most 1 m, a 500th of the bandwidth or the shortest edge. A length between two steps
    is shared out to both so that its mean is kept: the error is of second order, a few millionths of an incident.

    Parameters
    ----------
    graph, lixels
        Streets, and the pieces for which a density is wanted.
    edge, offset_m : (n,)
        Where the incidents lie: on which edge, and how far from its first end.
    bandwidth_m
        The kernel is 0 from here on.
    steps
        In how many steps the bandwidth is walked; when not given, as said above. An edge shorter than a step is walked
        in one, and so bears more than its part.

    Returns
    -------
    (k,)
        Never below 0 with the discontinuous split; with the continuous one a negative share may remain where several
        junctions lie much closer together than the bandwidth.

    Examples
    --------
    >>> from gis.kernels.street_graph import lixels
    >>> street = StreetGraph(np.array([[0, 1]]), np.array([400.0]))
    >>> cut = lixels(street.length_m, 100.0)
    >>> network_density(street, cut, np.array([0]), np.array([200.0]), bandwidth_m=200.0).round(4).tolist()
    [0.1035, 0.3965, 0.3965, 0.1035]
    """
    if steps is None:
        longest = min(LONGEST_STEP_M, float(graph.length_m.min()))
        steps = min(max(LEAST_STEPS, int(np.ceil(bandwidth_m / longest))), MOST_STEPS)
    table = _half_kernel(np.linspace(0.0, 1.0, steps + 1), kernel)
    scale = np.maximum(steps / bandwidth_m, 1.0 / graph.length_m)
    length = graph.length_m * scale
    mass = np.zeros(lixels.edge.size)
    lower, upper = lixels.lower_m * scale[lixels.edge], lixels.upper_m * scale[lixels.edge]
    offset = np.clip(offset_m * scale[edge], 0.0, length[edge])
    _along_own_edge(mass, edge, offset, lixels.first, lower, upper, table)
    both_ways = np.repeat(length, 2)
    start, mask = _delay_lines(both_ways, steps)
    ring = np.zeros(start[-1])
    _set_out(ring, start, mask, edge, offset, length, steps)
    through, back = _shares(graph.degree, split)
    first, until, lixel = _as_walked(lixels, length, lower, upper)
    _beyond_junctions(
        mass, ring, start, mask, both_ways, graph.first, graph.leaving, through, back, first, until, lixel, table
    )
    return mass


def predictive_score(
    graph: StreetGraph,
    lixels: Lixels,
    edge: Ints,
    offset_m: Floats,
    half: NDArray[np.bool_],
    *,
    bandwidth_m: float,
    kernel: Kernel,
    split: Split,
) -> float:
    """Return how well each half of the incidents predicts the other: the mean log of the density it gives them.

    Two-fold likelihood cross-validation. One incident in a hundred is taken to happen on any street alike.

    Parameters
    ----------
    half : (n,)
        Which incidents make up the first half; both must hold some.
    """
    place = lixels.at(edge, offset_m)
    # What an edge shorter than a step bears counts as spread over a step.
    stretched = np.maximum(bandwidth_m / _COARSE_STEPS / graph.length_m, 1.0)[lixels.edge]
    length = lixels.length_m * stretched
    score = 0.0
    for known in (half, ~half):
        mass = network_density(
            graph,
            lixels,
            edge[known],
            offset_m[known],
            bandwidth_m=bandwidth_m,
            kernel=kernel,
            split=split,
            steps=_COARSE_STEPS,
        )
        density = np.maximum(mass, 0.0) / (length * known.sum())
        score += np.log((1 - _ANYWHERE) * density + _ANYWHERE / graph.length_m.sum())[place[~known]].sum()
    return float(score / edge.size)


def _half_kernel(u: Floats, kernel: Kernel) -> Floats:
    """Return the integral of the kernel from 0 to each u (in bandwidths, 0 to 1); it ends at one half."""
    if kernel == "quartic":
        return np.asarray(15 / 16 * (u - 2 / 3 * u**3 + u**5 / 5))
    return np.asarray(3 / 4 * (u - u**3 / 3))


def _shares(degree: Ints, split: Split) -> tuple[Floats, Floats]:
    """Return per node (n,) what share of all that comes in goes into each street, and what comes off on the way back.

    2/m and 1 give 2/m ahead and (2 - m)/m back; 1/(m - 1) and 1/(m - 1) give nothing back; a dead end all.
    """
    if split == "continuous":
        return 2.0 / degree, np.ones(degree.size)
    others = np.maximum(degree - 1.0, 1.0)
    return 1.0 / others, np.where(degree > 1, 1.0 / others, 0.0)


def _delay_lines(length: Floats, steps: int) -> tuple[Ints, Ints]:
    """Return where the delay line of each dart (2 m,) begins, and its size less 1.

    It holds what will arrive at the dart's far end at each of the coming steps. It is a ring whose size is a power of
    two, so that a step finds its place without a division.
    """
    size = 2 ** np.ceil(np.log2(np.minimum(length.astype(np.int64), steps) + 2)).astype(np.int64)
    return np.concatenate([[0], np.cumsum(size)]), size - 1


def _as_walked(lixels: Lixels, length: Floats, lower: Floats, upper: Floats) -> tuple[Ints, Floats, Ints]:
    """Return the lixels in the order in which each dart meets them: first (2 m + 1,), ends (2 k,) and which (2 k,)."""
    every = np.arange(lixels.edge.size)
    first = np.concatenate([[0], np.cumsum(np.repeat(np.diff(lixels.first), 2))])
    # Along an edge they follow each other upwards, on the way back downwards.
    ahead = every + lixels.first[lixels.edge]
    mirrored = lixels.first[lixels.edge] + lixels.first[lixels.edge + 1] - 1 - every
    behind = mirrored + lixels.first[lixels.edge + 1]
    until, lixel = np.empty(2 * every.size), np.empty(2 * every.size, np.int64)
    until[ahead], lixel[ahead] = upper, every
    until[behind], lixel[behind] = length[lixels.edge] - lower, every
    return first, until, lixel


@njit(cache=True, nogil=True)
def _reached(table, distance):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the integral of the kernel from 0 to a distance in steps: straight between the entries of the table.

    Straight, because then what is shared out to two neighbouring steps adds up to the same mass.
    """
    below = int(distance)
    if below >= table.size - 1:
        return table[-1]
    return table[below] + (distance - below) * (table[below + 1] - table[below])


@njit(cache=True, nogil=True)
def _along_own_edge(mass, edge, offset, first, lower, upper, table):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Add what each incident spreads over its own edge before it meets a junction."""
    for i in range(edge.size):
        for k in range(first[edge[i]], first[edge[i] + 1]):
            a, b = lower[k] - offset[i], upper[k] - offset[i]
            left, right = _reached(table, abs(a)), _reached(table, abs(b))
            mass[k] += (right if b > 0 else -right) - (left if a > 0 else -left)


@njit(cache=True, nogil=True)
def _set_out(ring, start, mask, edge, offset, length, steps):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Let each incident be on its way to both ends of its edge."""
    for i in range(edge.size):
        ahead, behind = 2 * edge[i], 2 * edge[i] + 1
        _arrive(ring, start[ahead], mask[ahead], length[edge[i]] - offset[i], 1.0, steps)
        _arrive(ring, start[behind], mask[behind], offset[i], 1.0, steps)


@njit(cache=True, nogil=True)
def _beyond_junctions(mass, ring, start, mask, length, node_first, leaving, through, back, first, until, lixel, table):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Let all incidents walk on at once, a step at a time, and add what they leave on the lixels."""
    steps = table.size - 1
    coming = np.empty(leaving.size)
    for step in range(steps):
        for v in range(node_first.size - 1):
            darts = leaving[node_first[v] : node_first[v + 1]]
            total, some = _take(ring, start, mask, darts, step, coming)
            if not some:
                continue
            for j in range(darts.size):
                share = through[v] * total - back[v] * coming[j]
                if share != 0.0:
                    d = darts[j]
                    _arrive(ring, start[d], mask[d], step + length[d], share, steps)
                    _leave(mass, first[d], first[d + 1], until, lixel, table, step, share)


@njit(cache=True, nogil=True)
def _take(ring, start, mask, darts, step, coming):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Take out what arrives at a node at a step, against each dart that leaves it; return the sum, and if anything."""
    total = 0.0
    some = False
    for j in range(darts.size):
        d = darts[j] ^ 1
        at = start[d] + (step & mask[d])
        coming[j] = ring[at]
        if ring[at] != 0.0:
            some = True
            total += ring[at]
            ring[at] = 0.0
    return total, some


@njit(cache=True, nogil=True)
def _leave(mass, begin, end, until, lixel, table, step, share):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Add what a share leaves on the lixels of the dart that it enters at a step."""
    before = table[step]
    for k in range(begin, end):
        after = _reached(table, step + until[k])
        mass[lixel[k]] += share * (after - before)
        if after == table[-1]:
            break
        before = after


@njit(cache=True, nogil=True)
def _arrive(ring, start, mask, distance, share, steps):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Let a share arrive at a distance, split over the two whole steps around it; what comes after the last is gone."""
    below = int(distance)
    if below < steps:
        ring[start + (below & mask)] += share * (below + 1 - distance)
    if below + 1 < steps:
        ring[start + ((below + 1) & mask)] += share * (distance - below)
