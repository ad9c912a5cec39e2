.PHONY: setup demo test bench

setup:  ## Debian packages that are missing, .venv, locked packages, built web/
	@./setup.sh

demo: setup  ## embedded PostGIS, the demo city, default runs, the map on http://127.0.0.1:8000
	@.venv/bin/wangge demo

test: setup  ## every check: lint, import rules, types, web, pytest, browser
	@tests/run.sh

bench: setup  ## every claim of bench/, and its table in bench/README.md
	@.venv/bin/python -m bench
