"""Spatial services for grid governance, usable in a notebook without server or database.

>>> import gis
>>> "hotspots" in gis.services()
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# Imported first: Python binds a package's name here once, and `services` is to be the function.
import gis.services  # noqa: F401
from gis.contract.service import Service, service, services

if TYPE_CHECKING:
    from gis.city.city import City

__all__ = ["City", "Service", "service", "services"]


def __getattr__(name: str) -> object:
    """Return `City`, or the service called `name`, importing it on first use."""
    if name == "City":
        from gis.city.city import City

        return City
    if not name.startswith("_") and name in services():
        return service(name)
    raise AttributeError(f"module 'gis' has no attribute '{name}'")


def __dir__() -> list[str]:
    """List the names above and every service."""
    return sorted([*__all__, *services()])
