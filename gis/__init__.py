"""Spatial services for grid governance, usable in a notebook without server or database.

>>> import gis
>>> "hotspots" in gis.services()
True
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

# Imported first: Python binds a package's name here once, and `services` is to be the function.
import gis.services  # noqa: F401

if TYPE_CHECKING:
    from gis.city.city import City
    from gis.contract.service import Service

__all__ = ["City", "Service", "service", "services"]

# Nothing heavy is imported before it is asked for: a process that reads one file needs no pandas to begin.


def services() -> Mapping[str, Service]:
    """Return every service by its id, as `gis.contract.service.services`."""
    from gis.contract import service as contract

    return contract.services()


def service(service_id: str) -> Service:
    """Return the service called `service_id`, as `gis.contract.service.service`."""
    from gis.contract import service as contract

    return contract.service(service_id)


def __getattr__(name: str) -> object:
    """Return `City`, `Service`, or the service called `name`, importing it on first use."""
    if name == "City":
        from gis.city.city import City

        return City
    if name == "Service":
        from gis.contract.service import Service

        return Service
    if not name.startswith("_") and name in services():
        return service(name)
    raise AttributeError(f"module 'gis' has no attribute '{name}'")


def __dir__() -> list[str]:
    """List the names above and every service."""
    return sorted([*__all__, *services()])
