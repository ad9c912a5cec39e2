"""What the result of a service tells of single places of a frame: whoever does not see the frame must not read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tells:
    """A frame whose single places are rows of a service's result, or can be read off its numbers.

    Sums over areas that nobody chooses as small as one place do not count.

    Attributes
    ----------
    frame
        Id of the frame.
    when
        Parameter of the run and its value with which it is so. Such a run is refused to whoever does not see the frame.
        None where it is so of every run that is given the frame; it is computed without the frame for whoever does not
        see that, where the service can do without.
    rows
        Column and value of the rows that are those places, where others stand beside them; None where all are.
    in_rows
        Whether rows are those places at all; else it is the numbers of the run that tell of them.

    Examples
    --------
    >>> Tells("rentals", when=("demand", "rentals")).of({"demand": "households"})
    False
    >>> Tells("rentals", rows=("role", "rental")).of({"around_m": 200})
    True
    """

    frame: str
    when: tuple[str, str] | None = None
    rows: tuple[str, str] | None = None
    in_rows: bool = True

    def of(self, parameters: Mapping[str, Any]) -> bool:
        """Return whether a run with these parameters, defaults included, tells of the frame."""
        return self.when is None or parameters.get(self.when[0]) == self.when[1]
