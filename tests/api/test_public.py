"""What somebody sees who has not signed in: the published counts, and nothing to work more out of."""

import datetime as dt
import math

import numpy as np
import pytest

import gis
from gis.services.public_counts import LEAST_INCIDENTS, MONTHS, month_name
from gis.store import results
from gis.store.frames import read_frame
from tests.api.conftest import SOUTH, WEST
from tests.support.rows import fill

N = 1200


@pytest.fixture
def published(served, store, city):
    """A server whose city has two years of incidents, and the older one published."""
    rng = np.random.default_rng(3)
    place = rng.uniform(0, 0.05, (N, 2)) ** 1.5
    rows = [
        {
            "source_id": f"p{i}",
            "occurred_at": dt.datetime(2023, 7, 1, tzinfo=dt.UTC) + dt.timedelta(hours=12 * i),
            "category": "theft",
            "origin": "public_report",
            "location_withheld": False,
            "geom": f"POINT({WEST + x} {SOUTH + y})",
        }
        for i, (x, y) in enumerate(place)
    ]
    fill(store, city, "incidents", rows)
    results.write(store, city, gis.public_counts(read_frame(store, city, "incidents"), profile=city.profile))
    served.forget()
    return served


@pytest.mark.asvs("14.2.4")
def test_the_public_sees_counts_and_no_small_one(published):
    page = published.json("/collections/public_counts/items?limit=1000", role="public")
    told = [feature["properties"] for feature in page["features"]]
    assert len(told) > 3
    numbers = [row[name] for row in told for name in ("incidents_count", *map(month_name, MONTHS))]
    assert None in numbers
    assert not any(number is not None and 0 < number < LEAST_INCIDENTS for number in numbers)
    assert any(number for number in numbers)
    column = int((WEST + 0.01 + 180) / 360 * 2**12)
    row = int((1 - math.asinh(math.tan(math.radians(SOUTH + 0.01))) / math.pi) / 2 * 2**12)
    tile = published.get(f"/collections/public_counts/tiles/WebMercatorQuad/12/{row}/{column}", role="public")
    assert tile.status_code == 200
    assert published.get("/maps/public_counts.html", role="public").status_code == 200
    assert published.get("/styles/public_counts/legend", role="public").status_code == 200


def test_the_public_sees_nothing_else(published):
    listed = [layer["id"] for layer in published.json("/collections", role="public")["collections"]]
    assert listed == ["public_counts"]
    assert published.json("/", role="public")["city"]["period"] is None
    for path, status in (
        ("/collections/public_counts/items?run_id=1", 400),
        ("/collections/public_counts/tiles/WebMercatorQuad/0/0/0?run_id=1", 400),
        ("/maps/public_counts.html?run_id=1", 400),
        ("/collections/public_counts/export.csv", 401),
        ("/collections/incidents/items", 404),
        ("/collections/rentals/items/1", 404),
        ("/maps/incidents.html", 404),
        ("/runs", 401),
        ("/runs/1", 401),
        ("/jobs", 401),
        ("/processes", 401),
        ("/imports", 401),
        ("/plans", 401),
        ("/metrics", 401),
        ("/map", 401),
    ):
        answer = published.get(path, role="public")
        assert answer.status_code == status, (path, answer.text)
        assert "theft" not in answer.text


def test_an_officer_sees_ninety_days_in_every_face_of_the_incidents(published, store, city):
    """The days end today in a real city, so that the newest of these, of 2025, are long past."""
    for path in ("/collections/incidents/items", "/collections/incidents/items?datetime=2024-01-01/2025-12-31"):
        page = published.json(path, role="officer")
        assert page["numberMatched"] == 0
        assert published.json(path, role="analyst")["numberMatched"] > 0
    first = published.json("/collections/incidents/items?limit=1", role="analyst")["features"][0]["id"]
    assert published.get(f"/collections/incidents/items/{first}", role="officer").status_code == 404
    here = "/collections/incidents/tiles/WebMercatorQuad/0/0/0"
    tags = {published.get(here, role=role).headers["etag"] for role in ("officer", "analyst")}
    assert len(tags) == 2
    assert published.get(here, role="analyst").status_code == 200
    assert published.get(here, role="officer").status_code == 204
    assert "extent" not in published.json("/collections/incidents", role="officer")
    now = dt.datetime.now(dt.UTC)
    rows = [
        {
            "source_id": f"n{days}",
            "occurred_at": now - dt.timedelta(days=days),
            "category": "theft",
            "origin": "public_report",
            "location_withheld": False,
            "geom": f"POINT({WEST} {SOUTH})",
        }
        for days in (1, 89, 92)
    ]
    fill(store, city, "incidents", rows)
    published.forget()
    assert published.json("/collections/incidents/items", role="officer")["numberMatched"] == 2
    assert published.json("/", role="officer")["city"]["period"][0][:10] == f"{now - dt.timedelta(days=89):%Y-%m-%d}"


@pytest.mark.asvs("14.2.6")
def test_rentals_lose_their_address_and_stay_here(published, store, city):
    (key,) = fill(
        store,
        city,
        "rentals",
        [{"source_id": "r", "kind": "flat", "address": "某路1号", "geom": f"POINT({WEST} {SOUTH})"}],
    )
    published.forget()
    for role, tells in (("analyst", False), ("supervisor", True)):
        feature = published.json(f"/collections/rentals/items/{key}", role=role)
        assert ("address" in feature["properties"]) == tells
        for path in ("/collections/rentals/items", "/collections/rentals/schema", "/maps/rentals.html"):
            text = published.get(path, role=role).text
            assert ("某路1号" in text or '"address"' in text) == tells, path
        assert ("某路1号".encode() in published.get(
            "/collections/rentals/tiles/WebMercatorQuad/0/0/0", role=role
        ).content) == tells  # fmt: skip
        answer = published.get("/collections/rentals/items?address=x", role=role)
        assert answer.status_code == (200 if tells else 400)
    assert published.get("/collections/rentals/export.csv?mask=none", role="analyst").status_code == 403
    assert published.get("/collections/incidents/export.csv", role="supervisor").status_code == 403
