"""An import that is killed again and again ends with exactly the right rows: none lost, none doubled, none early."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from gis.errors import Conflict
from gis.store.ingest import ImportOptions, import_file, row_errors
from gis.store.tables import FRAME_TABLES, IMPORT_BATCHES, IMPORT_ERRORS, STAGE_TABLES
from tests.support.hatchery import importer_process, telling

ROWS = 12_000
KILLS = 7
INCIDENTS = FRAME_TABLES["incidents"]


def write_lines(path: Path, *, seed: int) -> None:
    """Write a file with every kind of bad line that an incident can have."""
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        for number in range(ROWS):
            properties = {
                "source_id": f"i{number}",
                "occurred_at": f"2024-03-{1 + number % 28:02d}T{number % 24:02d}:{number % 60:02d}:00+08:00",
                "category": "theft",
            }
            point = [round(120.5 + rng.random() / 5, 6), round(31.2 + rng.random() / 5, 6)]
            kind = rng.random()
            if kind < 0.002:
                file.write('{"type": "Feature", broken\n')
                continue
            if kind < 0.004:
                point = [2.35, 48.85]
            elif kind < 0.006:
                properties["occurred_at"] = "yesterday"
            elif kind < 0.008:
                properties["category"] = "no such category"
            geometry = None if 0.008 <= kind < 0.010 else {"type": "Point", "coordinates": point}
            file.write(json.dumps({"type": "Feature", "properties": properties, "geometry": geometry}) + "\n")


def expected_rows(path: Path) -> tuple[dict[str, tuple[float, float] | None], dict[int, str]]:
    """Return what the file says, by code that shares nothing with the importer."""
    good, bad = {}, {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            feature = json.loads(line)
        except ValueError:
            bad[number] = "unreadable_row"
            continue
        place = feature["geometry"]["coordinates"] if feature["geometry"] else None
        if feature["properties"]["occurred_at"] == "yesterday":
            bad[number] = "not_a_time"
        elif feature["properties"]["category"] != "theft":
            bad[number] = "unknown_code"
        elif place is not None and place[0] < 100:
            bad[number] = "outside_area"
        else:
            good[feature["properties"]["source_id"]] = tuple(place) if place else None
    return good, bad


def stored_rows(store, city) -> dict[str, tuple[float, float] | None]:
    query = sa.select(
        INCIDENTS.c.source_id,
        sa.func.ST_X(INCIDENTS.c.geom),
        sa.func.ST_Y(INCIDENTS.c.geom),
        INCIDENTS.c.location_withheld,
    )
    with store.transaction(city.scope, read_only=True) as connection:
        rows = connection.execute(query).all()
    assert len(rows) == len({row[0] for row in rows})
    assert all(withheld == (x is None) for _, x, _, withheld in rows)
    return {key: None if x is None else (x, y) for key, x, y, _ in rows}


def count(store, city, table) -> int:
    with store.transaction(city.scope, read_only=True, as_owner=True) as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table))


def wait_for_the_moment(heard, kill: int, rng: np.random.Generator) -> None:
    """Wait for a random moment: the first kills come before any chunk, the last while the rows are applied."""
    if kill < 2:
        time.sleep(rng.random() / 4)
        return
    chunks = int(rng.integers(1, 7))
    for words in heard:
        chunks -= "rows read" in words
        if (kill < KILLS - 2 and chunks == 0) or words.startswith("applying"):
            break
    time.sleep(rng.random() / 50)


@pytest.mark.chaos
def test_import_chaos(store, city, tmp_path):
    path = tmp_path / "incidents.ndjson"
    write_lines(path, seed=11)
    good, bad = expected_rows(path)
    assert len(bad) > 50
    rng = np.random.default_rng(5)
    url = store.url.render_as_string(hide_password=False)
    reached = []
    for kill in range(KILLS):
        with telling(importer_process, url, str(path)) as (process, heard):
            wait_for_the_moment(heard, kill, rng)
            process.kill()
            process.join()
        with store.transaction(city.scope, read_only=True) as connection:
            batch = connection.execute(sa.select(IMPORT_BATCHES.c.state, IMPORT_BATCHES.c.rows_read)).one_or_none()
        reached.append(batch.rows_read if batch is not None else 0)
        assert count(store, city, INCIDENTS) == (len(good) if batch is not None and batch.state == "applied" else 0)
    assert sorted(reached) == reached
    assert len({rows for rows in reached if 0 < rows < ROWS}) >= 3, "the kills must hit the middle of the import"
    deadline = time.monotonic() + 60
    while True:
        with telling(importer_process, url, str(path)) as (process, heard):
            said = [*heard]
            process.join()
            if process.exitcode == 0:
                break
        # A database process that lost its client may hold the file for some seconds yet.
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert said[-1] == "applied"
    assert stored_rows(store, city) == good
    with store.transaction(city.scope, read_only=True) as connection:
        errors = connection.execute(sa.select(IMPORT_ERRORS.c.row_number, IMPORT_ERRORS.c.code)).all()
        batch = connection.execute(sa.select(IMPORT_BATCHES)).one()
    assert dict(map(tuple, errors)) == bad
    assert len(errors) == len(bad)
    assert (batch.state, batch.rows_read, batch.rows_bad) == ("applied", ROWS, len(bad))
    assert count(store, city, STAGE_TABLES["incidents"]) == 0


def test_a_second_importer_of_the_same_file_is_told_at_once(store, city, tmp_path):
    path = tmp_path / "incidents.ndjson"
    write_lines(path, seed=3)
    options = ImportOptions(allow_partial=True)
    busy = []

    def meanwhile(_share: float, words: str) -> None:
        if "rows read" in words and not busy:
            with pytest.raises(Conflict) as caught:
                import_file(store, city, "incidents", path, options)
            busy.append(str(caught.value))

    report = import_file(store, city, "incidents", path, options, progress=meanwhile)
    assert report.state == "applied"
    assert len(busy) == 1
    assert count(store, city, INCIDENTS) == report.inserted == ROWS - report.rows_bad
    assert len(row_errors(store, city, report.batch_id, limit=10_000)) == report.rows_bad
