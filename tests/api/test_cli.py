"""The command line: every command on a real database, errors as sentences with an exit code, never a traceback."""

import json

import geopandas as gpd
import pytest
import typer.main
from typer.testing import CliRunner

from api.cli import app
from gis.store import cities, results
from gis.store.settings import settings
from tests.api.conftest import SOUTH, WEST, count
from tests.api.test_imports import CSV, GRIDS

RUNNER = CliRunner()


@pytest.fixture
def grids_file(tmp_path):
    path = tmp_path / "grids.geojson"
    path.write_text(json.dumps(GRIDS))
    return path


def commands(group=None, path=()):
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.mark.parametrize(
    ("path", "command"), list(commands()), ids=lambda v: " ".join(v) if isinstance(v, tuple) else ""
)
def test_every_command_explains_itself_with_an_example(path, command):
    result = RUNNER.invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    assert "Example" in command.help
    assert f"wangge {' '.join(path)}" in command.help or "$(wangge" in command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{path}: {parameter.name} is not explained"


def test_a_city_is_made_listed_and_used(wangge, store):
    wangge(
        "city", "create", "suzhou", "--metric-crs", "EPSG:4549", "--time-zone", "Asia/Shanghai", "--title-zh", "苏州"
    )
    wangge("city", "create", "chicago", "--metric-crs", "EPSG:26916", "--time-zone", "America/Chicago",
           "--languages", "en", "--open-categories", "--grid-code-pattern", r"\d{3,4}")  # fmt: skip
    assert cities.current(store).profile.slug == "chicago"
    wangge("city", "use", "suzhou")
    assert cities.current(store).profile.slug == "suzhou"
    listed = wangge("city", "list")
    assert "苏州" in listed
    assert "America/Chicago" in listed


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("city", "create", "x", "--metric-crs", "EPSG:4326", "--time-zone", "Asia/Shanghai"), "metric_crs"),
        (("city", "create", "x", "--metric-crs", "EPSG:4549", "--time-zone", "Mars"), "time_zone"),
        (("city", "create", "X Y", "--metric-crs", "none", "--time-zone", "Mars"), "slug"),
        (
            ("city", "create", "x", "--metric-crs", "EPSG:4549", "--time-zone", "UTC", "--languages", "fr"),
            "--languages",
        ),
        (
            ("city", "create", "x", "--metric-crs", "EPSG:4549", "--time-zone", "UTC", "--lattice-origin", "a"),
            "--lattice",
        ),
        (("city", "use", "atlantis"), "atlantis"),
        (("import", "grids", "no-such-file.csv"), "no city"),
        (("run", "fortune"), "fortune"),
        (("export", "fortune", "x.csv"), "fortune"),
    ],
)
def test_what_the_caller_can_fix_is_a_list_and_exit_code_2(wangge, words, told):
    assert told in wangge(*words, code=2)


def test_every_problem_is_named_at_once(wangge):
    told = wangge("city", "create", "X Y", "--metric-crs", "none", "--time-zone", "Mars", code=2)
    assert all(name in told for name in ("slug", "metric_crs", "time_zone"))


def test_a_file_is_imported_and_reported(wangge, filled, store, grids_file):
    dry = wangge("import", "grids", grids_file, "--dry-run")
    assert "nothing was changed" in dry
    assert count(store, filled, "grids") == 4
    assert "applied" in wangge("import", "grids", grids_file)
    assert count(store, filled, "grids") == 6
    assert "already applied" in wangge("import", "grids", grids_file)
    assert count(store, filled, "grids") == 6


def test_columns_are_mapped_set_and_skipped(wangge, filled, store, tmp_path):
    path = tmp_path / "crimes.csv"
    header, *rows = CSV.replace("category", "Primary Type").splitlines()
    path.write_text("\n".join([f"{header},beat", *(f"{row},1" for row in rows)]))
    wangge("import", "incidents", path, "--crs", "wgs84", "--map", "category=Primary Type", "--set", "origin=patrol",
           "--skip", "beat", "--source", "police", "--time-zone", "Asia/Shanghai", code=0)  # fmt: skip
    assert count(store, filled, "incidents") == 252


