"""What a monitor reads, and where a client is asked to wait."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.limits import KEPT, Buckets
from gis.store import jobs
from tests.api.conftest import Client
from tests.api.test_tiles import url


def numbers(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def of(found, name, **labels):
    return found.get((name, tuple(sorted(labels.items()))), 0)


def test_requests_are_counted_by_their_route_and_not_by_their_path(served):
    for path in ("/collections/grids/items/1", "/collections/grids/items/2", "/collections/grids/items/99999"):
        served.get(path)
    for path in ("/no/such/page", "/nor/this"):
        assert served.get(path).status_code == 404
    for _ in range(3):
        assert served.get(url()).status_code == 200
    found = numbers(served)
    item = "/collections/{id_}/items/{key}"
    assert of(found, "wangge_requests_total", method="GET", route=item, status="200") == 2
    assert of(found, "wangge_requests_total", method="GET", route=item, status="404") == 1
    assert of(found, "wangge_requests_total", method="GET", route="unmatched", status="404") == 2
    tiles = "/collections/{id}/tiles/WebMercatorQuad/{z}/{y}/{x}"
    assert of(found, "wangge_requests_total", method="GET", route=tiles, status="200") == 3
    assert of(found, "wangge_request_seconds_count", method="GET", route=tiles) == 3
    assert of(found, "wangge_tile_cache_tiles") == 1
    assert (of(found, "wangge_tile_cache_misses"), of(found, "wangge_tile_cache_hits")) == (1, 2)
    assert of(found, "wangge_database_up") == 1


def test_jobs_are_counted_by_state(served, store, city):
    jobs.submit(store, city, "hotspots", {"lattice_m": 500})
    job = jobs.submit(store, city, "hotspots", {"lattice_m": 600})
    jobs.dismiss(store, city, job.id)
    found = numbers(served)
    assert of(found, "wangge_jobs", state="accepted") == 1
    assert of(found, "wangge_jobs", state="dismissed") == 1
    assert of(found, "wangge_jobs", state="failed") == 0
    assert of(found, "wangge_worker_up") == 0


@pytest.mark.asvs("2.4.1")
def test_whoever_asks_too_much_is_asked_to_wait(store):
    client = Client(store, requests_per_s=0.5, requests_burst=3)
    try:
        assert [client.get("/conformance").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
        refused = client.get("/conformance")
        assert refused.headers["retry-after"] == "2"
        assert refused.json()["title"] == "Too Many Requests"
        # A monitor is never locked out.
        assert client.get("/healthz").status_code == 200
        assert of(numbers(client), "wangge_requests_total", method="GET", route="unmatched", status="429") == 3
    finally:
        client.close()


def test_a_bucket_fills_again_and_every_client_has_its_own():
    now = [0.0]
    buckets = Buckets(10.0, 5, clock=lambda: now[0])
    assert [buckets.take("a") for _ in range(5)] == [0.0] * 5
    assert 0 < buckets.take("a") <= 0.1
    assert buckets.take("b") == 0.0
    now[0] = 0.25
    assert [buckets.take("a") == 0.0 for _ in range(3)] == [True, True, False]
    now[0] = 1_000.0
    assert [buckets.take("a") == 0.0 for _ in range(6)] == [True] * 5 + [False]


def test_only_so_many_clients_are_remembered():
    buckets = Buckets(1.0, 1, clock=lambda: 0.0)
    for client in range(KEPT + 5):
        buckets.take(str(client))
    assert buckets.take(str(KEPT)) > 0
    assert buckets.take("0") == 0.0
