"""Reads one file, by the request on standard input, and writes an Arrow stream to standard output.

Ends with status 0; or with `REFUSED` and one line of JSON on standard error that says what is wrong with the file.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from itertools import chain
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from gis.errors import GridError, InvalidInput, TooLarge
from gis.files.child.places import place_fields, with_places
from gis.files.child.request import PLACE, Request, Source
from gis.files.limits import MEGABYTE, Limits

REFUSED = 3
READERS: Mapping[str, tuple[str, str]] = {
    "csv": ("text_table", "open_csv"),
    "excel": ("records", "open_excel"),
    "geojson": ("records", "open_geojson"),
    "geojsonseq": ("records", "open_lines"),
    "geopackage": ("vector", "open_with_gdal"),
    "flatgeobuf": ("vector", "open_with_gdal"),
    "shapefile": ("vector", "open_with_gdal"),
    "parquet": ("vector", "open_parquet"),
    "osm": ("osm", "open_osm"),
}
"""Format -> the module here and its function that open a file of it: one file needs the libraries of one format."""

Read = Callable[[Request], Source]


def reader(format_: str) -> Read:
    """Return what opens a file of a format, with its libraries."""
    module, name = READERS[format_]
    found: Read = getattr(import_module(f"gis.files.child.{module}"), name)
    return found


def answer(request: Request, read: Read, sink: BinaryIO) -> None:
    """Write the rows of the requested file, which `read` opens, as an Arrow stream.

    Raises
    ------
    InvalidInput
        The file has no rows, or names no field that it is asked for.
    TooLarge
        It has more rows, or a longer value, than the limits allow.
    """
    source = read(request)
    batches = _chunks(source.batches, request.chunk_rows)
    first = next(batches, None)
    if first is None:
        raise InvalidInput("the file has no rows")
    has_geometry = PLACE in first.schema.names
    places = place_fields(source.fields, request, has_geometry=has_geometry)
    facts = {
        "fields": [name for name in source.fields if name not in places.values()],
        "places": places,
        "has_place": has_geometry or bool(places),
        "crs": source.crs,
        "total": source.total,
        "notes": source.notes or {},
    }
    dropped = [name for name in request.drop if name in first.schema.names]
    count = 0
    writer: pa.RecordBatchStreamWriter | None = None
    for batch in chain([first], batches):
        shaped = with_places(batch.drop_columns(dropped), places, request.limits)
        _check_cells(shaped, request)
        if writer is None:
            writer = pa.ipc.new_stream(sink, shaped.schema.with_metadata({"facts": json.dumps(facts)}))
        count += shaped.num_rows
        if count > request.limits.rows:
            raise TooLarge(f"the file has more than the {request.limits.rows:,} rows taken here")
        writer.write_batch(shaped)
    if writer is not None:
        writer.close()


def _chunks(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Yield the same rows in batches of `rows`, the last one shorter."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += batch.num_rows
        if held < rows:
            continue
        whole = pa.Table.from_batches(waiting).combine_chunks()
        cut = held - held % rows
        yield from whole.slice(0, cut).to_batches(max_chunksize=rows)
        waiting = whole.slice(cut).to_batches()
        held -= cut
    if held:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches(max_chunksize=rows)


def _check_cells(batch: pa.RecordBatch, request: Request) -> None:
    cap = request.limits.cell_characters
    for name in batch.schema.names:
        column = batch[name]
        if pa.types.is_string(column.type) and (pc.max(pc.utf8_length(column)).as_py() or 0) > cap:
            raise TooLarge(f"a value of '{name}' has more than the {cap:,} characters taken here")


def main() -> int:
    """Answer the request on standard input; return the exit status."""
    request = Request.from_json(sys.stdin.read())
    read = reader(request.format)
    _limit(request.limits)
    try:
        answer(request, read, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        return 0
    except MemoryError:
        return _refuse(TooLarge("reading the file takes more memory than is given to it"))
    except GridError as error:
        return _refuse(error)
    return 0


def _limit(limits: Limits) -> None:
    """Bind this process before it sees a byte of the file.

    Not the parent's work between fork and exec: in a server with threads that can block for ever.
    """
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_CPU, (limits.processor_s, limits.processor_s))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MEGABYTE, MEGABYTE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _refuse(error: GridError) -> int:
    problems = [problem.as_dict() for problem in getattr(error, "problems", ())]
    message = getattr(error, "message", str(error))
    refusal = {"kind": type(error).__name__, "message": message, "problems": problems}
    sys.stderr.write("\n" + json.dumps(refusal) + "\n")
    return REFUSED


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # Everything has been said. Libraries with threads of their own may abort while they are taken down under these
    # limits, and a file that was read well would count as broken.
    os._exit(status)
