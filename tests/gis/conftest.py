"""Fixtures of the tests of `gis`."""

import pytest

import gis.contract.service
from gis.contract.service import Service
from tests.support.cell_counts import CELL_COUNTS, register


@pytest.fixture
def cell_counts(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A small service, found by its id for the length of a test."""
    monkeypatch.setattr(gis.contract.service, "services", gis.contract.service.services)
    register()
    return CELL_COUNTS
