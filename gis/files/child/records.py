"""GeoJSON, GeoJSON lines and Excel sheets: records whose values may change kind from row to row, given as text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import shapely

from gis.errors import InvalidInput, Problem, TooLarge
from gis.files.child.request import PLACE, ROW, TROUBLE, Request, Source

RECORD_SEPARATOR = b"\x1e"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CELL_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})


Feature = dict[str, Any]
Features = Iterator[tuple[int, Feature | None]]
"""Row numbers and features, None where the record is no feature."""


def open_geojson(request: Request) -> Source:
    """Open a GeoJSON file; a member of the collection that is no feature is a trouble of its own row.

    Raises
    ------
    InvalidInput
        No JSON (which knows neither NaN nor Infinity), or no collection of features.
    """
    try:
        content = orjson.loads(Path(request.path).read_bytes().removeprefix(BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"the file is no JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    records = [content] if content.get("type") == "Feature" else content.get("features")
    if content.get("type") not in ("FeatureCollection", "Feature") or not isinstance(records, list):
        raise InvalidInput("the file is no GeoJSON: it must be a collection of features")
    named = content.get("crs")
    crs = named["properties"]["name"] if isinstance(named, dict) and "name" in named.get("properties", {}) else None

    def features() -> Features:
        return ((number, _feature(record)) for number, record in enumerate(records, start=1))

    return _source(features, request, crs=crs or "EPSG:4326")


def open_lines(request: Request) -> Source:
    """Open GeoJSON lines: one feature a line, a broken line is a trouble of its own row."""
    return _source(lambda: _lines(Path(request.path), request), request, crs="EPSG:4326")


def _lines(path: Path, request: Request) -> Features:
    cap = request.limits.file_bytes // 4
    number = 0
    with path.open("rb") as file:
        while line := file.readline(cap + 1):
            if len(line) > cap:
                raise TooLarge(f"line {number + 1} is longer than {cap} bytes")
            text = line.strip().removeprefix(RECORD_SEPARATOR).removeprefix(BYTE_ORDER_MARK).strip()
            if not text:
                continue
            number += 1
            try:
                yield number, _feature(orjson.loads(text))
            except orjson.JSONDecodeError:
                yield number, None


def _feature(record: object) -> Feature | None:
    if not isinstance(record, dict) or record.get("type") != "Feature" or "geometry" not in record:
        return None
    return record if isinstance(record.get("properties") or {}, dict) else None


def _source(features: Callable[[], Features], request: Request, *, crs: str) -> Source:
    fields: dict[str, None] = {}
    total = 0
    for _, record in features():
        total += 1
        if record is not None:
            fields.update(dict.fromkeys(record.get("properties") or {}))
            if "id" in record:
                fields.setdefault("id")
    if len(fields) > request.limits.columns:
        raise TooLarge(f"{len(fields)} properties are more than the {request.limits.columns} taken here")
    names = tuple(fields)
    return Source(names, _feature_batches(features(), request, names), crs=crs, total=total)


def _feature_batches(features: Features, request: Request, names: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    while rows := list(islice(features, request.chunk_rows)):
        values: dict[str, list[str | None]] = {name: [] for name in names}
        shapes: list[bytes | None] = []
        for _, record in rows:
            properties = {} if record is None else {"id": record.get("id"), **(record.get("properties") or {})}
            for name, column in values.items():
                column.append(as_text(properties.get(name)))
            shape = None if record is None else record["geometry"]
            shapes.append(None if shape is None else _written(shape))
        geometry = shapely.from_geojson(np.array(shapes, dtype=object), on_invalid="ignore")
        lost = [shape is not None and found is None for shape, found in zip(shapes, geometry, strict=True)]
        troubles = [
            "unreadable_row" if record is None else "unreadable_geometry" if gone else None
            for (_, record), gone in zip(rows, lost, strict=True)
        ]
        yield pa.RecordBatch.from_pydict(
            {
                **{name: pa.array(column, pa.string()) for name, column in values.items()},
                ROW: pa.array([number for number, _ in rows], pa.int64()),
                PLACE: pa.array(shapely.to_wkb(geometry), pa.binary()),
                TROUBLE: pa.array(troubles, pa.string()),
            }
        )


def _written(value: object) -> bytes:
    """Return a value as JSON, which no geometry is when it is nested too deeply to be written again."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return b""


def open_excel(request: Request) -> Source:
    """Open one sheet of an Excel workbook; formulas give their last computed value.

    Raises
    ------
    InvalidInput
        Not readable, several sheets hold rows and none is named, or a header that cannot be used.
    """
    import openpyxl

    try:
        book = openpyxl.load_workbook(request.path, read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        raise InvalidInput("the workbook cannot be read") from error
    sheet = _sheet(book, request.layer)
    rows = (row for row in sheet.iter_rows(values_only=True) if any(value is not None for value in row))
    header = [("" if value is None else str(value)).strip() for value in next(rows, ())]
    while header and not header[-1]:
        header.pop()
    if len(header) > request.limits.columns:
        raise TooLarge(f"{len(header)} columns are more than the {request.limits.columns} taken here")
    problems = [
        Problem("duplicate_field", f"the header names '{name}' twice", name)
        for name in sorted({n for n in header if n and header.count(n) > 1})
    ]
    problems += [Problem("unnamed_field", f"column {i + 1} has no name") for i, n in enumerate(header) if not n]
    if problems or not header:
        raise InvalidInput("the header cannot be used", problems)
    return Source(tuple(header), _sheet_batches(rows, header, request))


def _sheet(book: Any, name: str | None) -> Any:
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if name is not None:
        chosen = [sheet for sheet in sheets if sheet.title == name]
    else:
        chosen = [sheet for sheet in sheets if any(v is not None for row in islice(sheet.values, 3) for v in row)]
    if len(chosen) != 1:
        titles = ", ".join(f"'{sheet.title}'" for sheet in sheets)
        what = "there is no such sheet" if name is not None else "name the sheet to read" if chosen else "no rows"
        raise InvalidInput(f"{what}; the workbook has {titles}")
    return chosen[0]


def _sheet_batches(rows: Iterable[tuple[Any, ...]], header: list[str], request: Request) -> Iterator[pa.RecordBatch]:
    width, first, rows = len(header), 1, iter(rows)
    while chunk := list(islice(rows, request.chunk_rows)):
        columns = {
            name: pa.array([as_text(row[i]) if i < len(row) else None for row in chunk], pa.string())
            for i, name in enumerate(header)
        }
        overflow = [any(value is not None for value in row[width:]) for row in chunk]
        yield pa.RecordBatch.from_pydict(
            {
                **columns,
                ROW: pa.array(range(first, first + len(chunk)), pa.int64()),
                TROUBLE: pa.array(["unreadable_row" if more else None for more in overflow], pa.string()),
            }
        )
        first += len(chunk)


def as_text(value: object) -> str | None:
    """Return a value of JSON or Excel as the text a person would have typed.

    Examples
    --------
    >>> as_text(True), as_text(12.0), as_text([1, 2]), as_text("#N/A"), as_text("00123")
    ('true', '12', '[1,2]', None, '00123')
    """
    if value is None or (isinstance(value, str) and (not value or value in CELL_ERRORS)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return _written(value).decode() or None
    return str(value)
