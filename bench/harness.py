"""How a claim is measured: ours and the anchor in one process, taking turns, the median of at least three.

A benchmark file declares contests and hands them to `main`::

    def contests(*, quick: bool) -> Iterator[Contest]:
        yield Contest(name="gi_star", n=1000, ours=..., anchor=..., anchor_name="esda", target=100, agree=...)

    if __name__ == "__main__":
        sys.exit(main(contests, title="Gi* against esda"))

Every contest ends in one line, ``claim NAME n=... ours=... anchor=... ratio=... target=... holds|short``. The ratio
says how many times as long the anchor takes; the claim holds when it is at least the target. Where a time itself is
promised, a `Budget` stands in a contest's place: the anchor is then the time allowed, and the target 1. Where an answer
is better rather than faster, a `Quality` does: ours and the anchor are then numbers of which the smaller is better.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

LEAST_REPEATS = 3
QUICK_BUDGET_S = 50.0


class Disagreement(AssertionError):
    """Ours and the anchor do not give the same answer, so their times say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """One claim: our way against a well-known one, on the same input.

    Attributes
    ----------
    name
        Of the claim, without blanks; the same at every `n`.
    n
        Size of the input, in the unit the title names.
    ours, anchor
        Take nothing, give the answer. Only they are timed.
    target
        The claim holds when the anchor takes at least this many times as long as ours.
    agree
        Called once with both answers before anything is timed: returns how well they agree, in a few words, or raises
        `Disagreement`.
    before
        Called before each timed call, untimed: an empty table, a cold cache.
    floor
        The least the hardware can do (copying the bytes, reading the file), where one can be written down.
    repeats
        Timed calls of each side, at least three.
    """

    name: str
    n: int
    ours: Callable[[], Any]
    anchor: Callable[[], Any]
    anchor_name: str
    target: float
    agree: Callable[[Any, Any], str]
    before: Callable[[], Any] | None = None
    floor: Callable[[], Any] | None = None
    repeats: int = LEAST_REPEATS


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One claim without an opponent: our way ends within a time that is written down.

    Attributes
    ----------
    name, n, ours, before, repeats
        As of a `Contest`.
    budget_s
        Seconds allowed; the claim holds when ours takes at most that long.
    check
        Called once with the answer before anything is timed: says in a few words what was done, or raises
        `Disagreement`.
    """

    name: str
    n: int
    ours: Callable[[], Any]
    budget_s: float
    check: Callable[[Any], str]
    before: Callable[[], Any] | None = None
    repeats: int = LEAST_REPEATS


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """One claim about how good an answer is: a length, a share or a count, of which less is better.

    Attributes
    ----------
    name, n, anchor_name
        As of a `Contest`.
    measure
        Gives our number, the anchor's, and a few words on what was compared; raises `Disagreement` where the answers
        cannot be compared.
    unit
        Of both numbers.
    target
        The claim holds when the anchor's number is at least this many times ours.
    """

    name: str
    n: int
    measure: Callable[[], tuple[float, float, str]]
    anchor_name: str
    unit: str
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a contest ended with: medians in seconds, or numbers in a unit; a budget's anchor is the time allowed."""

    name: str
    n: int
    ours_s: float
    anchor_s: float
    anchor_name: str
    target: float
    agreement: str
    floor_s: float | None
    unit: str = "s"

    @property
    def ratio(self) -> float:
        """How many times as long the anchor takes, or as large its number is."""
        return self.anchor_s / self.ours_s

    @property
    def holds(self) -> bool:
        """Whether the ratio reaches the target."""
        return self.ratio >= self.target

    def line(self) -> str:
        """Return the claim as one line that a program can read: words apart by single spaces, none within a value."""
        unit = self.unit.replace(" ", "_")
        return (
            f"claim {self.name} n={self.n} ours={self.ours_s:.6g}{unit} anchor={self.anchor_s:.6g}{unit} "
            f"ratio={self.ratio:.4g} target={self.target:g} {'holds' if self.holds else 'short'}"
        )