def test_a_refused_file_names_its_rows_and_exits_2(wangge, filled, store, tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(CSV.replace("burglary", "witchcraft"))
    told = wangge("import", "incidents", path, "--crs", "wgs84", code=2)
    assert "category" in told
    assert "1 row, such as 2" in told
    assert count(store, filled, "incidents") == 250
    assert "applied" in wangge("import", "incidents", path, "--crs", "wgs84", "--allow-partial")
    assert count(store, filled, "incidents") == 251


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("grids", "missing.geojson"), "missing.geojson"),
        (("palaces", "{file}"), "palaces"),
        (("grids", "{file}", "--crs", "moon"), "moon"),
        (("grids", "{file}", "--map", "nonsense"), "--map"),
        (("grids", "{file}", "--map", "a=b", "--map", "a=c"), "given twice"),
        (("grids", "{folder}/notes.docx"), ".docx"),
    ],
)
def test_an_import_that_makes_no_sense_exits_2(wangge, filled, grids_file, words, told):
    del filled
    (grids_file.parent / "notes.docx").write_text("x")
    words = [word.replace("{file}", str(grids_file)).replace("{folder}", str(grids_file.parent)) for word in words]
    assert told in wangge("import", *words, code=2)


def test_what_is_exported_comes_in_again_unchanged(wangge, city, store, grids_file, tmp_path):
    path = tmp_path / "again.gpkg"
    wangge("import", "grids", grids_file, "--source", "office")
    wangge("export", "grids", path)
    frame = gpd.read_file(path)
    assert len(frame) == 2
    assert frame.total_bounds.tolist() == pytest.approx([WEST + 0.03, SOUTH, WEST + 0.05, SOUTH + 0.01])
    told = wangge("import", "grids", path, "--source", "office")
    assert [line.split("│")[2].strip() for line in told.splitlines() if "unchanged" in line] == ["2"]
    assert count(store, city, "grids") == 2


def test_a_service_runs_and_its_result_is_written(wangge, filled, store, tmp_path):
    del filled
    features, page, again = tmp_path / "hotspots.gpkg", tmp_path / "hotspots.html", tmp_path / "again.geojson"
    told = wangge("run", "hotspots", "--param", "lattice_m=400", "--param", "alpha=0.1", "--out", features)
    assert "hotspots, run 1" in told
    frame = gpd.read_file(features)
    assert len(frame) > 0
    assert "significance" in frame
    wangge("run", "hotspots", "-p", "lattice_m=400", "--out", page)
    assert page.read_text().count('src="http') == 0
    wangge("export", "hotspots", again, "--run-id", "1")
    assert len(gpd.read_file(again)) == len(frame)
    assert [run.id for run in results.list_(store, cities.current(store))] == [2, 1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--param", "alpha=high"), "alpha"),
        (("--param", "fortune=1"), "fortune"),
        (("--param", "nonsense"), "--param"),
        (("--out", "result.docx"), ".docx"),
        (("--out", "/no/such/folder/x.gpkg"), "/no/such/folder"),
    ],
)
def test_a_run_that_makes_no_sense_exits_2_before_it_computes(wangge, filled, store, words, told):
    assert told in wangge("run", "hotspots", *words, code=2)
    assert results.list_(store, filled) == []


def test_an_export_to_nowhere_exits_2(wangge, filled, tmp_path):
    del filled
    assert "--out" in wangge("export", "grids", tmp_path / "no" / "folder.csv", code=2)
    assert ".docx" in wangge("export", "grids", tmp_path / "grids.docx", code=2)
    assert "--run-id" in wangge("export", "grids", tmp_path / "grids.csv", "--run-id", "1", code=2)


def test_the_database_tells_about_itself(wangge, store):
    assert "newest" in wangge("db", "status")
    assert "there already" in wangge("db", "migrate")
    assert wangge("db", "url").strip() == store.url.set(drivername="postgresql").render_as_string(hide_password=False)
    assert "not ours to stop" in wangge("db", "stop", code=1)


def test_a_database_that_is_away_is_said_so(wangge, monkeypatch):
    monkeypatch.setenv("WANGGE_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:9/none")
    settings.cache_clear()
    told = wangge("city", "list", code=1)
    assert "127.0.0.1:9" in told
    assert "secret" not in told


def test_a_bug_is_one_line(wangge, monkeypatch):
    def broken(*_args, **_options):
        raise RuntimeError("boom")

    monkeypatch.setattr("gis.store.cities.all_", broken)
    assert "RuntimeError: boom" in wangge("city", "list", code=1)


def test_a_backup_comes_back(wangge, filled, store, tmp_path):
    path = tmp_path / "city.dump"
    wangge("db", "backup", path)
    assert path.stat().st_size > 1000
    assert "never written over" in wangge("db", "backup", path, code=1)
    cities.remove(store, filled.profile.slug)
    wangge("db", "restore", path, answer="n\n", code=1)
    assert cities.all_(store) == []
    wangge("db", "restore", path, "--yes")
    assert count(store, cities.current(store), "grids") == 4
