"""No copy of somebody's data outlives the process that made it by more than the next reading."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gis.files.scratch import scratch_folder, sweep

HOLD = """
import sys, time
from gis.files.scratch import scratch_folder
with scratch_folder() as folder:
    (folder / "copy.gpkg").write_text("data")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)


def test_the_folder_goes_with_the_block() -> None:
    with scratch_folder() as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_uses_stays() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        folder = Path(process.stdout.readline().strip())
        assert sweep() == 0
        assert (folder / "copy.gpkg").is_file()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert folder.is_dir(), "nobody cleared up after the kill"
    with scratch_folder() as mine:
        assert not folder.exists()
        assert mine.is_dir()
