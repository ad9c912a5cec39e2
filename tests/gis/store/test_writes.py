"""Rows edited one by one: what the next import of their source does to them, and that a killed writer loses nothing."""

import os
import signal
import subprocess
import sys
import uuid

import pytest
import shapely
import sqlalchemy as sa

from gis.files.feature import Row
from gis.store import writes
from gis.store.ingest import ImportOptions, import_file
from gis.store.relations import frame_relation
from gis.store.tables import EDITED_ROWS, FRAME_TABLES, FRAME_VERSIONS

POSTS = frame_relation("posts")
TABLE = FRAME_TABLES["posts"]
WRITER = """
import sys
import shapely
from gis.files.feature import Row
from gis.store import cities, writes
from gis.store.engine import Store
from gis.store.relations import frame_relation
store = Store(sys.argv[1])
city = cities.current(store)
while True:
    row = Row({"kind": "police_post"}, shapely.Point(120.6, 31.3))
    print(writes.create(store, city.scope, frame_relation("posts"), row).key, flush=True)
"""


def any_version(version):
    assert version > 0


def taken(store, city, tmp_path, **kinds):
    """Import posts of the source 'register', code -> kind, and return the report."""
    path = tmp_path / f"{uuid.uuid4().hex}.csv"
    lines = [f"{code},{kind},120.{600 + i},31.3" for i, (code, kind) in enumerate(kinds.items())]
    path.write_text("\n".join(["source_id,kind,lon,lat", *lines]), encoding="utf-8")
    return import_file(store, city, "posts", path, ImportOptions(crs="wgs84", source="register"))


def kinds(store, city):
    with store.transaction(city.scope, read_only=True) as connection:
        found = connection.execute(sa.select(TABLE.c.source_id, TABLE.c.kind).order_by(TABLE.c.source_id))
        return {row.source_id: row.kind for row in found}


def key_of(store, city, source_id):
    with store.transaction(city.scope, read_only=True) as connection:
        return connection.scalar(sa.select(TABLE.c.id).where(TABLE.c.source_id == source_id))


def change(store, city, source_id, kind):
    def merge(before):
        return Row({**before.values, "kind": kind}, before.geometry)

    key = key_of(store, city, source_id)
    return writes.change(store, city.scope, POSTS, key, merge=merge, check=any_version)


def remove(store, city, source_id):
    writes.remove(store, city.scope, POSTS, key_of(store, city, source_id), check=any_version)


def remembered(store, city):
    with store.transaction(city.scope, read_only=True) as connection:
        return set(connection.scalars(sa.select(EDITED_ROWS.c.source_id)))


def test_an_edit_is_kept_until_its_source_says_something_new(store, city, tmp_path):
    taken(store, city, tmp_path, a="police_post", b="police_post", c="police_post", d="police_post")
    change(store, city, "a", "guard_post")
    change(store, city, "a", "health_post")
    change(store, city, "b", "guard_post")
    remove(store, city, "c")
    change(store, city, "d", "guard_post")
    remove(store, city, "d")
    assert remembered(store, city) == {"a", "b", "c", "d"}

    # The source says what it said, and one thing that is new to it: what was edited here stays.
    report = taken(
        store, city, tmp_path, a="police_post", b="police_post", c="police_post", d="police_post", e="guard_post"
    )
    assert (report.kept, report.inserted, report.updated, report.unchanged) == (4, 1, 0, 0)
    assert report.warnings == ()
    assert kinds(store, city) == {"a": "health_post", "b": "guard_post", "e": "guard_post"}

    # The source has changed two of them: it is followed, and the report says so of each.
    report = taken(store, city, tmp_path, a="grid_station", b="police_post", c="grid_station", d="police_post")
    assert (report.kept, report.inserted, report.updated) == (2, 1, 1)
    (warning,) = report.warnings
    assert (warning.code, warning.count, warning.rows) == ("edit_overwritten", 2, (1, 3))
    assert "was edited here" in warning.message
    assert "was removed here" in warning.message
    assert kinds(store, city) == {"a": "grid_station", "b": "guard_post", "c": "grid_station", "e": "guard_post"}
    assert remembered(store, city) == {"b", "d"}

    # What was once given way to is an ordinary row again.
    report = taken(store, city, tmp_path, a="police_post", c="police_post")
    assert (report.kept, report.updated, report.warnings) == (0, 2, ())


def test_a_dry_run_names_the_edits_that_would_give_way_and_touches_none(store, city, tmp_path):
    taken(store, city, tmp_path, a="police_post")
    change(store, city, "a", "guard_post")
    path = tmp_path / "new.csv"
    path.write_text("source_id,kind,lon,lat\na,grid_station,120.6,31.3", encoding="utf-8")
    for dry_run in (True, True, False):
        options = ImportOptions(crs="wgs84", source="register", dry_run=dry_run)
        report = import_file(store, city, "posts", path, options)
        assert [warning.code for warning in report.warnings] == ["edit_overwritten"]
        assert kinds(store, city) == {"a": "guard_post" if dry_run else "grid_station"}


def test_a_row_of_another_source_and_one_that_was_added_here_are_not_remembered(store, city, tmp_path):
    taken(store, city, tmp_path, a="police_post")
    row = Row({"kind": "police_post"}, shapely.Point(120.6, 31.3))
    written = writes.create(store, city.scope, POSTS, row)
    other = writes.create(store, city.scope, POSTS, row)
    writes.change(
        store, city.scope, POSTS, written.key, check=any_version,
        merge=lambda before: Row({**before.values, "kind": "guard_post"}, before.geometry),
    )  # fmt: skip
    writes.remove(store, city.scope, POSTS, other.key, check=any_version)
    assert remembered(store, city) == set()


@pytest.mark.parametrize("after", [3, 40])
def test_a_writer_that_is_killed_has_written_what_it_said_and_nothing_by_half(store, city, after):
    url = store.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as writer:
        said = [int(writer.stdout.readline()) for _ in range(after)]
        os.kill(writer.pid, signal.SIGKILL)
        said += [int(line) for line in writer.stdout.read().splitlines() if line.strip()]
    keys = sa.select(sa.func.array_agg(TABLE.c.id)).scalar_subquery()
    raised = sa.select(FRAME_VERSIONS.c.version).where(FRAME_VERSIONS.c.frame == "posts").scalar_subquery()
    with store.transaction(city.scope, read_only=True) as connection:
        # One statement, one moment: the last transaction of the dead may still be ending.
        kept, version = connection.execute(sa.select(keys, raised)).one()
    assert set(said) <= set(kept)
    assert len(kept) - len(said) in (0, 1)
    assert version == len(kept)
