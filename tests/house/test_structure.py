"""The house keeps its shape: rooms, names, sizes, no outside address."""

import json
import re
import subprocess
from pathlib import Path

import pytest

import gis
from layers.engine.catalog import catalog

ROOT = Path(__file__).parents[2]
TRACKED = [
    ROOT / name
    for name in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    if name and (ROOT / name).is_file()
]
CODE = [p for p in TRACKED if p.suffix in {".py", ".ts", ".tsx", ".css", ".html", ".sh"}]


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_top_level_folders() -> None:
    folders = {relative(p).split("/")[0] for p in TRACKED if "/" in relative(p)}
    assert folders <= {".ci", "api", "bench", "data", "docs", "gis", "layers", "notebooks", "tests", "web"}


def test_a_service_is_one_file_named_after_it() -> None:
    files = {p.stem for p in (ROOT / "gis/services").glob("*.py")} - {"__init__"}
    assert files == set(gis.services())


def test_a_layer_is_one_file_named_after_it() -> None:
    files = {p.stem for p in (ROOT / "layers").glob("*.py")} - {"__init__"}
    assert files == set(catalog())


def test_every_service_and_layer_says_whom_it_serves() -> None:
    for service in gis.services().values():
        assert re.match(r"Art\. \d+", service.mandate), service.id
        assert service.title.zh, service.id
        assert service.title.en, service.id
        for name, field in service.params.model_fields.items():
            assert field.description, f"{service.id}.{name} is not documented"
    for layer in catalog().values():
        assert layer.group == "base" or re.match(r"Art\. \d+", layer.mandate), layer.id


def test_no_file_has_grown_two_reasons_to_change() -> None:
    long = {relative(p): n for p in CODE if (n := len(p.read_text(encoding="utf-8").splitlines())) > 450}
    vendored = {name for name in long if "/assets/" in name}
    assert set(long) - vendored == set()


CDN = re.compile(r"https?://[^\s\"'`)]*(?:unpkg|jsdelivr|cdnjs|googleapis|bootstrapcdn|tile\.openstreetmap)")


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    if path == Path(__file__):
        pytest.skip("this file names the addresses it looks for")
    assert CDN.findall(path.read_text(encoding="utf-8")) == []


def test_lock_files_hold_no_download_address() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text(encoding="utf-8")
    packages = json.loads((ROOT / "web/package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 10
    for name, package in packages.items():
        # Where to fund a package is no place to download it from.
        told = {key: value for key, value in package.items() if key != "funding"}
        assert "://" not in json.dumps(told), name


@pytest.mark.asvs("15.1.2")
def test_every_python_package_is_pinned_with_hashes() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([a-z0-9][\w.-]*(?:\[[\w,-]+\])?)==\S+(.*(?:\n    --hash=.*)+)", lock, flags=re.MULTILINE)
    assert len(pins) > 60
    assert len(pins) == len(re.findall(r"^[a-z0-9].*==", lock, flags=re.MULTILINE))
