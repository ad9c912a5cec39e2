from __future__ import annotations

import pytest

from gis.contract.profile import CityProfile
from gis.contract.text import Text
from gis.errors import Conflict, NotFound
from gis.store import cities
from gis.store.cities import CityRow
from gis.store.engine import Store

CHICAGO = CityProfile(
    "chicago",
    Text("芝加哥", "Chicago"),
    "EPSG:26916",
    "America/Chicago",
    lattice_origin=(440_000.0, 4_610_000.5),
    languages=("en",),
    open_categories=True,
    grid_code_pattern=r"\d{4}",
    attribution="Chicago Data Portal",
    synthetic=False,
)


def test_a_city_comes_back_as_it_was_given(store: Store) -> None:
    made = cities.create(store, CHICAGO)
    assert cities.by_slug(store, "chicago") == made
    assert made.profile == CHICAGO
    assert made.scope.city_id == made.id


def test_without_a_city_none_is_in_use(store: Store) -> None:
    with pytest.raises(NotFound, match="wangge city"):
        cities.current(store)


def test_the_first_city_is_in_use_until_another_is_taken(store: Store, city: CityRow) -> None:
    chicago = cities.create(store, CHICAGO)
    assert cities.current(store) == city
    assert cities.use(store, "chicago") == chicago
    assert cities.current(store) == chicago
    assert cities.use(store, "chicago") == chicago
    assert [row.profile.slug for row in cities.all_(store)] == ["chicago", "test"]


def test_unknown_and_doubled_slugs_are_refused(store: Store, city: CityRow) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        cities.use(store, "nowhere")
    with pytest.raises(NotFound, match="nowhere"):
        cities.by_slug(store, "nowhere")
    with pytest.raises(Conflict, match="'test'"):
        cities.create(store, city.profile)
    assert cities.current(store) == city


def test_a_removed_city_is_gone(store: Store, city: CityRow) -> None:
    cities.remove(store, "test")
    assert cities.all_(store) == []
    with pytest.raises(NotFound):
        cities.remove(store, city.profile.slug)
