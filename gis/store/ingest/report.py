"""What an import did, or would do, and everything that is wrong with the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from gis.errors import FrameMismatch, Problem

State = Literal["staged", "applied", "already_applied", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """The outcome of one import.

    Attributes
    ----------
    state
        ``applied``; ``staged`` after a dry run; ``already_applied`` when the same file had been imported before and
        nothing was changed; ``refused`` when nothing was taken over.
    rows_read, rows_bad
        Rows of the file, and those with at least one problem.
    merged
        Rows that `dissolve` united with another one.
    inserted, updated, unchanged
        What became of the good rows; all 0 until applied.
    kept
        Good rows left out because they were edited here since, and the source says of them what it said before.
    withheld
        Rows taken without a place, because the source keeps it to itself.
    problems
        Everything that is wrong, one entry a code and column; of the header first.
    warnings
        What was taken with an assumption.
    fields
        Column -> field it came from.
    """

    batch_id: int
    city: str
    frame: str
    source: str
    state: State
    crs: str = ""
    rows_read: int = 0
    rows_bad: int = 0
    merged: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    kept: int = 0
    withheld: int = 0
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether nothing was taken over because of the problems."""
        return self.state == "refused"

    def raise_if_refused(self) -> None:
        """Raise `FrameMismatch` with every problem when the file was refused."""
        if self.refused:
            raise FrameMismatch(f"{self.frame}: the file is refused, nothing was changed", self.problems)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON-ready values."""
        return {
            **asdict(self),
            "fields": dict(self.fields),
            "problems": [problem.as_dict() for problem in self.problems],
            "warnings": [problem.as_dict() for problem in self.warnings],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ImportReport:
        """Return the report written by `as_dict`."""
        lists = {
            name: tuple(Problem(**{**problem, "rows": tuple(problem["rows"])}) for problem in values[name])
            for name in ("problems", "warnings")
        }
        return cls(**{**values, **lists})
