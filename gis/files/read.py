"""A file as chunks of raw rows: nothing converted, every row numbered, its place as a geometry."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely
from pyproj import CRS
from pyproj.exceptions import CRSError

from gis.errors import InvalidInput, Problem, UnsupportedMedia
from gis.files import archive, sandbox
from gis.files.child.request import PLACE, ROW, TROUBLE, Request
from gis.files.formats import Format, recognise
from gis.files.json_depth import deepest
from gis.files.limits import Limits, reading_limits
from gis.files.scratch import scratch_folder

CHUNK_ROWS = 8192
MARKUP = (b"<!DOCTYPE", b"<!ENTITY")
MARKUP_BYTES = 4096
SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")
NEEDED_PARTS = frozenset({".shp", ".shx", ".dbf"})


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is read.

    Attributes
    ----------
    places
        Fields that hold the place, ``{"lon": f, "lat": f}`` or ``{"wkt": f}``; by the usual names when empty.
    drop
        Fields to leave behind unread.
    layer
        Layer or sheet, where a file has several.
    encoding
        Of a CSV or Shapefile whose text says nothing about it.
    frame
        What the rows are to become; None where that plays no part.
    """

    places: Mapping[str, str] = field(default_factory=dict)
    drop: tuple[str, ...] = ()
    layer: str | None = None
    encoding: str | None = None
    frame: str | None = None
    chunk_rows: int = CHUNK_ROWS
    limits: Limits = field(default_factory=reading_limits)


@dataclass(frozen=True, slots=True)
class RawChunk:
    """Some rows of a file.

    Attributes
    ----------
    fields
        Values as they stand in the file, (n,) rows.
    rows : (n,) int64
        Row numbers, from 1, the header not counted.
    geometry : (n,) of shapely geometries or None
    troubles : (n,) of str or None
        Why a row, or its place, cannot be read: a key of `gis.files.child.request.TROUBLES`.
    """

    fields: pa.RecordBatch
    rows: np.ndarray
    geometry: np.ndarray
    troubles: np.ndarray


@dataclass(frozen=True, slots=True)
class Reading:
    """An open file.

    Attributes
    ----------
    names
        Its fields, without those that hold the place.
    crs
        Authority code or WKT that the file itself states, or None.
    total
        Rows in all where that is known before the end.
    counts
        What was read, left out or taken with an assumption before there were rows, as sentences with their numbers.
    """

    format: Format
    names: tuple[str, ...]
    places: Mapping[str, str]
    has_place: bool
    crs: str | None
    total: int | None
    chunks: Iterator[RawChunk]
    counts: tuple[Problem, ...] = ()


@contextmanager
def open_file(path: Path, options: ReadOptions | None = None) -> Iterator[Reading]:
    """Open a file of any format in `gis.files.formats`, in a process of its own that ends with the block.

    Raises
    ------
    UnsupportedMedia
        Of a kind that is not read here.
    TooLarge
        Beyond the limits in bytes, rows, memory or time.
    InvalidInput
        Broken, nested too deeply, or something must be named first (a layer, an encoding); says what.
    """
    options = options or ReadOptions()
    row = recognise(path, limits=options.limits)
    if row.frame is not None and options.frame not in (None, row.frame):
        raise UnsupportedMedia(f"{row.title} is read as {row.frame}, not as {options.frame}")
    with scratch_folder() as folder:
        request = Request(
            path=str(_safe_copy(path, row, folder, options)),
            format=row.id,
            driver=row.driver,
            limits=options.limits,
            places=dict(options.places),
            drop=options.drop,
            layer=options.layer,
            encoding=options.encoding,
            chunk_rows=options.chunk_rows,
        )
        with sandbox.reading(request) as (facts, batches):
            yield Reading(
                format=row,
                names=tuple(facts["fields"]),
                places=facts["places"],
                has_place=facts["has_place"],
                crs=_authority(facts["crs"]),
                total=facts["total"],
                chunks=map(_chunk, batches),
                counts=tuple(
                    Problem(code, f"{count:,} {words}") for code, count, words in facts["notes"].get("counts", ())
                ),
            )


