"""In which role a request acts, and the desks that the command line speaks for.

A role is a function in the house, never a person; plans say it of those who made, handed in and approved them.
"""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Depends
from starlette.requests import Request

from api.visitors import Visitor, visitor_of
from gis.errors import InvalidInput, Problem

DESKS: Final = ("planner", "supervisor", "officer", "analyst")


async def desk_of(request: Request) -> str:
    """Return the role that a request acts in."""
    return visitor_of(request).role


async def _visitor(request: Request) -> Visitor:
    return visitor_of(request)


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
VisitorDep = Annotated[Visitor, Depends(_visitor)]
