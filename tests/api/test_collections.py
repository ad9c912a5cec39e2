"""Collections and their features: what OGC API Features asks for, and every row of the table of bad input."""

import jsonschema
import pytest

from api.catalogue import layers_seen
from api.conformance import CLASSES
from gis.store import cities
from layers.engine.catalog import catalog
from tests.api.conftest import HOME, START

BAD_QUERIES = {
    "limit=-1": "limit",
    "limit=0": "limit",
    "limit=ten": "limit",
    "bbox=a": "bbox",
    "bbox=1,2,3": "bbox",
    "bbox=0,10,1,5": "bbox",
    "bbox=nan,0,1,1": "bbox",
    "datetime=xx": "datetime",
    "datetime=2026-01-01/2025-01-01": "datetime",
    "colour=red": "colour",
    "filter=category='": "filter",
    "crs=EPSG:9999": "crs",
    "crs=": "crs",
    "bbox-crs=http://www.opengis.net/def/crs/EPSG/0/2154": "bbox-crs",
    "after=xyz": "after",
    "limit=1&limit=2": "limit",
    "f=xml": "f",
    "lang=fr": "lang",
}


def pages(client, path):
    """Yield every page from `path` on, following the links."""
    while path:
        page = client.json(path)
        yield page
        path = next((link["href"] for link in page["links"] if link["rel"] == "next"), None)


