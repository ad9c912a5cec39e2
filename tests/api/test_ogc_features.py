"""OGC API Features 1 (17-069r4): each SHALL of its classes once, by its name, as the abstract tests ask it."""

import datetime as dt
import re

import httpx
import pytest
from openapi_schema_validator import OAS30Validator

from api.conformance import CLASSES
from tests.api.conftest import HOME, START
from tests.support import ogc_shapes as shapes

GEOJSON, HTML, JSON, OPENAPI = (
    "application/geo+json",
    "text/html",
    "application/json",
    "application/vnd.oai.openapi+json;version=3.0",
)
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
LAYERS = ("grids", "incidents")

REQUIREMENTS = {
    "core": {
        "root-op", "root-success", "api-definition-op", "api-definition-success", "conformance-op",
        "conformance-success", "http", "query-param-unknown", "query-param-invalid", "crs84", "fc-md-op",
        "fc-md-success", "fc-md-links", "fc-md-items", "fc-md-items-links", "fc-md-extent", "fc-md-extent-multi",
        "sfc-md-op", "sfc-md-success", "fc-op", "fc-limit-definition", "fc-limit-response-1", "fc-limit-response-2",
        "fc-bbox-definition", "fc-bbox-response", "fc-time-definition", "fc-time-response", "fc-response", "fc-links",
        "fc-rel-type", "fc-timeStamp", "fc-numberMatched", "fc-numberReturned", "f-op", "f-success", "f-links",
    },
    "html": {"definition", "content"},
    "geojson": {"definition", "content"},
    "oas30": {"oas-common", "oas-definition-1", "oas-definition-2", "oas-impl", "completeness", "exceptions-codes",
              "security"},
}  # fmt: skip
"""Requirements class -> what it asks for, as its requirements are numbered."""
TESTS = {}


def requires(*names):
    """Say which requirements a test is of."""

    def noted(test):
        for name in names:
            assert name not in TESTS, name
            TESTS[name] = test
        return test

    return noted


def links(document):
    found = {}
    for link in document["links"]:
        found.setdefault(link["rel"], []).append(link)
    return found


def listed(client, query=""):
    return client.json(f"/collections/incidents/items{query}")


def parameter(client, name, path="/collections/incidents/items"):
    """Return a query parameter of an address as the description has it."""
    document = client.json("/api", headers={"Accept": JSON})
    for one in document["paths"][path]["get"]["parameters"]:
        found = one
        if "$ref" in one:
            found = document["components"]["parameters"][one["$ref"].rsplit("/", 1)[1]]
        if found["name"] == name:
            return found
    raise AssertionError(name)


@requires("core/root-op", "core/root-success")
def the_landing_page_links_to_everything(client):
    document = client.json("/")
    assert shapes.faults(document, shapes.LANDING) == []
    there = links(document)
    assert {"service-desc", "service-doc"} & set(there)
    assert {"conformance", "data"} <= set(there)


@requires("core/api-definition-op", "core/api-definition-success")
def the_description_is_where_the_landing_page_says_and_of_the_type_it_says(client):
    for link in links(client.json("/"))["service-desc"]:
        answer = client.get(link["href"], headers={"Accept": link["type"]})
        assert answer.status_code == 200
        assert answer.headers["content-type"] == link["type"]
    for link in links(client.json("/"))["service-doc"]:
        assert client.get(link["href"]).headers["content-type"].startswith(HTML)


@requires("core/conformance-op", "core/conformance-success")
def the_conformance_classes_are_listed(client):
    document = client.json("/conformance")
    assert shapes.faults(document, shapes.CONFORMANCE) == []
    for name in ("core", "oas30", "html", "geojson"):
        assert f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{name}" in document["conformsTo"]


@requires("core/http")
def what_goes_wrong_has_its_status(client):
    assert client.get("/collections/none").status_code == 404
    assert client.get("/collections/grids/items?limit=x").status_code == 400
    assert client("PATCH", "/collections/grids").status_code == 405
    assert client("HEAD", "/").status_code == 200


@requires("core/query-param-unknown", "core/query-param-invalid")
def a_parameter_that_is_unknown_or_wrong_is_a_400(client):
    for path in ("/", "/conformance", "/collections", "/collections/grids", "/collections/grids/items"):
        assert client.get(f"{path}?unheard_of=1").status_code == 400, path
    for query in ("limit=0", "limit=x", "bbox=1,2,3", "bbox=a,b,c,d", "datetime=never"):
        assert client.get(f"/collections/incidents/items?{query}").status_code == 400, query


@requires("core/crs84")
def coordinates_are_longitude_and_latitude(client):
    west, south, east, north = client.json("/collections/incidents")["extent"]["spatial"]["bbox"][0]
    for feature in listed(client, "?limit=250")["features"]:
        lon, lat = feature["geometry"]["coordinates"]
        assert west <= lon <= east
        assert south <= lat <= north
    assert client.get("/collections/incidents/items").headers["content-crs"] == f"<{CRS84}>"


