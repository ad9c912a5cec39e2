"""What is wrong with which rows of a file, and the summary a person reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gis.contract.frame import EXAMPLE_ROWS
from gis.errors import Problem

SHOWN_MESSAGES = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of mistake in one column.

    Attributes
    ----------
    message
        One sentence for all rows. Never holds a personal value.
    field
        Column, ``geometry``, or empty for the row as a whole.
    rows : (k,) int64 row numbers
    messages
        A sentence a row (k,), where they differ.
    """

    code: str
    message: str
    field: str
    rows: np.ndarray
    messages: tuple[str, ...] | None = None

    def without(self, rows: np.ndarray) -> Fault:
        """Return the fault without some rows."""
        keep = ~np.isin(self.rows, rows)
        if keep.all():
            return self
        texts = None if self.messages is None else tuple(m for m, k in zip(self.messages, keep, strict=True) if k)
        return Fault(self.code, self.message, self.field, self.rows[keep], texts)

    def sentences(self) -> tuple[str, ...]:
        """Return one sentence a row (k,)."""
        return self.messages if self.messages is not None else (self.message,) * self.rows.size


def summarise(faults: Iterable[Fault]) -> list[Problem]:
    """Return one problem a code and column, with how many rows it concerns and the first of them."""
    groups: dict[tuple[str, str], list[Fault]] = {}
    for fault in faults:
        groups.setdefault((fault.field, fault.code), []).append(fault)
    problems = []
    for (name, code), group in groups.items():
        rows = np.concatenate([fault.rows for fault in group])
        texts = list(dict.fromkeys(text for fault in group for text in fault.sentences()[:1000]))
        problems.append(
            Problem(code, _joined(texts), name, tuple(map(int, np.sort(rows)[:EXAMPLE_ROWS])), int(rows.size))
        )
    return problems


def _joined(texts: list[str]) -> str:
    more = f"; and {len(texts) - SHOWN_MESSAGES} more" if len(texts) > SHOWN_MESSAGES else ""
    return "; ".join(texts[:SHOWN_MESSAGES]) + more
