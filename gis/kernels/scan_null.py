"""The Monte Carlo null of a scan: the largest log likelihood ratio of data in which nothing happens.

Every replicate has random numbers of its own, made from the seed and the number of the replicate: whatever is computed
together, or first, the same replicate has the same maximum. Many replicates, the lanes, pass over the cylinders
together, because all share the expected counts: what a cylinder needs to be worth a logarithm is worked out once.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST_CASES = 1 << 24
"""Counts up to here are exact in the single precision of the first look."""
_MOST_LANES = 64
_STEP_LANES = 16
_LANE_BYTES = 64_000_000
_WIDER = 1 + 1e-6
"""More than single precision can lose, so that a first look never passes over a maximum."""

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _32 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def lanes_for(places: int, rows: int) -> int:
    """Return how many replicates pass over the cylinders together: as many as stay within some memory.

    Whole steps of the processor's vectors, if there are so many: what is left over would cost as much as one.
    """
    lanes = int(np.clip(_LANE_BYTES // (4 * max(places * rows, 1)), 1, _MOST_LANES))
    return lanes - lanes % _STEP_LANES if lanes > _STEP_LANES else lanes


@njit(cache=True, nogil=True)
def _mixed(state):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return 64 random bits of a state that moves in equal steps: splitmix64 (Steele, Lea and Flood 2014)."""
    z = (state ^ (state >> _30)) * _MIX_1
    z = (z ^ (z >> _27)) * _MIX_2
    return z ^ (z >> _31)


@njit(cache=True, nogil=True)
def _begin(seed, replicate):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    return _mixed(_mixed(np.uint64(seed) + _STEP) ^ (np.uint64(replicate) * _STEP))


@njit(cache=True, nogil=True)
def _below(state, n):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    """Return the next state and a number 0..n-1, all equally likely (Lemire 2019), for n below 2^32."""
    size = np.uint64(n)
    while True:
        state += _STEP
        product = (_mixed(state) >> _32) * size
        low = product & _LOW
        if low >= size or low >= (_LOW - size + np.uint64(1)) % size:
            return state, np.int64(product >> _32)


@njit(cache=True, nogil=True)
def shuffled(sums, place, step, origin, seed, first):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, PLR0917
    """Fill `sums` (n, rows, lanes) with running counts over time of incidents whose steps are shuffled.

    Row t counts the incidents from step `origin` to before step ``origin + t``. Lane r is replicate ``first + r``.
    """
    sums[:] = 0
    cases = step.size
    order = np.empty_like(step)
    for lane in range(sums.shape[2]):
        state = _begin(seed, first + lane)
        order[:] = step
        for i in range(cases - 1, 0, -1):
            state, j = _below(state, i + 1)
            order[i], order[j] = order[j], order[i]
        for i in range(cases):
            if order[i] >= origin:
                sums[place[i], order[i] - origin + 1, lane] += 1
    _run(sums)


@njit(cache=True, nogil=True)
def drawn(sums, chance, other, cases, steps, origin, seed, first):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, PLR0917
    """Fill `sums` with running counts of `cases` incidents drawn over all places and steps, as `shuffled` does.

    `chance` and `other` are the table of `alias_table`; cell ``place * steps + step``.
    """
    sums[:] = 0
    cells = chance.size
    unit = 2.0**-53
    for lane in range(sums.shape[2]):
        state = _begin(seed, first + lane)
        for _ in range(cases):
            state, cell = _below(state, cells)
            state += _STEP
            if np.float64(_mixed(state) >> np.uint64(11)) * unit >= chance[cell]:
                cell = other[cell]
            place = cell // steps
            step = cell - place * steps
            if step >= origin:
                sums[place, step - origin + 1, lane] += 1
    _run(sums)


@njit(cache=True, nogil=True)
def _run(sums):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for place in range(sums.shape[0]):
        for row in range(1, sums.shape[1]):
            for lane in range(sums.shape[2]):
                sums[place, row, lane] += sums[place, row - 1, lane]


