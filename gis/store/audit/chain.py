"""The chain: each row holds the hash of the row before, so that none can be changed or taken out unnoticed."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain as joined
from typing import Final, Literal

from gis.store.audit.anchor import Anchor
from gis.store.audit.book import head, walk
from gis.store.audit.entry import Row
from gis.store.engine import Store

GENESIS: Final = bytes(32)
"""What the first row has in the place of the hash before it."""
Kind = Literal["hash", "link", "gap", "beginning", "tail", "rewritten"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Where the chain does not hold.

    Attributes
    ----------
    kind
        ``hash``: a row was edited. ``gap``: rows are missing before it. ``link``: it does not follow the row before it.
        ``beginning``: rows are missing at the front that no row about retention accounts for. ``tail``: the log ends
        before a row that an anchor knows. ``rewritten``: a row is another one than an anchor knows.
    """

    kind: Kind
    seq: int


@dataclass(frozen=True, slots=True)
class Report:
    """What checking the chain found.

    Attributes
    ----------
    anchors_count
        Anchors that were compared; those before the first row cannot be.
    """

    rows_count: int
    first: int | None
    last: int | None
    anchors_count: int
    faults: tuple[Fault, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.faults


def digest(row: Row) -> bytes:
    """Return the hash of a row: SHA-256 of the hash before it and of its values, each behind its length.

    The function ``audit.digest`` of the database computes the same.
    """
    at = row.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    values: tuple[object, ...] = (
        row.seq, at, row.account_id, row.account, row.role, row.action, row.object, row.city_id,
        None if row.areas is None else ",".join(map(str, row.areas)), row.bbox, row.filter, row.rows_count,
        row.purpose, row.request_id, row.detail,
    )  # fmt: skip
    return hashlib.sha256(row.previous + b"".join(map(_field, values))).digest()


def _field(value: object) -> bytes:
    if value is None:
        return b"-"
    text = str(value).encode()
    return b"%d:%b" % (len(text), text)


def check(rows: Iterable[Row], anchors: Sequence[Anchor] = (), *, is_whole: bool = True) -> Report:
    """Return where a chain does not hold, against itself and against what was kept of it outside.

    Parameters
    ----------
    rows
        In their order.
    is_whole
        Whether they are all there should be; else the first one may have others before it.
    """
    known = _by_seq(anchors)
    faults: list[Fault] = []
    retained: dict[int, str] = {}
    first, last, count = None, None, 0
    for row in rows:
        count += 1
        if last is None:
            first = row
        elif row.seq != last.seq + 1:
            faults.append(Fault("gap", row.seq))
        elif row.previous != last.hash:
            faults.append(Fault("link", row.seq))
        if digest(row) != row.hash:
            faults.append(Fault("hash", row.seq))
        if any(anchor.hash != row.hash for anchor in known.get(row.seq, ())):
            faults.append(Fault("rewritten", row.seq))
        if row.action == "retention":
            told = json.loads(row.detail)
            retained[told["up_to"]] = told["hash"]
        last = row
    if is_whole and first is not None and not _begins_well(first, retained):
        faults.insert(0, Fault("beginning", first.seq))
    end = last.seq if last else 0
    faults += [Fault("tail", seq) for seq in sorted(known) if seq > end]
    compared = sum(len(kept) for seq, kept in known.items() if first is None or seq >= first.seq)
    return Report(count, first.seq if first else None, last.seq if last else None, compared, tuple(faults))


def _begins_well(first: Row, retained: dict[int, str]) -> bool:
    if first.seq == 1:
        return first.previous == GENESIS
    return retained.get(first.seq - 1) == first.previous.hex()


def _by_seq(anchors: Iterable[Anchor]) -> dict[int, list[Anchor]]:
    found: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        if anchor.seq:
            found.setdefault(anchor.seq, []).append(anchor)
    return found


def verify(store: Store, anchors: Sequence[Anchor] = (), *, newest: int | None = None) -> Report:
    """Check the log of a database.

    It is read piece by piece; rows that are added meanwhile are checked too, so that anchors must be read before.

    Parameters
    ----------
    newest
        Only about so many rows at its end; all of them when not given.
    """
    after = 0 if newest is None else max(head(store).seq - newest, 0)
    return check(joined.from_iterable(_pieces(store, after)), anchors, is_whole=after == 0)


def _pieces(store: Store, after: int) -> Iterator[list[Row]]:
    while piece := walk(store, after=after):
        yield piece
        after = piece[-1].seq
