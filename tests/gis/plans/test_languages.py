"""Whatever refuses a plan says why in Chinese and in English, wherever in the code it is said."""

import ast
from pathlib import Path

import pytest

import gis.errors
from gis.contract.text import Text

PROJECT = Path(gis.errors.__file__).parents[1]
FILES = sorted(
    [
        *(PROJECT / "gis" / "plans").rglob("*.py"),
        *(PROJECT / "gis" / "store" / "plans").rglob("*.py"),
        *(PROJECT / "api").glob("plan*.py"),
        PROJECT / "api" / "roles.py",
        PROJECT / "api" / "commands" / "plan.py",
    ]
)
ERRORS = {
    name
    for name, thing in vars(gis.errors).items()
    if isinstance(thing, type) and (issubclass(thing, gis.errors.GridError) or thing is gis.errors.Problem)
} | {"StaleRevision"}


def calls(path: Path) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]


def chinese(node: ast.AST) -> bool:
    """Whether any of the text in an expression is Chinese, or the text comes from somewhere else."""
    if isinstance(node, ast.Call):
        return True
    texts = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return not texts or any("\u4e00" <= letter <= "\u9fff" for text in texts for letter in text)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_refusal_speaks_both_languages(path: Path) -> None:
    for call in calls(path):
        name = call.func.id  # type: ignore[attr-defined]
        if name in ERRORS:
            said = next((keyword.value for keyword in call.keywords if keyword.arg == "zh"), None)
            assert said is not None, f"line {call.lineno}: {name} says nothing in Chinese"
            assert chinese(said), f"line {call.lineno}: {name} says it in English twice"
        if name == Text.__name__ and call.args:
            assert len(call.args) == 2, f"line {call.lineno}"
            assert chinese(call.args[0]), f"line {call.lineno}: the first of a text is Chinese"


def test_the_whole_tree_of_errors_can_say_it() -> None:
    kinds = [thing for name in ERRORS if isinstance(thing := getattr(gis.errors, name, None), type)]
    for kind in kinds:
        if issubclass(kind, gis.errors.GridError):
            assert kind("no", zh="不行").zh == "不行"
            assert kind("no").zh == ""
    assert "zh" not in gis.errors.Problem("code", "message").as_dict()
    assert gis.errors.Problem("code", "message", zh="说明").as_dict()["zh"] == "说明"
