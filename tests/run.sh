#!/usr/bin/env bash
# Every check of wangge, one after the other; stops at the first that fails. `make test` sets up and calls this.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m==> %s\033[0m\n' "$1"; shift; "$@"; }

# A real QGIS, for one file of tests that says so where it is missing; it comes while the checks of one processor run.
qgis_log=$(mktemp)
./setup.sh python3-qgis >"$qgis_log" 2>&1 &
qgis=$!

# The pages' own checks take one processor, and those below the other one.
web_log=$(mktemp)
{ web/npm run --silent check && web/npm run --silent test; } >"$web_log" 2>&1 &
web=$!
ended() { local code=0; wait "$1" || code=$?; cat "$2"; rm -f "$2"; return "$code"; }

step "lint" .venv/bin/ruff check .
step "format" .venv/bin/ruff format --check .
step "import rules" .venv/bin/lint-imports --no-cache
step "types" .venv/bin/mypy
step "web: types and unit tests" ended "$web" "$web_log"
wait "$qgis" || { echo "python3-qgis was not installed, its tests will be skipped:"; tail -n 5 "$qgis_log"; }
rm -f "$qgis_log"
# A file stays in one process (tests/conftest.py): its tests share a server, a browser or a database. Three, for each
# waits much of its time.
step "pytest: the house, PostGIS, notebooks, browser" .venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder --durations=40 "$@"
