"""Runs the benchmarks of this folder, all or those that are named, and rewrites their rows in ``bench/README.md``."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
README = FOLDER / "README.md"
START, END = "<!-- claims: written by python -m bench -->", "<!-- end of claims -->"
NOT_BENCHMARKS = frozenset({"__init__", "__main__", "databases", "harness"})
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


def table(rows: Iterable[str]) -> str:
    """Return rows as a Markdown table, in the order of the benchmarks' names."""
    head = ["| benchmark | claim | n | ours | anchor | ratio | target | |", "|---|---|--:|--:|--:|--:|--:|---|"]
    return "\n".join([*head, *sorted(rows, key=_benchmark)])


def row(benchmark: str, claim: str) -> str:
    """Return the row of a claim line."""
    found = LINE.match(claim)
    if found is None:
        raise ValueError(f"not a claim line: {claim}")
    return (
        f"| `{benchmark}` | {found['name']} | {int(found['n']):,} | {found['ours']} | {found['anchor']} "
        f"| {float(found['ratio']):,.4g}x | {float(found['target']):g}x | {found['verdict']} |"
    )


def kept(text: str, without: Collection[str]) -> list[str]:
    """Return the rows of the README's text that are not of the benchmarks named."""
    _, _, rest = text.partition(START)
    rows = [line for line in rest.partition(END)[0].splitlines() if line.startswith("| `")]
    return [line for line in rows if _benchmark(line) not in without]


def _benchmark(line: str) -> str:
    return line.split("`")[1]


def rewritten(text: str, content: str) -> str:
    """Return the README's text with the table between the two marks replaced."""
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    return f"{head}{START}\n{content}\n{END}{tail}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them; return 1 when a claim is short or a benchmark broke."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(benchmarks())}; all by default")
    parser.add_argument("--quick", action="store_true", help="the smaller sets; the README stays as it is")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.names) - set(benchmarks()):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    worst = 0
    for name in asked.names or benchmarks():
        status, claims = run(name, quick=asked.quick)
        worst = max(worst, int(status != 0))
        if claims and not asked.quick:
            # After each, so that a long run that is cut off has not been for nothing.
            text = README.read_text(encoding="utf-8")
            rows = [*kept(text, {name}), *(row(name, claim) for claim in claims)]
            README.write_text(rewritten(text, table(rows)), encoding="utf-8")
    return worst


if __name__ == "__main__":
    sys.exit(main())
