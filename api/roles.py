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
    return known_desk(request.headers.get(HEADER, DESKS[0]), named=HEADER)


def known_desk(text: str, *, named: str = "--desk") -> str:
    """Return a desk as it is called here; `InvalidInput` lists those there are."""
    desk = text.strip().lower()
    if desk not in DESKS:
        problem = Problem(
            "unknown_desk", f"must be one of {', '.join(DESKS)}", named, zh=f"须为 {'、'.join(DESKS)} 之一"
        )
        raise InvalidInput("there is no such desk", [problem], zh="没有该岗位")
    return desk


DeskDep = Annotated[str, Depends(desk_of)]
