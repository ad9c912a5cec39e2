"""Copies, the way back and the drill from the command line: what is asked for twice, or of somebody else's database."""


def test_a_drill_says_how_long_each_step_took_and_that_the_backup_is_good(wangge, filled):
    assert filled
    said = wangge("db", "drill")
    assert "the backup is good" in said
    for step in ("dump", "restore", "ensure", "compare", "tables"):
        assert step in said


def test_a_backup_needs_one_place_and_a_restore_one_source(wangge, tmp_path):
    assert "name either" in wangge("db", "backup", code=2)
    assert "name either" in wangge("db", "backup", tmp_path / "a", "--base", tmp_path, code=2)
    assert "name either" in wangge("db", "restore", "--yes", code=2)
    assert "names no zone" in wangge("db", "restore", "--at", "2026-11-25T10:00:00", "--yes", code=2)
    assert "is no moment" in wangge("db", "restore", "--at", "yesterday", "--yes", code=2)


def test_a_database_of_somebody_else_is_not_ours_to_archive(wangge, tmp_path):
    for words in (
        ("archive", tmp_path),
        ("backup", "--base", tmp_path),
        ("restore", "--at", "2026-11-25T10:00:00Z", "--yes"),
    ):
        assert "WANGGE_DATABASE_URL is set" in wangge("db", *words, code=1)