@requires("core/fc-md-op", "core/fc-md-success", "core/fc-md-links", "core/fc-md-items")
def the_collections_are_listed_with_links_to_themselves(client):
    document = client.json("/collections")
    assert shapes.faults(document, shapes.COLLECTIONS) == []
    there = links(document)
    assert [link["href"] for link in there["self"]] == [f"{HOME}/collections"]
    assert {link["type"] for link in there["alternate"]} == {HTML}
    assert all("rel" in link and "type" in link for link in document["links"])
    assert set(LAYERS) <= {one["id"] for one in document["collections"]}


@requires("core/fc-md-items-links")
def every_collection_links_to_its_features_in_every_encoding(client):
    for collection in client.json("/collections")["collections"]:
        items = links(collection)["items"]
        assert {link["type"] for link in items} == {GEOJSON, HTML}
        for link in items if collection["id"] in LAYERS else ():
            assert (
                client.get(link["href"], headers={"Accept": link["type"]})
                .headers["content-type"]
                .startswith(link["type"])
            )


@requires("core/fc-md-extent", "core/fc-md-extent-multi")
def the_extent_holds_every_feature_and_its_first_box_is_of_all(client):
    extent = client.json("/collections/incidents")["extent"]
    assert shapes.faults(extent, shapes.EXTENT) == []
    first, last = map(dt.datetime.fromisoformat, extent["temporal"]["interval"][0])
    times = [
        dt.datetime.fromisoformat(one["properties"]["occurred_at"]) for one in listed(client, "?limit=250")["features"]
    ]
    assert (first, last) == (min(times), max(times))


@requires("core/sfc-md-op", "core/sfc-md-success")
def one_collection_is_what_the_list_says_of_it(client):
    for collection in client.json("/collections")["collections"]:
        assert client.json(f"/collections/{collection['id']}") == collection


@requires("core/fc-op", "core/fc-response")
def features_come_from_every_collection(client):
    for collection in client.json("/collections")["collections"]:
        page = client.json(f"/collections/{collection['id']}/items")
        assert shapes.faults(page, shapes.FEATURES) == [], collection["id"]


@requires("core/fc-limit-definition")
def limit_is_described(client):
    found = parameter(client, "limit")
    assert (found["in"], found["required"]) == ("query", False)
    assert found["schema"] == {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 100}


@requires("core/fc-limit-response-1", "core/fc-limit-response-2")
def no_more_than_the_limit_come(client):
    assert len(listed(client, "?limit=1")["features"]) == 1
    assert len(listed(client, "?limit=30")["features"]) == 30
    assert len(listed(client)["features"]) == 100
    assert len(listed(client, "?limit=10001")["features"]) == 250


@requires("core/fc-bbox-definition")
def bbox_is_described(client):
    found = parameter(client, "bbox")
    assert (found["in"], found["required"], found["style"], found["explode"]) == ("query", False, "form", False)
    assert found["schema"]["items"] == {"type": "number"}
    assert (found["schema"]["minItems"], found["schema"]["maxItems"]) == (4, 6)


@requires("core/fc-bbox-response")
def only_features_that_meet_the_box_come(client):
    west, south, east, north = 120.604, 31.283, 120.612, 31.291
    every = listed(client, "?limit=250")["features"]
    inside = {
        one["id"] for one in every
        if west <= one["geometry"]["coordinates"][0] <= east and south <= one["geometry"]["coordinates"][1] <= north
    }  # fmt: skip
    found = {one["id"] for one in listed(client, f"?limit=250&bbox={west},{south},{east},{north}")["features"]}
    assert 0 < len(inside) < 250
    assert found == inside
    assert found == {
        one["id"] for one in listed(client, f"?limit=250&bbox={west},{south},0,{east},{north},9")["features"]
    }


@requires("core/fc-time-definition")
def datetime_is_described(client):
    found = parameter(client, "datetime")
    assert (found["in"], found["required"], found["schema"]["type"]) == ("query", False, "string")


@requires("core/fc-time-response")
def only_features_of_the_time_come(client):
    every = listed(client, "?limit=250")["features"]
    at = {one["id"]: dt.datetime.fromisoformat(one["properties"]["occurred_at"]) for one in every}
    first, last = START + dt.timedelta(days=3), START + dt.timedelta(days=9, hours=6)
    texts = [f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in (first, last)]
    for query, expected in (
        (texts[0], [id_ for id_, when in at.items() if when == first]),
        ("/".join(texts), [id_ for id_, when in at.items() if first <= when <= last]),
        (f"{texts[0]}/..", [id_ for id_, when in at.items() if first <= when]),
        (f"../{texts[1]}", [id_ for id_, when in at.items() if when <= last]),
        (f"{texts[0]}/", [id_ for id_, when in at.items() if first <= when]),
    ):
        found = [one["id"] for one in listed(client, f"?limit=250&datetime={query}")["features"]]
        assert found == expected, query
        assert found


