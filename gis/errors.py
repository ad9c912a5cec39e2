"""The error tree: every failure a caller can meet, by who can mend it.

GridError
|- InvalidInput (ValueError)    the caller can fix it; carries every problem at once
|  |- FrameMismatch             a table does not keep its contract
|  |- CrsMissing                coordinates without a declared reference system
|  |- InvalidParams             a service was asked with parameters it cannot take
|  `- UnsupportedMedia          a file of a kind that is not read here
|- NotFound (LookupError)
|- SignInNeeded                 nobody has signed in
|- Forbidden
|- TooMany                      too many attempts; says when to try again
|- TooLarge                     more bytes, rows or vertices than the stated limit
|- Conflict                     changed since it was read, or already running
|- PlanRuleBroken               names the grids to highlight
|- Infeasible                   nothing satisfies the limits; says which limit
`- StoreUnavailable             PostGIS is away, or a statement timed out
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is and how to mend it.

    Attributes
    ----------
    code
        Stable machine-readable name, ``snake_case``.
    message
        One sentence for a person. Never holds a refused personal value.
    field
        Column or parameter, empty when it concerns the whole.
    rows
        Row numbers of the source (from 1, header not counted), at most a handful as examples.
    count
        How many rows are affected; 0 when rows do not apply.
    zh
        The message in Chinese, where it is said in both languages.
    """

    code: str
    message: str
    field: str = ""
    rows: tuple[int, ...] = ()
    count: int = 0
    zh: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the problem as plain JSON-ready values; ``zh`` only where it is said."""
        plain: dict[str, object] = {**asdict(self), "rows": list(self.rows)}
        if not self.zh:
            del plain["zh"]
        return plain


class GridError(Exception):
    """Root of every error wangge raises on purpose.

    Attributes
    ----------
    zh
        The message in Chinese, empty where it is said in English alone.
    """

    def __init__(self, message: str = "", *, zh: str = "") -> None:
        super().__init__(message)
        self.zh = zh


class InvalidInput(GridError, ValueError):
    """The caller can fix it; `problems` names everything that is wrong at once."""

    def __init__(self, message: str, problems: Iterable[Problem] = (), *, zh: str = "") -> None:
        self.problems = tuple(problems)
        lines = [message, *(f"  - {p.field + ': ' if p.field else ''}{p.message}" for p in self.problems)]
        super().__init__("\n".join(lines), zh=zh)
        self.message = message


class FrameMismatch(InvalidInput):
    """A table does not keep its contract."""


class CrsMissing(InvalidInput):
    """Coordinates came without a declared reference system."""


class InvalidParams(InvalidInput):
    """A service was asked with parameters it cannot take."""


class UnsupportedMedia(InvalidInput):
    """A file of a kind that is not read here."""


class NotFound(GridError, LookupError):
    """Nothing of that name exists, or it is outside the caller's area."""


class Forbidden(GridError):
    """The caller's role does not allow this."""


class SignInNeeded(GridError):
    """Nobody has signed in, or the proof is no longer good."""


class TooMany(GridError):
    """Too many attempts; `wait_s` says when to try again."""

    def __init__(self, message: str, wait_s: float = 1.0, *, zh: str = "") -> None:
        super().__init__(message, zh=zh)
        self.wait_s = wait_s


class TooLarge(GridError):
    """More bytes, rows or vertices than the stated limit."""


class Conflict(GridError):
    """It changed since it was read, or is already running."""


class PlanRuleBroken(GridError):
    """A plan breaks a rule; `grids` names what to highlight."""

    def __init__(self, message: str, grids: Iterable[str] = (), *, zh: str = "") -> None:
        super().__init__(message, zh=zh)
        self.grids = tuple(grids)


class Infeasible(GridError):
    """No plan, route or siting satisfies the limits; the message says which limit."""


class StoreUnavailable(GridError):
    """PostGIS is away, or a statement timed out."""
