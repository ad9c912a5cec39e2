"""What a question of siting is answered with, and the whole numbers that make a proof possible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gis.errors import Infeasible, InvalidInput, Problem

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

WHOLE_TOTAL = 1e9
"""What weights that are not whole add up to once they are scaled: HiGHS tells sums of that size apart by one."""
_SLACK = 1e-4
"""A bound this little beyond a whole number means that number."""


@dataclass(frozen=True, slots=True, eq=False)
class Siting:
    """Sites and the proof of how good they are.

    Attributes
    ----------
    sites : (k,)
        In ascending order, those that had to be open among them.
    value
        What they reach, in the unit of the question.
    bound
        No choice reaches more, or costs less.
    status
        ``optimal`` where value and bound meet, ``bounded`` where something may lie between them.
    """

    sites: Ints
    value: float
    bound: float
    status: Literal["optimal", "bounded"]

    @property
    def gap(self) -> float:
        """How far the bound is from the value, as a share of the greater of both; 0 where it is proven."""
        if self.status == "optimal":
            return 0.0
        return abs(self.bound - self.value) / max(abs(self.bound), abs(self.value))


@dataclass(frozen=True, slots=True, eq=False)
class Whole:
    """Numbers as whole ones.

    Attributes
    ----------
    values
        Whole, of the shape given.
    scale
        How many of these are 1; 1 where the numbers were whole already.
    """

    values: Ints
    scale: float

    def bound(self, whole_bound: float, terms_count: int) -> float:
        """Return what no sum of `terms_count` numbers exceeds, given that of the whole ones; for minima negate both."""
        off = 0.0 if self.scale == 1 else 0.5 * terms_count
        return (whole_bound + off) / self.scale


def as_whole(values: Floats, *, most_total: float) -> Whole:
    """Return numbers scaled and rounded to whole ones, so that sums of them are exact.

    Parameters
    ----------
    values
        Finite and not negative.
    most_total
        The largest sum of them that can occur.

    Examples
    --------
    >>> as_whole(np.array([3.0, 4.0]), most_total=7.0)
    Whole(values=array([3, 4]), scale=1)
    >>> as_whole(np.array([0.25, 0.5]), most_total=0.75).values.tolist()
    [333333333, 666666667]
    """
    rounded = np.rint(values)
    if np.array_equal(rounded, values) and most_total <= WHOLE_TOTAL:
        return Whole(rounded.astype(np.int64), 1)
    scale = WHOLE_TOTAL / most_total
    return Whole(np.rint(values * scale).astype(np.int64), scale)


def whole_above(bound: float) -> int:
    """Return the largest whole number that a maximum with this bound can be."""
    return int(np.floor(bound + _SLACK))


def whole_below(bound: float) -> int:
    """Return the smallest whole number that a minimum with this bound can be."""
    return int(np.ceil(bound - _SLACK))


def check_question(sites_count: int, weight: Floats, must: Bools | None, p: int | None = None) -> Bools:
    """Return the sites (m,) that must be open.

    Raises
    ------
    InvalidInput
        A weight is negative or no number, or the sites do not match.
    Infeasible
        More sites must be open than may be, or none may be.
    """
    problems = []
    if (bad := int((~((weight >= 0) & np.isfinite(weight))).sum())) > 0:
        problems.append(Problem("bad_weight", "a weight is a number from 0", "weight", count=bad))
    if must is not None and must.shape != (sites_count,):
        problems.append(Problem("bad_shape", f"must has shape {must.shape}, there are {sites_count} sites", "must"))
    if problems:
        raise InvalidInput("no question of siting", problems)
    held = np.zeros(sites_count, bool) if must is None else must.astype(bool)
    if p is not None and p < max(int(held.sum()), 1):
        raise Infeasible(f"{p} sites are asked for, but {int(held.sum())} must be open and at least 1 is needed")
    return held
