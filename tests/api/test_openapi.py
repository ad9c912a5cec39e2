"""The description of the interface is true: every address answers, every reference leads somewhere."""

import re

import pytest

from api.openapi import document
from api.schemas import for_openapi_30
from gis.contract.service import services
from layers.engine.catalog import catalog


@pytest.fixture
def described():
    return document(catalog().values(), services().values(), language="en", server="http://127.0.0.1:8000")


def every(node, path=()):
    yield path, node
    if isinstance(node, dict):
        for name, value in node.items():
            yield from every(value, (*path, name))
    if isinstance(node, list):
        for i, value in enumerate(node):
            yield from every(value, (*path, i))


def test_every_reference_leads_somewhere(described):
    for _, node in every(described):
        if isinstance(node, dict) and "$ref" in node:
            found = described
            for name in node["$ref"].removeprefix("#/").split("/"):
                found = found[name]


def test_operations_have_names_of_their_own(described):
    names = [o["operationId"] for methods in described["paths"].values() for o in methods.values()]
    assert len(names) == len(set(names))


def test_every_part_of_an_address_is_a_parameter(described):
    for path, methods in described["paths"].items():
        for operation in methods.values():
            declared = {
                p["name"]
                for p in (
                    described["components"]["parameters"][q["$ref"].rsplit("/", 1)[1]] if "$ref" in q else q
                    for q in operation.get("parameters", ())
                )
                if p["in"] == "path"
            }
            assert declared == set(re.findall(r"{(\w+)}", path)), path


def test_the_words_are_those_of_openapi_30(described):
    for path, node in every(described):
        if isinstance(node, dict) and "schema" in path:
            assert "const" not in node, path
            assert "$defs" not in node, path
            assert node.get("type") != "null", path
            assert not isinstance(node.get("type"), list), path


def test_every_address_without_places_answers(shared):
    described = shared.get("/api", headers={"accept": "application/vnd.oai.openapi+json;version=3.0"})
    assert described.headers["content-type"].startswith("application/vnd.oai.openapi+json")
    # No service ever ran in this city, so there is no map of a result.
    unrun = {f"/maps/{layer.id}.html" for layer in catalog().values() if layer.service}
    # And no provider is set up to sign in with.
    unrun |= {"/auth/oidc", "/auth/oidc/callback"}
    for path, methods in described.json()["paths"].items():
        if "{" not in path and "get" in methods:
            assert shared.get(path).status_code == (404 if path in unrun else 200), path


def test_every_collection_has_paths_and_filters_of_its_own(described):
    for layer in catalog().values():
        taken = described["paths"][f"/collections/{layer.id}/items"]["get"]["parameters"]
        names = {p.get("name") or p["$ref"].rsplit("/", 1)[1] for p in taken}
        assert {"bbox", "limit", *layer.columns} - {"datetime"} <= names
        assert ("datetime" in names) == (layer.time is not None)


def test_parameters_that_are_described_are_taken_and_no_others(shared, described):
    for layer in ("grids", "incidents"):
        for parameter in described["paths"][f"/collections/{layer}/items"]["get"]["parameters"]:
            name = parameter.get("name") or parameter["$ref"].rsplit("/", 1)[1]
            answer = shared.get(f"/collections/{layer}/items?{name}=")
            told = [p["code"] for p in answer.json().get("problems", ())]
            assert "unknown_parameter" not in told, name


def test_null_and_const_find_their_old_words():
    schema = {"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}], "exclusiveMinimum": 0}
    assert for_openapi_30(schema) == {
        "anyOf": [{"type": "string"}, {"type": "integer"}],
        "nullable": True,
        "minimum": 0,
        "exclusiveMinimum": True,
    }
    assert for_openapi_30({"const": "a"}) == {"enum": ["a"]}