@requires("core/fc-links", "core/fc-rel-type")
def a_page_links_to_itself_its_other_face_and_the_next(client):
    page = listed(client, "?limit=100&category=theft,assault")
    assert all("rel" in link and "type" in link for link in page["links"])
    there = links(page)
    assert there["self"][0]["type"] == GEOJSON
    assert {link["type"] for link in there["alternate"]} == {HTML}
    (following,) = there["next"]
    ids = [one["id"] for one in page["features"]]
    second = client.json(following["href"])
    assert not set(ids) & {one["id"] for one in second["features"]}
    assert "next" not in links(second)


@requires("core/fc-timeStamp", "core/fc-numberMatched", "core/fc-numberReturned")
def a_page_counts_what_it_holds_and_says_when(client):
    page = listed(client, "?limit=7&category=theft")
    assert page["numberReturned"] == len(page["features"]) == 7
    assert page["numberMatched"] == len(listed(client, "?limit=250&category=theft")["features"])
    told = dt.datetime.fromisoformat(page["timeStamp"])
    assert abs((dt.datetime.now(dt.UTC) - told).total_seconds()) < 60


@requires("core/f-op", "core/f-success", "core/f-links")
def every_feature_has_its_own_address(client):
    for id_ in LAYERS:
        for listed_one in client.json(f"/collections/{id_}/items?limit=3")["features"]:
            one = client.json(f"/collections/{id_}/items/{listed_one['id']}")
            assert shapes.faults(one, shapes.FEATURE) == []
            assert {name: one[name] for name in listed_one} == listed_one
            there = links(one)
            assert there["self"][0]["href"] == f"{HOME}/collections/{id_}/items/{listed_one['id']}"
            assert there["collection"][0]["href"] == f"{HOME}/collections/{id_}"
            assert {link["type"] for link in there["alternate"]} == {HTML}


@requires("html/definition", "html/content")
def every_address_has_a_page_that_holds_its_links(client):
    for path in ("/", "/conformance", "/collections", "/collections/grids", "/collections/grids/items"):
        answer = client.get(path, headers={"Accept": HTML})
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(HTML)
        assert "<h1" in answer.text
    # A collection's page holds what its document says: every link, its title and its extent.
    document = client.json("/collections/grids?lang=en")
    page = client.get("/collections/grids?lang=en", headers={"Accept": HTML}).text
    assert document["title"] in page
    for link in document["links"]:
        assert link["href"].replace("&", "&amp;") in page


@requires("geojson/definition", "geojson/content")
def features_are_geojson(client):
    for path in ("/collections/grids/items", "/collections/grids/items/1"):
        answer = client.get(path, headers={"Accept": GEOJSON})
        assert answer.headers["content-type"] == GEOJSON
        assert answer.json()["type"] in ("FeatureCollection", "Feature")
        assert answer.json()["links"]


@requires("oas30/oas-common", "oas30/oas-definition-1", "oas30/oas-definition-2", "oas30/oas-impl")
def the_description_is_openapi_30_and_true(client):
    answer = client.get("/api", headers={"Accept": OPENAPI})
    assert answer.headers["content-type"] == OPENAPI
    document = answer.json()
    assert re.fullmatch(r"3\.0\.\d", document["openapi"])
    for schema in document["components"]["schemas"].values():
        OAS30Validator.check_schema(schema)


@requires("oas30/completeness", "oas30/exceptions-codes")
def every_operation_says_what_it_answers_and_how_it_refuses(client):
    document = client.json("/api", headers={"Accept": JSON})
    for id_ in LAYERS:
        for path in (f"/collections/{id_}", f"/collections/{id_}/items", f"/collections/{id_}/items/{{featureId}}"):
            answers = document["paths"][path]["get"]["responses"]
            assert {"200", "default"} <= set(answers), path
    assert "application/problem+json" in document["components"]["responses"]["Problem"]["content"]


@requires("oas30/security")
def the_ways_in_are_described(client):
    schemes = client.json("/api", headers={"Accept": JSON})["components"]["securitySchemes"]
    assert {scheme["type"] for scheme in schemes.values()} <= {"http", "apiKey", "oauth2", "openIdConnect"}
    assert isinstance(client.get("/collections/incidents/items", role="public"), httpx.Response)
    assert client.get("/collections/incidents/items", role="public").status_code == 404


@pytest.mark.parametrize("name", [f"{group}/{name}" for group, names in REQUIREMENTS.items() for name in sorted(names)])
def test_a_requirement_is_met(shared, name):
    TESTS[name](shared)


def test_every_requirement_of_the_classes_we_name_is_tested():
    prefix = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
    assert {one.removeprefix(prefix) for one in CLASSES if one.startswith(prefix)} == set(REQUIREMENTS)
    assert set(TESTS) == {f"{group}/{name}" for group, names in REQUIREMENTS.items() for name in names}
