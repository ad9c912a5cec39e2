"""There is one way into the database: one function sets the scope, and none of its rules is written twice."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
DOOR = PROJECT / "gis/store/engine.py"
CODE = sorted(
    path
    for room in ("gis", "layers", "api", "data", "bench")
    for path in (PROJECT / room).rglob("*")
    if path.suffix in {".py", ".sql"}
)

WRONG = {
    "another set_config than the door's": re.compile(r"\bset_config\b", re.IGNORECASE),
    "a SET statement, which outlives its transaction in a pooled connection": re.compile(
        r"(?:\A|;)\s*(?:SET|RESET)\s+(?!NULL|DEFAULT)(?:SESSION\s+|LOCAL\s+)?[\w.]+\s*(?:=|\bTO\b|\Z)",
        re.IGNORECASE,
    ),
    "an SRID as text, which costs 9 ms a row": re.compile(r"ST_Transform\s*\([^;]*?,\s*['\"]", re.IGNORECASE),
}


def texts(path: Path) -> Iterator[str]:
    """Give every string of a Python file but its documentation, or the whole of an SQL file."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        yield re.sub(r"--[^\n]*", "", source)
        return
    tree = ast.parse(source)
    prose = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def calls(path: Path, name: str) -> Iterator[ast.Call]:
    """Give the calls ``func.<name>(...)`` of a Python file."""
    if path.suffix == ".py":
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name:
                yield node


@pytest.mark.parametrize("what", WRONG)
def test_nothing_goes_round_the_door(what: str) -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {text.strip()[:80]}"
        for path in CODE
        if path != DOOR
        for text in texts(path)
        if WRONG[what].search(text)
    ]
    assert found == [], what


def test_set_config_is_called_in_sql_text_of_the_door_only() -> None:
    assert [path for path in CODE if any(calls(path, "set_config"))] == []
    # A transaction's, a single value's, and the role of the connections on which only single values are read.
    assert sum("set_config" in text for text in texts(DOOR)) == 3


def test_srids_of_expressions_are_numbers() -> None:
    quoted = [
        f"{path.relative_to(PROJECT)}:{call.lineno}"
        for path in CODE
        for call in calls(path, "ST_Transform")
        if len(call.args) > 1 and isinstance(call.args[1], ast.Constant) and isinstance(call.args[1].value, str)
    ]
    assert quoted == []


@pytest.mark.asvs("1.2.4")
def test_every_transaction_of_the_store_begins_at_the_door() -> None:
    """Engines and pools are made in one place; only the job queue keeps connections of its own."""
    makers = {"create_engine", "create_async_engine", "create_pool"}
    found = {path.relative_to(PROJECT).as_posix() for path in CODE for maker in makers if any(calls(path, maker))} - {
        path.relative_to(PROJECT).as_posix() for path in (PROJECT / "bench").rglob("*.py")
    }
    assert found == {"gis/store/engine.py"}


@pytest.mark.parametrize(
    ("what", "text"),
    [
        (0, "SELECT set_config('a', 'b', false)"),
        (1, "SET statement_timeout = 0"),
        (1, "SELECT 1; set local search_path to x"),
        (1, "RESET statement_timeout"),
        (2, "SELECT ST_Transform(geom, 'EPSG:3857')"),
        (2, "SELECT st_transform(ST_SetSRID(g, 1), '4326')"),
    ],
)
def test_the_checks_see_what_they_look_for(what: int, text: str) -> None:
    assert list(WRONG.values())[what].search(text)


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE t SET a = 1",
        "ON CONFLICT DO UPDATE\n SET n = n + 1",
        "ST_Transform(geom, 3857)",
        "Set the table for tea",
    ],
)
def test_the_checks_pass_what_is_right(text: str) -> None:
    assert not any(pattern.search(text) for pattern in WRONG.values())
