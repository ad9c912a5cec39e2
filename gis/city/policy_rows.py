"""Rows of a policy table: every number that is a choice, dated, with its source.

A table lives as TOML in ``data/policy``, so that a city can read and change it without programming. A row is in force
from its day on, until a newer one of the same id.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from gis.contract.text import Text
from gis.errors import InvalidInput, Problem

FOLDER: Final = Path(__file__).parents[2] / "data" / "policy"
Status = Literal["read", "choice", "unconfirmed"]
_FIELDS = {"id", "value", "valid_from", "status", "zh", "en", "source"}


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One number of a policy, in force from a day on."""

    id: str
    value: Any
    valid_from: dt.date
    status: Status
    title: Text
    source: str


def policy_digests(names: Iterable[str], folder: Path = FOLDER) -> dict[str, str]:
    """Return the digest of each of some tables as it is written now, by the name of its file."""
    return {name: hashlib.sha256((folder / f"{name}.toml").read_bytes()).hexdigest()[:16] for name in names}


def rows_in_force(
    told: Mapping[str, Any], known: Collection[str], *, day: dt.date | None = None
) -> dict[str, PolicyRow]:
    """Return the rows of a policy table that are in force on a day, id -> row; the newest ones without a day.

    Parameters
    ----------
    told
        The table as TOML gives it: rows under ``row``.
    known
        The ids that the policy needs, all of them and no others.

    Raises
    ------
    InvalidInput
        Names every row that is missing, unknown or incomplete.
    """
    rows: dict[str, PolicyRow] = {}
    problems: list[Problem] = []
    for number, row in enumerate(told.get("row", ()), start=1):
        lacking = _FIELDS - row.keys()
        if lacking:
            problems.append(Problem("missing_value", f"the row has no {', '.join(sorted(lacking))}", rows=(number,)))
        elif row["id"] not in known:
            problems.append(Problem("unknown_row", "no rule asks for this number", row["id"], (number,)))
        elif day is None or row["valid_from"] <= day:
            older = rows.get(row["id"])
            if older is None or older.valid_from <= row["valid_from"]:
                text = Text(row["zh"], row["en"])
                rows[row["id"]] = PolicyRow(
                    row["id"], row["value"], row["valid_from"], row["status"], text, row["source"]
                )
    problems += [Problem("missing_row", "no row is in force", id_) for id_ in sorted(set(known) - rows.keys())]
    if problems:
        raise InvalidInput("this policy cannot be used", problems)
    return rows
