"""The process that reads a stranger's file: one GDAL driver, no network, little memory and time, killed when silent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import IO, Any

import pyarrow as pa

from gis.errors import GridError, InvalidInput, Problem, TooLarge, UnsupportedMedia
from gis.files.child.__main__ import REFUSED
from gis.files.child.request import Request

ROOT = Path(__file__).parents[2]
_KILLED_BY_LIMIT = frozenset({-9, -24})
"""Return codes of a process that was killed, or had no processor time left."""


@contextmanager
def reading(request: Request) -> Iterator[tuple[dict[str, Any], Iterator[pa.RecordBatch]]]:
    """Yield what is known of the file and its rows, read by a process that ends with the block.

    Raises
    ------
    InvalidInput, UnsupportedMedia
        What the reading process says about the file, or that it died of it.
    TooLarge
        It needed more memory, time or room than the limits give.
    """
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [sys.executable, "-m", "gis.files.child"],
            cwd=ROOT,
            env=_environment(request.driver),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
        try:
            _ask(process, request)
            lifeline = partial(_watched, process, request.limits.silence_s)
            reader = lifeline(partial(_open, process, complaints))
            facts = json.loads(reader.schema.metadata[b"facts"])
            yield facts, _batches(reader, process, complaints, lifeline)
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _ask(process: subprocess.Popen[bytes], request: Request) -> None:
    if process.stdin is None:
        raise RuntimeError("the reading process has no standard input")
    try:
        process.stdin.write(request.to_json().encode())
        process.stdin.close()
    except BrokenPipeError:
        return  # It died at once; what it said is read with its answer.


def _open(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> pa.RecordBatchStreamReader:
    try:
        return pa.ipc.open_stream(process.stdout)
    except pa.ArrowInvalid:
        raise _verdict(process, complaints) from None


def _batches(
    reader: pa.RecordBatchStreamReader,
    process: subprocess.Popen[bytes],
    complaints: IO[bytes],
    lifeline: Callable[[Callable[[], pa.RecordBatch]], pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = lifeline(reader.read_next_batch)
        except StopIteration:
            break
        except (pa.ArrowInvalid, OSError):
            raise _verdict(process, complaints) from None
        yield batch
    if process.wait() != 0:
        raise _verdict(process, complaints)


def _watched(process: subprocess.Popen[bytes], silence_s: float, read: Callable[[], Any]) -> Any:
    """Return what `read` gives; kill the process when that takes too long, which ends the read."""
    watchdog = threading.Timer(silence_s, process.kill)
    watchdog.start()
    try:
        return read()
    finally:
        watchdog.cancel()


def _verdict(process: subprocess.Popen[bytes], complaints: IO[bytes]) -> GridError:
    """Return what the dead process has to say, as the error it meant."""
    status = process.wait()
    complaints.seek(0)
    said = complaints.read().decode(errors="replace").rstrip().rpartition("\n")[2]
    if status == REFUSED:
        refusal = json.loads(said)
        if refusal["kind"] == TooLarge.__name__:
            return TooLarge(refusal["message"])
        kind = UnsupportedMedia if refusal["kind"] == UnsupportedMedia.__name__ else InvalidInput
        problems = [Problem(**{**problem, "rows": tuple(problem["rows"])}) for problem in refusal["problems"]]
        return kind(refusal["message"], problems)
    if status in _KILLED_BY_LIMIT or "MemoryError" in said or "bad_alloc" in said:
        return TooLarge("reading the file takes more time or memory than is given to it")
    # The name of the exception alone: its text may quote the file.
    reason = said.partition(":")[0] if status > 0 else f"signal {-status}"
    return InvalidInput(f"the file is broken: reading it ended with {reason}")


@cache
def _all_drivers() -> tuple[str, ...]:
    import pyogrio

    return tuple(sorted(pyogrio.list_drivers()))


def _environment(driver: str | None) -> Mapping[str, str]:
    """Return an environment in which GDAL knows one driver, calls nobody, and no secret of the server is seen."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "OGR_SKIP": ",".join(name for name in _all_drivers() if name != driver),
        "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
        "GDAL_HTTP_TIMEOUT": "1",
        # GDAL's own stream of a FlatGeobuf is broken where a feature has no place (seen in 3.12.4).
        "OGR_FLATGEOBUF_STREAM_BASE_IMPL": "YES",
    }
