"""CSV: every value stays text, in whichever encoding the file turns out to be."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from gis.errors import InvalidInput, Problem, TooLarge
from gis.files.child.request import ROW, TROUBLE, Request, Source
from gis.files.limits import MEGABYTE

ENCODINGS = ("utf-8", "gb18030")
DELIMITERS = ",;\t|"
HEADER_CHARACTERS = 64 * 1024


def open_csv(request: Request) -> Source:
    """Open a CSV file.

    Raises
    ------
    InvalidInput
        Neither UTF-8 nor GB 18030, no header, or a field named twice.
    """
    path = Path(request.path)
    encoding = request.encoding or _encoding(path)
    header, delimiter, lines = _header(path, encoding)
    _check_header(header, request)
    bad: list[int] = []

    def note_bad_row(row: arrow_csv.InvalidRow) -> str:
        bad.append(row.number)
        return "skip"

    reader = arrow_csv.open_csv(
        path,
        read_options=arrow_csv.ReadOptions(
            use_threads=False, block_size=8 * MEGABYTE, encoding=encoding, column_names=header, skip_rows=lines
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=True, invalid_row_handler=note_bad_row
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    )
    return Source(tuple(header), _numbered(reader, bad, header_lines=lines), total=_lines(path) - lines)


def _encoding(path: Path) -> str:
    for encoding in ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as file:
                while block := file.read(MEGABYTE):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        # A byte order mark would otherwise become part of the first field's name.
        with path.open("rb") as file:
            return "utf-8-sig" if file.read(3) == codecs.BOM_UTF8 else encoding
    raise InvalidInput("the text is neither UTF-8 nor GB 18030; name its encoding")


def _header(path: Path, encoding: str) -> tuple[list[str], str, int]:
    """Return the field names, the delimiter and how many lines the header takes."""
    with path.open(encoding=encoding, newline="") as file:
        head = file.read(HEADER_CHARACTERS)
    first = head.lstrip("\r\n").split("\n", 1)[0]
    counts = {delimiter: first.count(delimiter) for delimiter in DELIMITERS}
    delimiter = max(counts, key=lambda d: counts[d])
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=delimiter)
    for names in reader:
        if any(name.strip() for name in names):
            return [name.strip() for name in names], delimiter, reader.line_num
    raise InvalidInput("the file has no header line")


def _check_header(header: list[str], request: Request) -> None:
    if len(header) > request.limits.columns:
        raise TooLarge(f"{len(header)} columns are more than the {request.limits.columns} taken here")
    twice = sorted({name for name in header if header.count(name) > 1})
    unnamed = [str(i + 1) for i, name in enumerate(header) if not name]
    problems = [Problem("duplicate_field", f"the header names '{name}' twice", name) for name in twice if name]
    problems += [Problem("unnamed_field", f"column {number} has no name") for number in unnamed]
    if problems:
        raise InvalidInput("the header cannot be used", problems)


def _numbered(reader: arrow_csv.CSVStreamingReader, bad: list[int], *, header_lines: int) -> Iterator[pa.RecordBatch]:
    """Give every row its number, and every row that could not be split a place among them."""
    following, settled = 1, 0
    for batch in reader:
        # Arrow reads ahead: a bad row of the next block may be known already, never one of this block unknown.
        pending = np.array(bad[settled:], dtype=np.int64) - header_lines
        candidates = np.arange(following, following + batch.num_rows + pending.size, dtype=np.int64)
        good = candidates[~np.isin(candidates, pending)][: batch.num_rows]
        if not good.size:
            continue
        following = int(good[-1]) + 1
        passed = pending[pending < following]
        settled += passed.size
        yield _with(batch, good, None)
        if passed.size:
            yield _empty(batch.schema, passed, "unreadable_row")
    late = np.array(bad[settled:], dtype=np.int64) - header_lines
    if late.size:
        yield _empty(reader.schema, late, "unreadable_row")


def _with(batch: pa.RecordBatch, numbers: np.ndarray, trouble: str | None) -> pa.RecordBatch:
    return batch.append_column(ROW, pa.array(numbers)).append_column(
        TROUBLE, pa.array([trouble] * batch.num_rows, pa.string())
    )


def _empty(schema: pa.Schema, numbers: np.ndarray, trouble: str) -> pa.RecordBatch:
    nothing = pa.RecordBatch.from_arrays([pa.nulls(numbers.size, field.type) for field in schema], names=schema.names)
    return _with(nothing, numbers, trouble)


def _lines(path: Path) -> int:
    count = 0
    with path.open("rb") as file:
        while block := file.read(MEGABYTE):
            count += block.count(b"\n")
    return count
