"""Codes of grids: the community's code and a serial that was never used before."""

from __future__ import annotations

from collections.abc import Collection

from gis.errors import Infeasible

SERIAL_DIGITS = 3


def next_code(community_code: str, used: Collection[str]) -> str:
    """Return the code of a new grid of a community: one beyond the highest serial it has ever had.

    Parameters
    ----------
    used
        Every code in use, and those of grids that have ended: a code never comes back.

    Examples
    --------
    >>> next_code("320508017003", {"320508017003001", "320508017003004", "320508017004009"})
    '320508017003005'
    """
    length = len(community_code) + SERIAL_DIGITS
    serials = [
        int(code[len(community_code) :])
        for code in used
        if len(code) == length and code.startswith(community_code) and code[len(community_code) :].isdigit()
    ]
    serial = max(serials, default=0) + 1
    if serial >= 10**SERIAL_DIGITS:
        raise Infeasible(
            f"community {community_code} has used up its grid codes", zh=f"社区 {community_code} 的网格编码已用尽"
        )
    return f"{community_code}{serial:0{SERIAL_DIGITS}d}"
