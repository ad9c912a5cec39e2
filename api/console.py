"""How the command line speaks: progress bars, tables, and errors as lists a person can work through."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text as Words
from typer.core import TyperGroup
from typer.exceptions import Abort, Exit, TyperException

from gis.errors import GridError, InvalidInput, NotFound, Problem, StoreUnavailable, TooLarge

out: Final = Console()
err: Final = Console(stderr=True)

EXIT_FAILED: Final = 1
EXIT_INVALID: Final = 2

Report = Callable[[float, str], None]


class Commands(TyperGroup):
    """A group of commands whose errors are sentences, never tracebacks (``WANGGE_DEBUG=1`` shows them)."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command; exit 2 when the caller can fix it, 1 when not."""
        try:
            return super().invoke(ctx)
        except (Exit, Abort, TyperException):
            raise
        except GridError as error:
            if os.environ.get("WANGGE_DEBUG"):
                raise
            complain(error)
            raise typer.Exit(EXIT_INVALID if _is_callers(error) else EXIT_FAILED) from None
        except KeyboardInterrupt:
            err.print("stopped")
            raise typer.Exit(130) from None
        except Exception as error:
            if os.environ.get("WANGGE_DEBUG"):
                raise
            err.print(Words(f"error: {type(error).__name__}: {error}", style="bold red"))
            err.print("This is a bug of wangge. WANGGE_DEBUG=1 shows where it happened.")
            raise typer.Exit(EXIT_FAILED) from None


def _is_callers(error: GridError) -> bool:
    return isinstance(error, InvalidInput | NotFound | TooLarge)


def complain(error: GridError) -> None:
    """Print an error and every problem it carries to stderr."""
    message = error.message if isinstance(error, InvalidInput) else str(error)
    err.print(Words(f"error: {message}", style="bold red"))
    if isinstance(error, InvalidInput):
        for problem in error.problems:
            err.print(Words(f"  - {sentence(problem)}"))
    if isinstance(error, StoreUnavailable):
        err.print("  'wangge db status' tells more")


def sentence(problem: Problem) -> str:
    """Return a problem as one line.

    Examples
    --------
    >>> sentence(Problem("wrong_kind", "not a valid date", "valid_from", (3, 9), 2))
    'valid_from: not a valid date (2 rows, such as 3, 9)'
    """
    where = f"{problem.field}: " if problem.field else ""
    if not problem.count:
        return where + problem.message
    rows = "row" if problem.count == 1 else "rows"
    examples = f", such as {', '.join(map(str, problem.rows))}" if problem.rows else ""
    return f"{where}{problem.message} ({problem.count:,} {rows}{examples})"


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table to stdout."""
    out.print(Words(title, style="bold"), soft_wrap=True)
    drawn = Table(header_style="bold")
    for column in columns:
        drawn.add_column(column)
    for row in rows:
        drawn.add_row(*(Words("" if value is None else str(value)) for value in row))
    out.print(drawn)


def facts(title: str, values: Mapping[str, object]) -> None:
    """Print names and values to stdout."""
    out.print(Words(title, style="bold"), soft_wrap=True)
    drawn = Table(show_header=False)
    for name, value in values.items():
        drawn.add_row(name, Words("" if value is None else str(value)))
    out.print(drawn)


@contextmanager
def progress(title: str) -> Iterator[Report]:
    """Show a progress bar on stderr; the block is given the function that moves it (share 0-1, message)."""
    with Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[message]}", markup=False),
        console=err,
    ) as bar:
        task = bar.add_task(title, total=1.0, message="")

        def report(share: float, message: str) -> None:
            bar.update(task, completed=share, message=message)

        yield report
        bar.update(task, completed=1.0, message="")
