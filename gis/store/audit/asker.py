"""On whose behalf something happens, for as long as it happens: a request, a command, the clock of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final

SERVER: Final = "server"
"""The role of what nobody asked for."""
CONSOLE: Final = "console"
"""The role of whoever runs commands at the machine itself."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks.

    Attributes
    ----------
    role
        That it is asked in; ``console`` or ``server`` where no account is.
    account
        The account's name at that time.
    areas
        Ids of all areas that the scope covers; None for a whole city.
    purpose
        What it is for, where that was asked.
    """

    role: str = SERVER
    account_id: int | None = None
    account: str | None = None
    areas: tuple[int, ...] | None = None
    request_id: str | None = None
    purpose: str | None = None


@dataclass(slots=True)
class Trail:
    """One asker's doings: who it is, as far as is known by now, and how much has been written down."""

    asker: Asker = field(default_factory=Asker)
    written: int = 0


_TRAIL: ContextVar[Trail | None] = ContextVar("wangge_audit_trail", default=None)


def trail() -> Trail:
    """Return the trail at hand; one of the server itself where nobody asks."""
    return _TRAIL.get() or Trail()


@contextmanager
def asking(asker: Asker | Trail) -> Iterator[Trail]:
    """Let what happens within be done on behalf of somebody; threads that copy the context too."""
    mine = asker if isinstance(asker, Trail) else Trail(asker)
    token = _TRAIL.set(mine)
    try:
        yield mine
    finally:
        _TRAIL.reset(token)