def measure(contest: Contest) -> Claim:
    """Check that both sides agree, then time them in turns."""
    answers = []
    for side in (contest.ours, contest.anchor):
        _prepare(contest)
        answers.append(side())
    agreement = contest.agree(*answers)
    del answers
    times: dict[str, list[float]] = {"ours": [], "anchor": [], "floor": []}
    for _ in range(max(contest.repeats, LEAST_REPEATS)):
        times["ours"].append(_timed(contest, contest.ours))
        times["anchor"].append(_timed(contest, contest.anchor))
        if contest.floor is not None:
            times["floor"].append(_timed(contest, contest.floor))
    return Claim(
        name=contest.name,
        n=contest.n,
        ours_s=statistics.median(times["ours"]),
        anchor_s=statistics.median(times["anchor"]),
        anchor_name=contest.anchor_name,
        target=contest.target,
        agreement=agreement,
        floor_s=statistics.median(times["floor"]) if times["floor"] else None,
    )


def keep(budget: Budget) -> Claim:
    """Check the answer, then time it."""
    _prepare(budget)
    agreement = budget.check(budget.ours())
    times = [_timed(budget, budget.ours) for _ in range(max(budget.repeats, LEAST_REPEATS))]
    return Claim(
        name=budget.name,
        n=budget.n,
        ours_s=statistics.median(times),
        anchor_s=budget.budget_s,
        anchor_name="the time allowed",
        target=1.0,
        agreement=agreement,
        floor_s=None,
    )


def compare(quality: Quality) -> Claim:
    """Take both numbers once: they are the same in every run."""
    ours, anchor, agreement = quality.measure()
    return Claim(
        name=quality.name,
        n=quality.n,
        ours_s=ours,
        anchor_s=anchor,
        anchor_name=quality.anchor_name,
        target=quality.target,
        agreement=agreement,
        floor_s=None,
        unit=quality.unit,
    )


def main(
    contests: Callable[..., Iterable[Contest | Budget | Quality]], *, title: str, arguments: Sequence[str] | None = None
) -> int:
    """Settle every claim of one file, print the table and the claim lines; return 1 when a claim is short.

    Parameters
    ----------
    contests
        Called with ``quick=True`` or ``quick=False``. The quick set must end within 50 seconds; a run that does not
        says so and fails.
    """
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--quick", action="store_true", help=f"a smaller set, within {QUICK_BUDGET_S:.0f} seconds")
    quick = parser.parse_args(arguments).quick
    started = time.perf_counter()
    claims = []
    for contest in contests(quick=quick):
        against = f"{contest.budget_s:g} s" if isinstance(contest, Budget) else contest.anchor_name
        print(f"{contest.name} n={contest.n:,} against {against} ...", file=sys.stderr, flush=True)
        claims.append(_settled(contest))
    Console(width=140, soft_wrap=True).print(_table(title, claims))
    for claim in claims:
        print(claim.line(), flush=True)
    spent = time.perf_counter() - started
    if quick and spent > QUICK_BUDGET_S:
        print(f"--quick took {spent:.0f} s, more than {QUICK_BUDGET_S:.0f} s", file=sys.stderr)
        return 1
    return 0 if all(claim.holds for claim in claims) else 1


def _settled(contest: Contest | Budget | Quality) -> Claim:
    if isinstance(contest, Contest):
        return measure(contest)
    return keep(contest) if isinstance(contest, Budget) else compare(contest)


def _prepare(contest: Contest | Budget) -> None:
    if contest.before is not None:
        contest.before()
    gc.collect()


def _timed(contest: Contest | Budget, side: Callable[[], Any]) -> float:
    _prepare(contest)
    start = time.perf_counter()
    side()
    return time.perf_counter() - start


def _table(title: str, claims: Iterable[Claim]) -> Table:
    table = Table(title=title)
    for heading in ("claim", "n", "ours", "anchor", "", "ratio", "target", "floor", "agreement"):
        table.add_column(heading, justify="left" if heading in ("claim", "", "agreement") else "right")
    for claim in claims:
        table.add_row(
            claim.name,
            f"{claim.n:,}",
            *(_number(claim.ours_s, claim.unit), _number(claim.anchor_s, claim.unit)),
            claim.anchor_name,
            f"{claim.ratio:,.3g}x",
            f"{claim.target:g}x",
            "" if claim.floor_s is None else seconds(claim.floor_s),
            claim.agreement,
        )
    return table


def _number(value: float, unit: str) -> str:
    return seconds(value) if unit == "s" else f"{value:.4g} {unit}"


def seconds(value: float) -> str:
    """Return a time in the unit a person would use.

    Examples
    --------
    >>> seconds(0.00042), seconds(0.25), seconds(12)
    ('420 us', '250 ms', '12 s')
    """
    if value < 1e-3:
        return f"{value * 1e6:.3g} us"
    return f"{value * 1e3:.3g} ms" if value < 1 else f"{value:.3g} s"
