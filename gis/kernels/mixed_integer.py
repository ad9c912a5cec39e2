"""Linear programmes in which some variables are whole, by HiGHS called directly, proven to the last unit or bounded.

HiGHS stops by default at a relative gap of 1e-4 and calls the answer optimal; here both of its gaps are zero. Given a
start that is optimal already, HiGHS 1.16 may claim an objective that its own solution does not have; a claim is
therefore believed only where the two agree.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

Ending = Literal["optimal", "bounded", "infeasible"]
Watch = Callable[[float, float, float], None]
"""Told now and then: the seconds passed, the best value so far and the bound (either may be infinite). May raise."""

_WATCH_S = 0.1
_SAME = 1e-6
"""Two objectives differ when they do so by more than this, absolutely and as a share."""
_COLUMN_WISE, _MINIMIZE = 1, 1


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """Minimise ``cost @ x`` over ``lower <= x <= upper`` and ``row_lower <= matrix @ x <= row_upper``.

    Attributes
    ----------
    cost, lower, upper : (v,)
    whole : (v,)
        Which variables take whole numbers only.
    matrix : (r, v)
    row_lower, row_upper : (r,)
    """

    cost: Floats
    lower: Floats
    upper: Floats
    whole: Bools
    matrix: sparse.csc_array
    row_lower: Floats
    row_upper: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """How a solution ended.

    Attributes
    ----------
    x : (v,)
        None where nothing was found in time, or nothing exists.
    bound
        No solution is below it; -inf where nothing is known.
    ending
        ``optimal`` where `x` is proven, up to the tolerances of the solver (1e-6); ``bounded`` where the time ran out.
    """

    x: Floats | None
    bound: float
    ending: Ending


def solve(
    programme: Programme,
    *,
    time_limit_s: float,
    start: Floats | None = None,
    presolve: bool = True,
    watch: Watch | None = None,
) -> Solved:
    """Solve a programme, on one thread: the same input gives the same answer unless the time runs out.

    Parameters
    ----------
    time_limit_s
        What was found until then comes back with its bound.
    start : (v,), optional
        A solution to begin with.
    presolve
        Let HiGHS look for a smaller programme first.
    watch
        What it raises ends the solver, and is raised again from here.

    Raises
    ------
    RuntimeError
        HiGHS refused the programme or failed.

    Examples
    --------
    >>> knapsack = Programme(
    ...     np.array([-5.0, -4.0, -3.0]), np.zeros(3), np.ones(3), np.ones(3, bool),
    ...     sparse.csc_array([[2.0, 3.0, 1.0]]), np.array([-np.inf]), np.array([5.0]),
    ... )
    >>> found = solve(knapsack, time_limit_s=10)
    >>> found.x.tolist(), found.bound, found.ending
    ([1.0, 1.0, 0.0], -9.0, 'optimal')
    """
    begun_s = time.perf_counter()
    watcher = _Watcher(watch, begun_s)
    found = _attempt(programme, time_limit_s, start, watcher, presolve=presolve)
    if found.ending == "optimal" and not _agrees(programme, found):
        if start is None:
            return Solved(found.x, -np.inf, "bounded")
        left_s = time_limit_s - (time.perf_counter() - begun_s)
        return solve(programme, time_limit_s=left_s, presolve=presolve, watch=watch)
    return found


def _attempt(
    programme: Programme, time_limit_s: float, start: Floats | None, watcher: _Watcher, *, presolve: bool
) -> Solved:
    highs = _Silent()  # type: ignore[no-untyped-call]
    # One thread: HiGHS shares its threads with the whole process, and a worker may run several services at once.
    options: dict[str, float | int | str] = {"mip_rel_gap": 0.0, "mip_abs_gap": 0.0, "threads": 1, "parallel": "off"}
    for name, value in {
        **options,
        "presolve": "on" if presolve else "off",
        "time_limit": max(time_limit_s, 0.0),
    }.items():
        _succeed(highs.setOptionValue(name, value), name)
    _succeed(_pass(highs, programme), "the model")
    if start is not None:
        _succeed(highs.setSolution(start.size, np.arange(start.size, dtype=np.int32), start), "the start")
    for event in (highs.cbMipInterrupt, highs.cbSimplexInterrupt, highs.cbMipLogging) if watcher.watch else ():
        event.subscribe(watcher)
    highs.run()
    if watcher.raised is not None:
        raise watcher.raised
    return _solved(highs)


def _agrees(programme: Programme, found: Solved) -> bool:
    """Return whether a solution that is called optimal has the value that bounds it."""
    return found.x is not None and bool(np.isclose(programme.cost @ found.x, found.bound, rtol=_SAME, atol=_SAME))


class _Silent(highspy.Highs):
    """HiGHS says who it is as soon as callbacks are enabled, on the standard output, where results are piped."""

    def enableCallbacks(self) -> None:  # noqa: N802 - the name of HiGHS
        self.silent()
        super().enableCallbacks()  # type: ignore[no-untyped-call]


class _Watcher:
    """Tells `watch` what HiGHS reports, not too often; keeps what it raises, for HiGHS must not meet it."""

    def __init__(self, watch: Watch | None, begun_s: float) -> None:
        self.watch = watch
        self.raised: BaseException | None = None
        self.value, self.bound = np.inf, -np.inf
        self.begun_s = self.told_s = begun_s

    def __call__(self, event: highspy.highs.HighsCallbackEvent) -> None:
        now_s = time.perf_counter()
        if self.watch is None or (self.raised is None and now_s - self.told_s < _WATCH_S):
            return
        self.told_s = now_s
        if event.callback_type in (
            highspy.cb.HighsCallbackType.kCallbackMipLogging,
            highspy.cb.HighsCallbackType.kCallbackMipInterrupt,
        ):
            self.value, self.bound = event.data_out.mip_primal_bound, event.data_out.mip_dual_bound
        try:
            if self.raised is None:
                self.watch(now_s - self.begun_s, self.value, self.bound)
        except BaseException as error:  # noqa: BLE001 - also a KeyboardInterrupt has to pass through compiled code
            self.raised = error
        if self.raised is not None:
            event.interrupt()


def _pass(highs: highspy.Highs, programme: Programme) -> highspy.HighsStatus:
    matrix = programme.matrix
    rows, columns = matrix.shape
    status: highspy.HighsStatus = highs.passModel(
        columns,
        rows,
        matrix.nnz,
        _COLUMN_WISE,
        _MINIMIZE,
        0.0,
        programme.cost,
        programme.lower,
        programme.upper,
        programme.row_lower,
        programme.row_upper,
        matrix.indptr.astype(np.int32),
        matrix.indices.astype(np.int32),
        matrix.data.astype(np.float64),
        programme.whole.astype(np.int32),
    )
    return status


def _succeed(status: highspy.HighsStatus, what: str) -> None:
    if status == highspy.HighsStatus.kError:
        raise RuntimeError(f"HiGHS refused {what}")


def _solved(highs: highspy.Highs) -> Solved:
    ending, info = highs.getModelStatus(), highs.getInfo()
    if ending in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return Solved(None, np.inf, "infeasible")
    if ending not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kTimeLimit):
        raise RuntimeError(f"HiGHS ended with {highs.modelStatusToString(ending)}")
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    # + 0.0: no negative zeros.
    x = np.array(highs.getSolution().col_value) + 0.0 if found else None
    optimal = ending == highspy.HighsModelStatus.kOptimal
    # Without a whole variable there is no search, and the value is its own bound.
    mixed = info.mip_node_count >= 0
    bound = info.mip_dual_bound if mixed else (info.objective_function_value if optimal else -np.inf)
    return Solved(x, float(bound), "optimal" if optimal else "bounded")
