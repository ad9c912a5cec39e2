"""``wangge audit``: who did what, and whether the log of it is whole."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from api.console import EXIT_FAILED, Commands, err, out
from gis.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from gis.store.audit import Anchor, Fault, Row

app = typer.Typer(
    cls=Commands, help="The audit log: who did what, and whether the log of it is whole.", no_args_is_help=True
)

FAULTS: Final = {
    "hash": "was edited: it is not what its hash was made of",
    "link": "does not follow the row before it",
    "gap": "rows before it are missing",
    "beginning": "rows before it are missing, and no row about retention accounts for them",
    "tail": "is known outside, and the log ends before it",
    "rewritten": "is known outside, and is another one: the log was rewritten",
}
MOST_TOLD: Final = 20


@app.command("list")
def list_(
    *,
    since: Annotated[str | None, typer.Option(help="A day or an instant, such as 2026-01-31.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this account did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, such as export or denied.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many rows.")] = 50,
) -> None:
    """List rows of the log, the newest first. Times are in UTC.

    **Example:** `wangge audit list --since 2026-01-01 --action export`
    """
    from api.opening import opened
    from gis.store import audit

    known = next((each for each in audit.ACTIONS if each == action), None)
    if action is not None and known is None:
        problem = Problem("unknown_action", f"must be one of {', '.join(audit.ACTIONS)}", "action")
        raise InvalidInput("there is no such action", [problem])
    start = None if since is None else _instant(since)
    with opened() as store:
        found = audit.read(store, since=start, actor=actor, actions=[known] if known else None, limit=limit)
    for row in found:
        # A line a row, as long as it is: a table of this would be cut off at the edge of the terminal.
        out.print(_line(row), markup=False, highlight=False, soft_wrap=True)


def _line(row: Row) -> str:
    who = f"{row.account} ({row.role})" if row.account else row.role
    more = (
        "" if row.rows_count is None else f"{row.rows_count:,} rows",
        row.filter or "",
        row.bbox or "",
        f'"{row.purpose}"' if row.purpose else "",
        "" if row.detail == "{}" else row.detail,
    )
    at = f"{row.at.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"
    return "  ".join((str(row.seq), at, who, row.action, row.object, *(text for text in more if text)))


@app.command()
def verify(
    *,
    anchor: Annotated[
        Path | None,
        typer.Option(help="A file of anchors, of 'wangge audit head' or of another machine; else the worker's own."),
    ] = None,
) -> None:
    """Check every row against the one before, and the end against what was kept of it outside. Exits 1 when it fails.

    **Example:** `wangge audit verify --anchor /mnt/safe/anchors.jsonl`
    """
    from api.opening import opened
    from gis.store import audit

    with opened() as store:
        report = audit.verify(store, _anchors(anchor))
    span = f", rows {report.first} to {report.last}" if report.rows_count else ""
    out.print(f"{report.rows_count:,} rows{span}; {report.anchors_count} anchors compared", markup=False)
    if report.is_whole:
        if not report.anchors_count:
            err.print("Nothing outside was compared: a cut or rewritten log would not show.", markup=False)
        out.print("The log is whole.", markup=False)
        return
    for fault in report.faults[:MOST_TOLD]:
        out.print(_sentence(fault), markup=False)
    if len(report.faults) > MOST_TOLD:
        out.print(f"and {len(report.faults) - MOST_TOLD:,} more", markup=False)
    raise typer.Exit(EXIT_FAILED)


@app.command()
def head() -> None:
    """Print the end of the log as a line to keep outside: on paper, on another machine.

    **Example:** `wangge audit head >> /mnt/safe/anchors.jsonl`
    """
    from api.opening import opened
    from gis.store import audit

    with opened() as store:
        line = audit.anchored(audit.head(store))
    out.print(line, markup=False, highlight=False, soft_wrap=True)


@app.command()
def retain(
    *, months: Annotated[int, typer.Option(help="What is older goes; logs must be kept for 6 months at least.")]
) -> None:
    """Take away what is older than some months, from the front of the log alone; a row tells of it.

    **Example:** `wangge audit retain --months 36`
    """
    from api.opening import opened
    from gis.store import audit

    with opened() as store:
        gone = audit.retain(store, months=months)
    out.print(f"{gone:,} rows are gone; the log goes on from the hash of the last of them", markup=False)


def _anchors(path: Path | None) -> list[Anchor]:
    from gis.store import audit

    if path is not None:
        return audit.anchors_of(path)
    own = audit.anchor_file()
    return audit.anchors_of(own) if own.is_file() else []


def _sentence(fault: Fault) -> str:
    return f"row {fault.seq} {FAULTS[fault.kind]} ({fault.kind})"


def _instant(text: str) -> dt.datetime:
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        problem = Problem("bad_instant", "must be a day or an instant, such as 2026-01-31", "since")
        raise InvalidInput("the time cannot be read", [problem]) from None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
