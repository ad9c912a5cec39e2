"""The roles there are: what somebody is in the house when they ask, never who they are."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

from gis.contract.text import Text
from gis.errors import InvalidInput, Problem

Role = Literal["public", "officer", "analyst", "planner", "supervisor", "admin"]

ROLES: Final[tuple[Role, ...]] = get_args(Role)
GRANTABLE: Final[tuple[Role, ...]] = tuple(role for role in ROLES if role != "public")
"""Everybody is ``public`` without a grant."""
TITLES: Final[Mapping[Role, Text]] = MappingProxyType(
    {
        "public": Text("公众", "Public"),
        "officer": Text("执勤岗", "Officer"),
        "analyst": Text("分析岗", "Analyst"),
        "planner": Text("规划岗", "Planner"),
        "supervisor": Text("审批岗", "Supervisor"),
        "admin": Text("管理员", "Administrator"),
    }
)


def grantable_role(text: str) -> Role:
    """Return a role that can be granted; `InvalidInput` lists them."""
    found = next((role for role in GRANTABLE if role == text), None)
    if found is None:
        problem = Problem("unknown_role", f"must be one of {', '.join(GRANTABLE)}", "role")
        raise InvalidInput("there is no such role", [problem])
    return found
