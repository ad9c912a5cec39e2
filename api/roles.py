"""Who acts: the desk that a request speaks for.

There are no accounts yet: the server listens on this machine only, and a request says itself which desk it comes from.
A desk is a function in the house, never a person.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from gis.errors import InvalidInput, Problem

HEADER: Final = "wangge-desk"
DESKS: Final = ("planner", "supervisor", "officer", "analyst")


def desk_of(request: Request) -> str:
    """Return the desk that a request speaks for, the planner's when it says nothing."""
    desk = request.headers.get(HEADER, DESKS[0]).strip().lower()
    if desk not in DESKS:
        raise InvalidInput(
            "there is no such desk", [Problem("unknown_desk", f"must be one of {', '.join(DESKS)}", HEADER)]
        )
    return desk


DeskDep = Annotated[str, Depends(desk_of)]
