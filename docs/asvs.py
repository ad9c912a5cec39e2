"""Write ``docs/asvs.md``: what is done about each item of ASVS 5.0.0, and which tests hold it.

``python docs/asvs.py`` rewrites the page from ``tests/asvs.toml`` and the markers of the tests; a test holds it equal.
"""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "asvs.md"
LIST = ROOT / "tests" / "asvs.toml"
STATES = {
    "held": "tests hold it",
    "built": "so by construction",
    "documented": "a page says it",
    "operator": "for whoever runs the server",
    "none": "there is no such thing here",
    "open": "not met",
}
CHAPTERS = {
    "V1": "Encoding and sanitisation",
    "V2": "Validation and business logic",
    "V3": "Web front end",
    "V4": "API and web service",
    "V5": "Files",
    "V6": "Authentication",
    "V7": "Sessions",
    "V8": "Authorisation",
    "V9": "Self-contained tokens",
    "V10": "OAuth and OIDC",
    "V11": "Cryptography",
    "V12": "Secure communication",
    "V13": "Configuration",
    "V14": "Data protection",
    "V15": "Code and architecture",
    "V16": "Logs and errors",
    "V17": "WebRTC",
}
HEAD = """# Security, item by item

What is done about each item of the OWASP [Application Security Verification Standard](https://github.com/OWASP/ASVS)
5.0.0 of levels 1 and 2, and about some of level 3. `python docs/asvs.py` writes this page from `tests/asvs.toml` and
from the markers of the tests (`@pytest.mark.asvs("8.2.2")`; `pytest -m asvs` runs them); a house test holds it equal.
It is our own account: nobody has verified it from outside.

Numbers and levels are the standard's, © The OWASP Foundation, CC BY-SA 4.0; the titles are short and ours, under the
same licence.

"""

Item = tuple[int, str, str, str]


def items() -> dict[str, Item]:
    """Return level, title, state and what we do of each item, by its number, in order."""
    chapters = tomllib.loads(LIST.read_text(encoding="utf-8"))
    found = {number: tuple(row) for chapter in chapters.values() for number, row in chapter.items()}
    return dict(sorted(found.items(), key=lambda entry: [int(part) for part in entry[0].split(".")]))


def markers() -> Iterator[tuple[str, Path, str]]:
    """Yield number, file and name of every test that bears a marker."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for decorator in node.decorator_list:
                    if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.asvs":
                        yield from ((ast.literal_eval(number), path, node.name) for number in decorator.args)


def page() -> str:
    """Return the page."""
    tests: dict[str, list[str]] = {}
    for number, path, name in markers():
        tests.setdefault(number, []).append(f"[{name}](../{path.relative_to(ROOT).as_posix()})")
    known = items()
    lines = [HEAD, "| | level 1 | level 2 | level 3 |", "|---|---|---|---|"]
    counts = Counter((level, state) for level, _, state, _ in known.values())
    for state, words in STATES.items():
        lines.append(f"| {words} | {' | '.join(str(counts[level, state]) for level in (1, 2, 3))} |")
    lines.append("")
    for chapter, title in CHAPTERS.items():
        lines += [f"## {chapter} {title}", "", "| item | level | | what we do | held by |", "|---|---|---|---|---|"]
        for number, (level, what, state, done) in known.items():
            if f"V{number.split('.', maxsplit=1)[0]}" == chapter:
                said = done if state == "held" else f"*{STATES[state]}*: {done}"
                lines.append(f"| {number} | {level} | {what} | {said} | {', '.join(tests.get(number, []))} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