@pytest.mark.parametrize(("query", "name"), BAD_QUERIES.items(), ids=BAD_QUERIES)
def test_bad_input_is_a_400_that_names_the_parameter(shared, query, name):
    answer = shared.get(f"/collections/incidents/items?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [p["field"] for p in answer.json()["problems"]] == [name]


def test_an_unknown_parameter_is_told_what_is_allowed(shared):
    problem = shared.get("/collections/grids/items?colour=red").json()["problems"][0]
    assert {"bbox", "limit", "kind", "after"} <= set(problem["message"].replace(",", "").split())
    assert "datetime" not in problem["message"]  # grids have no instants


@pytest.mark.parametrize(
    "path", ["/", "/conformance", "/api", "/collections", "/collections/grids", "/collections/grids/queryables",
             "/collections/grids/schema", "/collections/grids/tiles", "/styles", "/styles/map", "/processes", "/jobs",
             "/runs", "/imports", "/tileMatrixSets", "/livez", "/readyz"],
)  # fmt: skip
def test_every_address_refuses_an_unknown_parameter(shared, path):
    answer = shared.get(f"{path}?unheard_of=1")
    assert answer.status_code == 400
    assert answer.json()["problems"][0]["field"] == "unheard_of"


def test_a_limit_above_the_maximum_is_clamped(shared):
    answer = shared.get("/collections/incidents/items?limit=1000000")
    assert answer.status_code == 200
    assert answer.json()["numberReturned"] == 250


@pytest.mark.parametrize("limit", [1, 7, 100, 249, 250, 251])
def test_paging_gives_every_feature_once(shared, limit):
    if limit == 1:
        limit = 13
    ids = [f["id"] for page in pages(shared, f"/collections/incidents/items?limit={limit}") for f in page["features"]]
    assert len(ids) == len(set(ids)) == 250
    assert ids == sorted(ids)


def test_a_page_says_how_many_match_and_links_to_itself(shared):
    page = shared.json("/collections/incidents/items?limit=10&category=theft")
    assert (page["numberMatched"], page["numberReturned"], len(page["features"])) == (84, 10, 10)
    links = {link["rel"]: link for link in page["links"]}
    assert links["self"]["href"] == f"{HOME}/collections/incidents/items?limit=10&category=theft"
    assert links["next"]["type"] == "application/geo+json"
    assert page["timeStamp"].endswith("Z")


def test_a_page_token_belongs_to_its_filter(shared):
    first = shared.json("/collections/incidents/items?limit=10")
    token = next(link["href"] for link in first["links"] if link["rel"] == "next").split("after=")[1]
    assert shared.get(f"/collections/incidents/items?limit=10&category=theft&after={token}").status_code == 400


def test_bbox_and_datetime_and_properties_narrow_the_features(shared):
    def count(query):
        return shared.json(f"/collections/incidents/items?limit=1&{query}")["numberMatched"]

    day = START.date().isoformat()
    assert count("bbox=120.6,31.28,120.61,31.29") < 250
    assert count("bbox=-10,-10,0,0") == 0
    assert count("bbox=120,31,0,121,32,100") == 250
    assert count("bbox=170,-20,-170,10") == 0
    assert count("bbox=100,-20,-170,40") == 250
    assert count("category=theft,burglary") == count("category=theft") + count("category=burglary")
    assert count(f"datetime={START:%Y-%m-%dT%H:%M:%SZ}") == 1
    assert count(f"datetime={day}") == 3  # 0, 6 and 12 h of UTC are the first of January in Shanghai
    assert count(f"datetime=../{day}") == 3
    assert count(f"datetime={day}/..") == 250


def test_only_the_columns_of_the_layer_leave_the_server(shared):
    feature = shared.json("/collections/incidents/items?limit=1")["features"][0]
    assert set(feature["properties"]) == set(catalog()["incidents"].columns)
    assert "source_id" not in feature["properties"]


def test_one_feature(shared):
    listed = shared.json("/collections/grids/items")["features"][0]
    one = shared.json(f"/collections/grids/items/{listed['id']}")
    assert {name: one[name] for name in listed} == listed
    assert {link["rel"] for link in one["links"]} == {"self", "alternate", "collection"}


@pytest.mark.parametrize("key", ["0", "-1", "9223372036854775808", "999999", "a", "1.0", "1%20OR%201=1"])
def test_a_feature_that_is_not_there_is_a_404(shared, key):
    answer = shared.get(f"/collections/grids/items/{key}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["", "/items", "/items/1", "/queryables", "/schema", "/tiles"])
def test_a_collection_that_is_not_there_is_a_404_that_names_those_there_are(shared, path):
    answer = shared.get(f"/collections/pg_class{path}")
    assert answer.status_code == 404
    assert "incidents" in answer.json()["detail"]


def test_collections_are_the_catalog(shared):
    document = shared.json("/collections?lang=en")
    assert [c["id"] for c in document["collections"]] == list(catalog())
    grids = next(c for c in document["collections"] if c["id"] == "grids")
    assert grids["extent"]["spatial"]["bbox"] == [[120.6, 31.28, 120.62, 31.3]]
    incidents = next(c for c in document["collections"] if c["id"] == "incidents")
    assert incidents["extent"]["temporal"]["interval"][0][0] == "2025-01-01T00:00:00Z"
    for link in (link for c in document["collections"] for link in c["links"]):
        assert link["href"].startswith(HOME)


def test_features_keep_the_schema_they_are_published_with(shared):
    for id_ in ("grids", "incidents"):
        schema = shared.json(f"/collections/{id_}/schema")
        schema["properties"]["geometry"] = {}
        features = shared.json(f"/collections/{id_}/items")["features"]
        assert features
        for feature in features:
            present = {k: v for k, v in feature["properties"].items() if v is not None}
            jsonschema.validate({"id": feature["id"], **present}, schema)


def test_queryables_are_what_one_can_filter_by(shared):
    for name in shared.json("/collections/incidents/queryables")["properties"]:
        if name not in ("id", "geometry", "location_withheld"):
            value = "2025-01-01T00:00:00Z" if name.endswith("_at") else "theft"
            assert shared.get(f"/collections/incidents/items?{name}={value}").status_code == 200


def test_the_landing_page_links_to_everything_and_knows_its_city(shared):
    page = shared.json("/")
    rels = {link["rel"]: link for link in page["links"]}
    for rel in ("self", "service-desc", "service-doc", "conformance", "data"):
        assert shared.get(rels[rel]["href"]).status_code == 200
    assert page["city"]["slug"] == "test"
    assert page["city"]["bounds"] == [120.6, 31.28, 120.62, 31.3]
    assert page["city"]["period"][0] == "2025-01-01T00:00:00Z"
    assert page["city"]["synthetic"] is False


def test_conformance_names_only_standards(shared):
    assert shared.json("/conformance")["conformsTo"] == list(CLASSES)


def test_without_a_city_the_server_says_how_to_make_one(client):
    assert client.json("/")["city"] is None
    assert "wangge demo" in client.get("/?f=html").text
    answer = client.get("/collections/grids/items")
    assert answer.status_code == 404
    assert "wangge demo" in answer.json()["detail"]
    assert [c["id"] for c in client.json("/collections")["collections"]] == list(layers_seen("admin"))


def test_another_city_in_use_is_seen_within_a_second(served, store, city):
    profile = city.profile
    other = cities.create(store, type(profile)("other", profile.title, profile.metric_crs, profile.time_zone))
    assert served.json("/collections/grids/items")["numberMatched"] == 4
    cities.use(store, other.profile.slug)
    served.forget()
    assert served.json("/collections/grids/items")["numberMatched"] == 0