@njit(cache=True, nogil=True)
def alias_table(weights):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the table by which one of n cells is drawn in one step by its weight (Walker 1977, as Vose 1991).

    Examples
    --------
    >>> chance, other = alias_table(np.array([1.0, 3.0]))
    >>> chance.tolist(), other.tolist()
    ([0.5, 1.0], [1, 1])
    """
    n = weights.size
    chance = weights * (n / weights.sum())
    other = np.arange(n)
    small, large = np.empty(n, np.int64), np.empty(n, np.int64)
    smalls = larges = 0
    for i in range(n):
        if chance[i] < 1.0:
            small[smalls] = i
            smalls += 1
        else:
            large[larges] = i
            larges += 1
    while smalls > 0 and larges > 0:
        smalls -= 1
        poor, rich = small[smalls], large[larges - 1]
        other[poor] = rich
        chance[rich] -= 1.0 - chance[poor]
        if chance[rich] < 1.0:
            larges -= 1
            small[smalls] = rich
            smalls += 1
    # What is left over is 1 but for rounding; a cell without weight still is never drawn.
    for i in range(smalls):
        chance[small[i]] = 1.0 if weights[small[i]] > 0 else 0.0
        other[small[i]] = np.argmax(weights)
    for i in range(larges):
        chance[large[i]] = 1.0
    return chance, other


@njit(cache=True, nogil=True, error_model="numpy")
def llr(observed, expected, total):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return the log likelihood ratio of a cylinder with more incidents than expected; 0 otherwise, and below two.

    Kulldorff (1997) for the Poisson model; Kulldorff et al. (2005) for the permutation model.
    """
    if observed < 2.0 or observed <= expected:  # noqa: PLR2004
        return 0.0
    ratio = observed * np.log(observed / expected)
    if observed < total:
        ratio += (total - observed) * np.log((total - observed) / (total - expected))
    return ratio


@njit(cache=True, nogil=True, error_model="numpy")
def slopes(run, first, last, unit, total, slope, shift):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, PLR0917
    """Write what bounds each span's ratio: sqrt(llr) <= count * slope - shift, wherever count > expected.

    With d = c - mu and C cases in all: c ln(c/mu) - d <= d^2 / (2 mu), since (1+u) ln(1+u) - u <= u^2 / 2; and
    (C-c) ln((C-c)/(C-mu)) + d <= d^2 / (C-mu), since (1-v) ln(1-v) + v = sum v^k / (k(k-1)) <= v^2. Together
    llr <= d^2 (1/(2 mu) + 1/(C-mu)), a tighter bound than chi-square's d^2 (1/mu + 1/(C-mu)).
    """
    for w in range(first.size):
        mean = (run[last[w]] - run[first[w]]) * unit
        steep = np.sqrt(0.5 / mean + 1.0 / (total - mean))
        possible = mean > 0.0 and total - mean > 1e-9 * total
        slope[w] = steep * _WIDER if possible else 0.0
        shift[w] = mean * steep / _WIDER if possible else 1.0


@njit(cache=True, nogil=True)
def _promising(counts, first, last, slope, shift, floor):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0917
    """Return in how many lanes a span may beat the best so far; this is where the time goes, eight lanes a step."""
    many = np.int32(0)
    for lane in range(floor.size):
        many += np.int32((counts[last, lane] - counts[first, lane]) * slope - shift > floor[lane])
    return many


@njit(cache=True, nogil=True)
def _add(total, rows, place):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for i in range(total.size):
        total[i] += rows[place, i]


@njit(cache=True, nogil=True, error_model="numpy")
def maxima(sums, baseline, unit, total, members, offsets, closed, first, last):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201, PLR0917
    """Return the largest log likelihood ratio (lanes,) over all cylinders.

    Parameters
    ----------
    sums : (n, rows, lanes)
        Running counts over time, of each lane.
    baseline : (n, rows)
        Running sums of what is expected, `unit` of an incident each.
    first, last : (w,)
        Rows before and at the end of each span.
    """
    rows, lanes, spans = sums.shape[1], sums.shape[2], first.size
    flat = sums.reshape((sums.shape[0], rows * lanes))
    counts = np.empty((rows, lanes), np.float32)
    run = counts.reshape(rows * lanes)
    expected = np.empty(rows)
    slope, shift = np.empty(spans, np.float32), np.empty(spans, np.float32)
    best, floor = np.zeros(lanes), np.zeros(lanes, np.float32)
    for centre in range(offsets.size - 1):
        counts[:] = 0
        expected[:] = 0
        for m in range(offsets[centre], offsets[centre + 1]):
            place = np.uint64(members[m])
            _add(run, flat, place)
            _add(expected, baseline, place)
            if not closed[m]:
                continue
            slopes(expected, first, last, unit, total, slope, shift)
            for w in range(spans):
                if _promising(counts, first[w], last[w], slope[w], shift[w], floor) > 0:
                    mean = (expected[last[w]] - expected[first[w]]) * unit
                    for lane in range(lanes):
                        count = counts[last[w], lane] - counts[first[w], lane]
                        if count * slope[w] - shift[w] > floor[lane]:
                            ratio = llr(np.float64(count), mean, total)
                            if ratio > best[lane]:
                                best[lane] = ratio
                                floor[lane] = np.float32(np.sqrt(ratio) / _WIDER)
    return best
