"""A stream of random numbers inside compiled loops: its whole state is one number, so that a run can be continued.

xorshift64* of Vigna (2016), ACM Transactions on Mathematical Software 42(4), 30; seeded through splitmix64.
"""

# ruff: noqa: ANN001, ANN201, ANN202 - compiled functions: numba knows the types, and takes no keywords

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_MULTIPLIER = np.uint64(0x2545F4914F6CDD1D)
_SHIFTS = np.array([12, 25, 27, 32, 11], dtype=np.uint64)
_TO_UNIT = 1.0 / (1 << 53)
_64 = (1 << 64) - 1


def stream(seed: int) -> NDArray[np.uint64]:
    """Return the state (1,) that `seed`, zero or any other, begins with."""
    mixed = (seed + 0x9E3779B97F4A7C15) & _64
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _64
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _64
    return np.array([(mixed ^ (mixed >> 31)) or 1], dtype=np.uint64)


@njit(cache=True, nogil=True, inline="always")
def _draw(state):  # type: ignore[no-untyped-def]
    x = state[0]
    x ^= x >> _SHIFTS[0]
    x ^= x << _SHIFTS[1]
    x ^= x >> _SHIFTS[2]
    state[0] = x
    return x * _MULTIPLIER


@njit(cache=True, nogil=True)
def below(state, n):  # type: ignore[no-untyped-def]
    """Draw a whole number from 0 to n - 1, n at most 2^32."""
    return np.int64(((_draw(state) >> _SHIFTS[3]) * np.uint64(n)) >> _SHIFTS[3])


@njit(cache=True, nogil=True)
def unit(state):  # type: ignore[no-untyped-def]
    """Draw a number from 0 (included) to 1 (not included)."""
    return np.float64(_draw(state) >> _SHIFTS[4]) * _TO_UNIT
