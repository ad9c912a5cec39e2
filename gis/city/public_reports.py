"""What the public may report, and the numbers behind it, from ``data/policy/public_reports.toml``.

A report is a place, a category and a time. It says nothing of whoever made it, and nothing of anybody else.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from gis.city.codebook import codebook
from gis.city.policy_rows import FOLDER, rows_in_force
from gis.contract.text import Text
from gis.errors import InvalidInput, Problem

FILE: Final = FOLDER / "public_reports.toml"
BOOK: Final = "incident_categories"
_NUMBERS: Final = ("seen.within_days", "twin.within_m", "twin.within_min", "kept.days")
_SERVICE_FIELDS: Final = {"code", "group", "keywords", "zh", "en"}


@dataclass(frozen=True, slots=True)
class ReportService:
    """A kind of matter that the public may report.

    Attributes
    ----------
    code
        Of the codebook of incident categories.
    keywords
        Other words for it, separated by commas.
    """

    code: str
    title: Text
    group: Text
    keywords: str
    description: Text


@dataclass(frozen=True, slots=True)
class ReportPolicy:
    """What may be reported, and for how long it counts as the same matter or is kept.

    Attributes
    ----------
    services
        Code -> service, in the order of the file.
    """

    services: Mapping[str, ReportService]
    seen_within: dt.timedelta
    twin_within_m: float
    twin_within: dt.timedelta
    kept: dt.timedelta


@cache
def report_policy(file: Path = FILE) -> ReportPolicy:
    """Return the policy of the newest rows.

    Raises
    ------
    InvalidInput
        Names everything in the file that cannot be used.
    """
    return report_policy_of(tomllib.loads(file.read_text(encoding="utf-8")))


def report_policy_of(told: Mapping[str, Any]) -> ReportPolicy:
    """Return the policy of a table as TOML gives it."""
    rows = rows_in_force(told, _NUMBERS)
    problems = [
        Problem("bad_value", "needed: a number above 0", id_)
        for id_, row in rows.items()
        if not isinstance(row.value, int | float) or isinstance(row.value, bool) or row.value <= 0
    ]
    book, services = codebook(BOOK), {}
    for number, entry in enumerate(told.get("service", ()), start=1):
        lacking = sorted(_SERVICE_FIELDS - entry.keys())
        if lacking:
            problems.append(Problem("missing_value", f"the service has no {', '.join(lacking)}", rows=(number,)))
        elif entry["code"] not in book:
            problems.append(Problem("unknown_code", f"not a code of the codebook '{BOOK}'", entry["code"], (number,)))
        else:
            group = Text(entry["group"]["zh"], entry["group"]["en"])
            words = Text(entry["zh"], entry["en"])
            services[entry["code"]] = ReportService(entry["code"], book[entry["code"]], group, entry["keywords"], words)
    if problems:
        raise InvalidInput("this policy cannot be used", problems)
    days, metres, minutes, kept = (float(rows[id_].value) for id_ in _NUMBERS)
    return ReportPolicy(
        MappingProxyType(services), dt.timedelta(days=days), metres, dt.timedelta(minutes=minutes), dt.timedelta(kept)
    )
