"""Fixtures of the tests of `gis.store`."""

import pytest

from gis.store.cities import CityRow
from gis.store.engine import Store
from tests.support import area_city


@pytest.fixture
def whole(store: Store, city: CityRow) -> CityRow:
    """The city with two districts."""
    area_city.populate(store, city)
    return city