def _safe_copy(path: Path, row: Format, folder: Path, options: ReadOptions) -> Path:
    """Return the file under a name of our own: no driver sees the uploader's name or what lies beside the file."""
    limits = options.limits
    if row.json:
        with path.open("rb") as file:
            if deepest(file, cap=limits.json_depth) > limits.json_depth:
                raise InvalidInput(f"{path.name}: brackets lie deeper in one another than {limits.json_depth}")
    if row.id == "shapefile":
        return _unpacked_shapefile(path, folder, options)
    if row.zipped:
        _refuse_markup(path, archive.members(path, limits=limits), folder)
    copy = folder / f"data{row.extensions[0]}"
    if row.driver is None:
        copy.symlink_to(path.resolve())
    else:
        # SQLite would look for a journal beside the original.
        shutil.copyfile(path, copy)
    return copy


def _unpacked_shapefile(path: Path, folder: Path, options: ReadOptions) -> Path:
    found = archive.members(path, limits=options.limits)
    stems = sorted(
        {Path(info.filename).with_suffix("").as_posix() for info in found if _suffix(info.filename) == ".shp"}
    )
    stem = options.layer if options.layer is not None else stems[0] if len(stems) == 1 else None
    if stem not in stems:
        listed = ", ".join(f"'{name}'" for name in stems) or "none"
        raise InvalidInput(f"{path.name} must hold one Shapefile, or name its layer; it holds {listed}")
    parts = {
        _suffix(info.filename): info
        for info in found
        if Path(info.filename).with_suffix("").as_posix() == stem and _suffix(info.filename) in SHAPEFILE_PARTS
    }
    if missing := sorted(NEEDED_PARTS - parts.keys()):
        raise InvalidInput(f"{path.name}: the Shapefile '{stem}' lacks {', '.join(missing)}")
    for suffix, info in parts.items():
        archive.extract(path, info, folder / f"data{suffix}")
    if options.encoding is not None or ".cpg" not in parts:
        encoding = options.encoding or _dbf_encoding(folder / "data.dbf")
        (folder / "data.cpg").write_text(encoding, encoding="ascii")
    return folder / "data.shp"


def _suffix(name: str) -> str:
    return Path(name).suffix.lower()


def _dbf_encoding(path: Path) -> str:
    try:
        path.read_bytes()[32:].decode("utf-8")
    except UnicodeDecodeError:
        return "GB18030"
    return "UTF-8"


def _refuse_markup(path: Path, found: list, folder: Path) -> None:  # type: ignore[type-arg]
    """Refuse a workbook whose XML declares a document type: entities would follow."""
    probe = folder / "part"
    for info in found:
        if _suffix(info.filename) in (".xml", ".rels"):
            archive.extract(path, info, probe)
            with probe.open("rb") as file:
                head = file.read(MARKUP_BYTES).replace(b"\0", b"")
            probe.unlink()
            if any(mark in head for mark in MARKUP):
                raise InvalidInput(f"{path.name}: '{info.filename}' declares a document type")


def _chunk(batch: pa.RecordBatch) -> RawChunk:
    return RawChunk(
        fields=batch.drop_columns([ROW, PLACE, TROUBLE]),
        rows=batch[ROW].to_numpy(),
        geometry=shapely.from_wkb(batch[PLACE].to_numpy(zero_copy_only=False)),
        troubles=batch[TROUBLE].to_numpy(zero_copy_only=False),
    )


def _authority(stated: str | None) -> str | None:
    if stated is None:
        return None
    try:
        crs = CRS.from_user_input(stated)
    except CRSError:
        return None
    name = crs.to_authority(min_confidence=70)
    return ":".join(name) if name else crs.to_wkt()
