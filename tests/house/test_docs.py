"""What the documents say is true: links lead somewhere, commands exist, examples run."""

import ast
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import typer.main

import gis
from api.cli import app
from gis.contract.service import Service

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "data/README.md", ROOT / "bench/README.md", *(ROOT / "docs").rglob("*.md")])


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist(page: Path) -> None:
    root = typer.main.get_command(app)
    for line in re.findall(
        r"^\s*(?:\$ )?(?:\.venv/bin/)?wangge ([a-z].*)$", page.read_text(encoding="utf-8"), re.MULTILINE
    ):
        command = root
        for word in line.split():
            if not (children := getattr(command, "commands", None)):
                break
            assert word in children, f"{name(page)}: wangge {line}"
            command = children[word]
        for option in re.findall(r"(--[a-z][a-z-]*)", line):
            known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help"}
            assert option in known, f"{name(page)}: wangge {line}"


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        for target in re.findall(r"^make ([a-z]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert target in targets, name(page)


def test_the_tree_of_the_readme_exists() -> None:
    block = re.search(r"```\n(gis/.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block
    for line in block.group(1).splitlines():
        assert (ROOT / line.split()[0]).exists(), line


def test_every_service_says_how_it_could_be_redone_by_hand() -> None:
    pages = {path.stem for path in (ROOT / "docs/methods").glob("*.md")}
    assert set(gis.services()) <= pages


def test_the_mission_page_is_what_the_server_offers() -> None:
    mission = load(ROOT / "docs/mission.py")
    assert (ROOT / "docs/mission.md").read_text(encoding="utf-8") == mission.page(), "run: python docs/mission.py"


@pytest.mark.asvs("8.1.1", "8.1.2")
def test_the_page_of_who_may_what_is_what_the_server_lets_in() -> None:
    rights = load(ROOT / "docs/who_may_what.py")
    assert (ROOT / "docs/who-may-what.md").read_text(encoding="utf-8") == rights.page(), (
        "run: python docs/who_may_what.py"
    )


def test_the_example_service_runs() -> None:
    text = (ROOT / "docs/howto/write-a-service.md").read_text(encoding="utf-8")
    block = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert block
    namespace: dict[str, object] = {"__name__": "example"}
    exec(compile(ast.parse(block.group(1)), "write-a-service.md", "exec"), namespace)  # noqa: S102 - our own page
    service = namespace["SERVICE"]
    assert isinstance(service, Service)
    city = gis.City.demo()
    result = service(city.incidents, city.communities, category="theft")
    placed = city.incidents[(city.incidents["category"] == "theft") & city.incidents.geometry.notna()]
    assert 0 < result.summary["total"] <= len(placed)
    assert result.features["n"].sum() == result.summary["total"]


@pytest.mark.asvs("2.1.3", "5.1.1")
def test_the_settings_of_the_page_are_those_of_the_classes() -> None:
    settings = load(ROOT / "docs/settings.py")
    text = settings.PAGE.read_text(encoding="utf-8")
    assert settings.BEGIN in text
    assert text == settings.page(text), "run: python docs/settings.py"


def test_every_promise_names_tests_that_there_are() -> None:
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## What it promises", 1)[1].split("\n## ", 1)[0]
    rows = [line for line in table.splitlines() if re.match(r"\| \d ", line)]
    assert len(rows) == 6
    for row in rows:
        named = re.findall(r"\[(test_\w+)\]\((tests/\S+?\.py)\)", row)
        assert named, row
        for test, path in named:
            text = (ROOT / path).read_text(encoding="utf-8")
            assert re.search(rf"^(?:async )?def {test}\(", text, re.MULTILINE), f"{test} is not in {path}"
