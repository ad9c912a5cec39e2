"""Runs every benchmark of this folder and rewrites the table in ``bench/README.md``."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"
START, END = "<!-- claims: written by python -m bench -->", "<!-- end of claims -->"
NOT_BENCHMARKS = frozenset({"__init__", "__main__", "harness"})
LINE = re.compile(
    r"^claim (?P<name>\S+) n=(?P<n>\d+) ours=(?P<ours>\S+) anchor=(?P<anchor>\S+) "
    r"ratio=(?P<ratio>\S+) target=(?P<target>\S+) (?P<verdict>holds|short)$"
)


def benchmarks() -> list[str]:
    """Return the names of the benchmark files, in order."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in NOT_BENCHMARKS)


def run(name: str, *, quick: bool) -> tuple[int, list[str]]:
    """Run one benchmark in its own process; return its exit status and its claim lines."""
    command = [sys.executable, "-m", f"bench.{name}", *(["--quick"] if quick else [])]
    with subprocess.Popen(command, cwd=FOLDER.parent, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    return process.returncode, [line for line in lines if LINE.match(line)]


def table(lines: Iterable[tuple[str, str]]) -> str:
    """Return (benchmark, claim line) pairs as a Markdown table."""
    rows = ["| benchmark | claim | n | ours | anchor | ratio | target | |", "|---|---|--:|--:|--:|--:|--:|---|"]
    for name, line in lines:
        found = LINE.match(line)
        if found is None:
            raise ValueError(f"not a claim line: {line}")
        rows.append(
            f"| `{name}` | {found['name']} | {int(found['n']):,} | {found['ours']} | {found['anchor']} "
            f"| {float(found['ratio']):,.4g}x | {float(found['target']):g}x | {found['verdict']} |"
        )
    return "\n".join(rows)


def rewritten(text: str, content: str) -> str:
    """Return the README's text with the table between the two marks replaced."""
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    return f"{head}{START}\n{content}\n{END}{tail}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run everything; return 1 when a claim is short or a benchmark broke."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the smaller sets; the README stays as it is")
    quick = parser.parse_args(arguments).quick
    worst, lines = 0, []
    for name in benchmarks():
        status, claims = run(name, quick=quick)
        worst = max(worst, int(status != 0))
        lines += [(name, claim) for claim in claims]
    if not quick:
        README.write_text(rewritten(README.read_text(encoding="utf-8"), table(lines)), encoding="utf-8")
    return worst


if __name__ == "__main__":
    sys.exit(main())
