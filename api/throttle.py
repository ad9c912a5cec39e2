"""How often somebody may be wrong: failed attempts to sign in, counted by account and by address."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from api.logs import log
from gis.errors import TooMany

WINDOW_S: Final = 900.0
FROM_ONE_PLACE: Final = 5
"""Failures of one account from one address within the window; then that address waits."""
OF_ONE_ACCOUNT: Final = 50
"""Failures of one account from anywhere."""
OF_ONE_ADDRESS: Final = 50
"""Failures from one address, of whatever accounts."""
KEPT: Final = 20_000

Key = tuple[str, str]


class Throttle:
    """Counts failures in the memory of this process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: OrderedDict[Key, deque[float]] = OrderedDict()

    def check(self, account: str, address: str) -> None:
        """Refuse another attempt where there were too many failures.

        Raises
        ------
        TooMany
            Says how long to wait.
        """
        waits = [self._wait_s(key, limit) for key, limit in _limits(account, address)]
        if (wait_s := max(waits)) > 0:
            log().warning("slowed", by="failures")
            raise TooMany("too many attempts to sign in failed; try again later", wait_s)

    def failed(self, account: str, address: str) -> None:
        """Count a failure."""
        for key, limit in _limits(account, address):
            times = self._failures.setdefault(key, deque(maxlen=limit))
            times.append(self._now())
            self._failures.move_to_end(key)
        while len(self._failures) > KEPT:
            self._failures.popitem(last=False)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the failures of an account from an address that has now proven itself."""
        self._failures.pop((account, address), None)

    def _wait_s(self, key: Key, limit: int) -> float:
        """Return how long until fewer than `limit` failures lie within the window."""
        times = self._failures.get(key)
        if times is None or len(times) < limit:
            return 0.0
        return times[0] + WINDOW_S - self._now()


def _limits(account: str, address: str) -> tuple[tuple[Key, int], ...]:
    return (
        ((account, address), FROM_ONE_PLACE),
        ((account, ""), OF_ONE_ACCOUNT),
        (("", address), OF_ONE_ADDRESS),
    )
