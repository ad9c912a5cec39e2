"""What is kept of the log outside the database: its end, hour by hour, so that a cut or rewritten log shows.

One JSON object a line; a line can be checked with the key alone, and holds the code of the line before it.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gis.errors import InvalidInput, NotFound, Problem, StoreUnavailable
from gis.store.settings import settings

if TYPE_CHECKING:
    from gis.store.engine import Store

EVERY: Final = dt.timedelta(hours=1)
NAME: Final = "audit-anchor.jsonl"
_HASH_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of the log at a time: its last row's number and hash."""

    seq: int
    hash: bytes
    at: dt.datetime

    def as_dict(self) -> dict[str, Any]:
        """Return it as a line of the file has it, without a code."""
        return {"sequence": self.seq, "hash": self.hash.hex(), "time": self.at.astimezone(dt.UTC).isoformat()}


def anchor_file() -> Path:
    """Return where anchors are kept: ``WANGGE_AUDIT_ANCHOR``, else a file in the data folder."""
    return settings().audit_anchor or settings().data_dir / NAME


def anchored(anchor: Anchor, *, before: str = "") -> str:
    """Return the line of an anchor; with a key in the settings it holds a code that goes on from the one `before`."""
    told = anchor.as_dict()
    key = settings().audit_anchor_key.get_secret_value()
    return json.dumps({**told, "mac": _mac(told, before, key)} if key else told)


def _mac(told: dict[str, Any], before: str, key: str) -> str:
    text = json.dumps([before, told["sequence"], told["hash"], told["time"]])
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def read_anchors(lines: Iterable[str]) -> list[Anchor]:
    """Return the anchors of a file's lines.

    Raises
    ------
    InvalidInput
        A line is none, or its code is not what the key of the settings makes of it; names them all.
    """
    key = settings().audit_anchor_key.get_secret_value()
    found, problems, before = [], [], ""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
            anchor = Anchor(int(told["sequence"]), bytes.fromhex(told["hash"]), dt.datetime.fromisoformat(told["time"]))
            if len(anchor.hash) != _HASH_BYTES:
                raise ValueError(line)  # noqa: TRY301 - one place says what is wrong with a line
        except (ValueError, KeyError, TypeError):
            problems.append(Problem("bad_anchor", "is no anchor", f"line {number}"))
            continue
        mac = str(told.get("mac", ""))
        if key and not hmac.compare_digest(mac, _mac(anchor_as(told), before, key)):
            problems.append(Problem("forged_anchor", "its code does not belong to it", f"line {number}"))
        found.append(anchor)
        before = mac
    if problems:
        raise InvalidInput("the anchors cannot be trusted", problems)
    return found


def anchor_as(told: dict[str, Any]) -> dict[str, Any]:
    """Return those members of a line that its code is made of."""
    return {name: told[name] for name in ("sequence", "hash", "time")}


def anchors_of(path: Path) -> list[Anchor]:
    """Return the anchors of a file; NotFound when there is none."""
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    return read_anchors(path.read_text(encoding="utf-8").splitlines())


def anchor_hourly(store: Store) -> bool:
    """Keep the end of the log outside the database, unless that was done within the hour; return whether it was done.

    Several workers may ask at once; one of them writes.

    Raises
    ------
    StoreUnavailable
        The file cannot be written, or the log cannot be read.
    """
    path = anchor_file()
    if path.is_file() and time.time() - path.stat().st_mtime < EVERY.total_seconds():
        return False
    try:
        return _keep(path, store)
    except OSError as error:
        raise StoreUnavailable(f"the end of the audit log cannot be kept in {path}: {error.strerror}") from error


def _keep(path: Path, store: Store) -> bool:
    from gis.store.audit.book import head

    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = [line for line in file.read().splitlines() if line.strip()]
        last = json.loads(lines[-1]) if lines else {}
        now = dt.datetime.now(dt.UTC)
        if last and now - dt.datetime.fromisoformat(last["time"]) < EVERY:
            return False
        file.write(anchored(head(store), before=str(last.get("mac", ""))) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return True
