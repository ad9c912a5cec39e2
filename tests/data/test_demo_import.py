"""The demo city goes into PostGIS by the importer, as any user's files would, and comes out as it is."""

import pytest

from gis.city import FRAMES
from gis.city.city import DEMO
from gis.store import cities, frames
from gis.store.ingest import import_file


@pytest.fixture
def loaded(store, demo):
    return store, cities.create(store, demo.profile)


def test_every_file_is_taken_whole(loaded, demo) -> None:
    store, city = loaded
    for name in FRAMES:
        report = import_file(store, city, name, DEMO / f"{name}.parquet")
        assert report.problems == (), name
        assert report.warnings == (), name
        assert (report.state, report.rows_bad, report.inserted) == ("applied", 0, len(demo.frames[name])), name
    assert report.crs == "epsg:4326"
    stored = frames.read_frame(store, city, "grids").set_index("source_id")
    given = demo.grids.set_index("source_id")
    assert stored["code"].sort_index().tolist() == given["code"].sort_index().tolist()
    assert stored.geometry.loc[given.index].geom_equals_exact(given.geometry, 0).all()
    withheld = frames.read_frame(store, city, "incidents")["location_withheld"]
    assert withheld.sum() == demo.incidents["location_withheld"].sum()
