"""``wangge audit``: the log at the machine itself."""

import json

import pytest

from gis.store import audit
from gis.store.audit import Asker, Entry, asking
from tests.gis.store.test_audit import as_owner, old_chain, put_back


@pytest.fixture
def log(store, filled):
    """A log of what two desks did."""
    for number, (name, action) in enumerate([("desk-1", "view"), ("desk-2", "export"), ("desk-1", "denied")]):
        with asking(Asker("analyst", number, name, purpose="yearly report" if action == "export" else None)):
            audit.record(store, Entry(action, "collections/incidents", filled.id, rows_count=number))
    return store


def test_the_log_is_listed(wangge, log):
    assert log
    everything = wangge("audit", "list")
    for word in ("desk-1", "desk-2", "export", "yearly report", "denied"):
        assert word in everything, everything
    assert "desk-2" not in wangge("audit", "list", "--actor", "desk-1")
    assert "desk-1" not in wangge("audit", "list", "--action", "export", "--since", "2020-01-01")
    assert "desk" not in wangge("audit", "list", "--since", "2120-01-01T00:00:00+08:00")
    assert "must be one of" in wangge("audit", "list", "--action", "nonsense", code=2)
    assert "such as" in wangge("audit", "list", "--since", "yesterday", code=2)


def test_a_log_is_checked_against_itself_and_against_what_was_kept(wangge, log, tmp_path):
    assert "would not show" in wangge("audit", "verify")
    kept = tmp_path / "anchors.jsonl"
    line = wangge("audit", "head")
    kept.write_text(line)
    assert json.loads(line)["sequence"] == len(audit.read(log, limit=1000))
    assert "1 anchors compared" in wangge("audit", "verify", "--anchor", kept)
    wangge("user", "add", "desk-3", "--no-password")
    assert audit.read(log, limit=1)[0].role == "console"
    as_owner(log, "UPDATE audit.entries SET account = 'desk-9' WHERE account = 'desk-2'")
    assert "was edited" in wangge("audit", "verify", "--anchor", kept, code=1)
    as_owner(log, "UPDATE audit.entries SET account = 'desk-2' WHERE account = 'desk-9'")
    as_owner(log, "DELETE FROM audit.entries WHERE seq > 2")
    assert "the log ends before it" in wangge("audit", "verify", "--anchor", kept, code=1)
    assert "there is no file" in wangge("audit", "verify", "--anchor", tmp_path / "none", code=2)
    kept.write_text("{}\n")
    assert "line 1: is no anchor" in wangge("audit", "verify", "--anchor", kept, code=2)


def test_what_is_old_goes_when_told(wangge, store):
    put_back(store, old_chain(4.5))
    assert "6 for at least" not in wangge("audit", "retain", "--months", "3", code=2)
    assert "4 rows are gone" in wangge("audit", "retain", "--months", "6")
    newest = audit.read(store, limit=1)[0]
    assert (newest.action, newest.role) == ("retention", "console")
    assert "The log is whole." in wangge("audit", "verify")


def test_files_and_runs_of_the_command_line_are_written_down(wangge, store, filled, tmp_path):
    wangge("export", "grids", tmp_path / "grids.csv")
    wangge("run", "temporal_profile")
    found = [(row.action, row.object, row.role, row.city_id) for row in audit.read(store, actions=["export", "run"])]
    assert found == [
        ("run", "processes/temporal_profile", "console", filled.id),
        ("export", "collections/grids", "console", filled.id),
    ]
