"""The list of packages names every one that is locked, with the hashes by which it is installed."""

import importlib.metadata
import re

import pytest

from tests.house.test_docs import ROOT, load

sbom = load(ROOT / "docs/sbom.py")


@pytest.mark.asvs("15.1.2")
def test_every_locked_package_is_in_the_list_with_its_hashes() -> None:
    found = {each["bom-ref"]: each for each in sbom.document()["components"]}
    locked = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert {f"pkg:pypi/{name.lower()}@{version}" for name, version in locked} == {
        ref for ref in found if ref.startswith("pkg:pypi/")
    }
    assert len(locked) > 100
    assert all(each["hashes"] for each in found.values())
    assert all(re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{128}", h["content"]) for e in found.values() for h in e["hashes"])
    assert {"maplibre-gl", "preact"} <= {each["name"] for each in found.values() if each.get("scope") == "required"}


def test_what_is_installed_is_what_the_list_says() -> None:
    listed = {(each["name"].lower(), each["version"]) for each in sbom.document()["components"]}
    for name in ("fastapi", "sqlalchemy", "argon2-cffi", "shapely"):
        assert (name, importlib.metadata.version(name)) in listed


def test_equal_locks_give_an_equal_list() -> None:
    assert sbom.document() == sbom.document()
