"""One file into one frame, from its first byte to the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa

from gis.city import FRAMES
from gis.city.codebook import codebooks
from gis.contract.frame import AREAS, FrameSpec
from gis.errors import Conflict, InvalidInput, NotFound, Problem
from gis.files.intake import Rules, check_chunk
from gis.files.plan import PLACE_COLUMNS, make_plan
from gis.files.read import RawChunk, Reading, ReadOptions, open_file
from gis.files.whole import declared_crs, place_problems
from gis.store import audit
from gis.store.audit import Entry
from gis.store.cities import CityRow
from gis.store.engine import WORKER_TIMEOUT_S, Store
from gis.store.ingest import apply, edited, ledger, stage
from gis.store.ingest.detect import city_area, crs_problem
from gis.store.ingest.options import ImportOptions, fingerprint
from gis.store.ingest.report import ImportReport, State
from gis.store.ingest.summary import summary

Progress = Callable[[float, str], None]
"""Called with the share done (0 to 1) and what is going on."""


def import_file(
    store: Store,
    city: CityRow,
    frame_id: str,
    path: Path,
    options: ImportOptions | None = None,
    *,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a file into a frame of a city.

    Nothing is visible until all rows have been judged; then all good rows are, or none. The same file with the same
    options again changes nothing. An import that was killed goes on after its last kept chunk when it is started again.

    Returns
    -------
    ImportReport
        Also for a file that is refused: `ImportReport.problems` then names everything that is wrong with it, and
        `ImportReport.raise_if_refused` raises.

    Raises
    ------
    NotFound
        There is no frame of that name.
    UnsupportedMedia, TooLarge, InvalidInput
        The file cannot be read at all, see `gis.files.read.open_file`.
    CrsMissing
        Nobody says what the coordinates are in.
    Conflict
        Another process is importing this very file.
    """
    if frame_id not in FRAMES:
        raise NotFound(f"there is no frame '{frame_id}'; the frames are {', '.join(FRAMES)}")
    options = options or ImportOptions()
    tell = progress or (lambda _share, _words: None)
    spec = FRAMES[frame_id]
    source = options.source or path.name
    if not path.is_file():
        raise InvalidInput(f"there is no file {path.name}")
    key = fingerprint(path, options, source=source, profile=city.profile)
    done = ledger.finished(store, city, frame_id, key)
    if done is not None and done.report is not None:
        return _already(done.report)
    with ledger.lease(store, city, key):
        pass  # A second importer learns at once that the file is taken, before it reads a byte.
    reading_options = ReadOptions(
        places={column: options.mapping[column] for column in PLACE_COLUMNS if column in options.mapping},
        drop=options.skip,
        layer=options.layer,
        encoding=options.encoding,
        frame=frame_id,
    )
    tell(0.0, f"reading {path.name}")
    with open_file(path, reading_options) as reading:
        first = next(reading.chunks)
        job = _job(store, city, spec, reading, options, first=first, source=source)
        with ledger.lease(store, city, key) as lease:
            return _import(store, job, reading, chain([first], reading.chunks), lease, key=key, tell=tell)


@dataclass(frozen=True, slots=True)
class _Job:
    """Everything about one import that does not change while it runs."""

    city: CityRow
    spec: FrameSpec
    options: ImportOptions
    source: str
    rules: Rules
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def _already(report: ImportReport) -> ImportReport:
    values = {**report.as_dict(), "state": "already_applied", "inserted": 0, "updated": 0, "unchanged": 0, "kept": 0}
    return ImportReport.from_dict(values)


def _job(
    store: Store,
    city: CityRow,
    spec: FrameSpec,
    reading: Reading,
    options: ImportOptions,
    *,
    first: RawChunk,
    source: str,
) -> _Job:
    plan = make_plan(
        spec,
        reading.names,
        mapping=options.mapping,
        skip=options.skip,
        constants=options.constants,
        id_from_content=options.id_from_content,
    )
    crs = declared_crs(reading, options.crs)
    rules = Rules(
        spec=spec,
        profile=city.profile,
        codes=codebooks(),
        plan=plan,
        crs=crs,
        area=city_area(store, city, spec),
        zone=_zone(options.time_zone or city.profile.time_zone),
        time_format=options.time_format,
        guarded=reading.format.guarded,
    )
    problems = [*plan.problems, *place_problems(spec, plan, reading), *_dissolve_problems(spec, options)]
    warnings = [*reading.counts]
    doubt = crs_problem(store, city, first.geometry, crs) if reading.has_place else None
    if doubt is not None:
        grave = bool(spec.geometry & AREAS) and not options.trust_crs
        (problems if grave else warnings).append(doubt)
    return _Job(city, spec, options, source, rules, tuple(problems), tuple(warnings))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InvalidInput(f"'{name}' is no IANA time zone") from error


def _dissolve_problems(spec: FrameSpec, options: ImportOptions) -> list[Problem]:
    if options.dissolve is None or (options.dissolve in spec.names and spec.geometry <= AREAS):
        return []
    return [Problem("cannot_dissolve", f"rows of {spec.id} cannot be united by '{options.dissolve}'", options.dissolve)]


def _import(
    store: Store,
    job: _Job,
    reading: Reading,
    chunks: chain[RawChunk],
    lease: sa.Connection,
    *,
    key: str,
    tell: Progress,
) -> ImportReport:
    batch = ledger.open_batch(store, job.city, job.spec.id, key=key, source=job.source, options=job.options.reading())
    if batch.state == "applied" and batch.report is not None:
        return _already(batch.report)
    if batch.state == "loading":
        _load(store, job, reading, chunks, lease, batch=batch, tell=tell)
    tell(0.9, "judging the whole file")
    merged = batch.report.merged if batch.report is not None else 0
    return _finish(store, job, lease, batch_id=batch.id, merged=merged, tell=tell)


def _load(
    store: Store,
    job: _Job,
    reading: Reading,
    chunks: chain[RawChunk],
    lease: sa.Connection,
    *,
    batch: ledger.BatchRow,
    tell: Progress,
) -> None:
    """Judge the file chunk by chunk; each is kept in the transaction that records that it has been read."""
    seen = 0
    for chunk in chunks:
        before, seen = seen, seen + chunk.rows.size
        if seen <= batch.rows_read:
            continue  # An earlier try has kept it.
        if before < batch.rows_read:
            raise Conflict(
                "an earlier version of wangge began this import in other steps: import it under another source"
            )
        checked = check_chunk(chunk.fields, chunk.rows, chunk.geometry, chunk.troubles, job.rules)
        with store.transaction(job.city.scope, timeout_s=WORKER_TIMEOUT_S) as connection:
            ledger.advance(connection, batch.id, before=before, rows=chunk.rows.size, bad=checked.bad_rows.size)
            stage.keep_faults(connection, batch.id, [*checked.faults, *checked.notes])
            if not job.problems:
                stage.keep_rows(connection, batch.id, job.spec, checked.frame)
        # The lease's transaction must not fall asleep: a server ends those that idle.
        lease.execute(sa.select(1))
        share = min(seen / reading.total, 1.0) if reading.total else 0.5
        tell(0.9 * share, f"{seen:,} rows read")


def _finish(
    store: Store, job: _Job, lease: sa.Connection, *, batch_id: int, merged: int, tell: Progress
) -> ImportReport:
    """Judge what only the whole file shows, then apply, keep waiting or refuse: one transaction.

    `merged` rows were united by an earlier dry run.
    """
    ledger.wait_for_frame(lease, job.city, job.spec.id)
    if not job.problems:
        stage.survey(store, job.spec)
        if job.options.dissolve is not None:
            merged += stage.dissolve(lease, batch_id, job.spec, job.options.dissolve)
        if job.rules.plan.id_from == "content":
            stage.number_equal_contents(lease, batch_id, job.spec)
        stage.accuse_duplicates(lease, batch_id, job.spec)
        apply.accuse_overlaps(lease, job.city, job.spec, batch_id=batch_id, source=job.source)
        edited.note_conflicts(lease, job.city, job.spec, batch_id=batch_id, source=job.source)
    found = summary(lease, batch_id)
    problems = (*job.problems, *found.problems)
    refused = bool(job.problems) or (bool(found.problems) and not job.options.allow_partial)
    withheld = apply.withheld_count(lease, job.spec, batch_id)
    done = apply.Applied(0, 0, 0)
    state: State
    if job.options.dry_run and not job.problems:
        state = "staged"
    elif refused:
        state = "refused"
        ledger.empty_stage(lease, batch_id, job.spec.id)
    else:
        tell(0.95, "applying")
        state = "applied"
        done = apply.apply(lease, job.city, job.spec, batch_id=batch_id, source=job.source)
    report = ImportReport(
        batch_id=batch_id,
        city=job.city.profile.slug,
        frame=job.spec.id,
        source=job.source,
        state=state,
        crs=job.rules.crs,
        rows_read=found.rows_read,
        rows_bad=found.rows_bad,
        merged=merged,
        inserted=done.inserted,
        updated=done.updated,
        unchanged=done.unchanged,
        kept=done.kept,
        withheld=withheld,
        problems=problems,
        warnings=(*job.warnings, *found.warnings),
        fields=dict(job.rules.plan.fields),
    )
    ledger.settle(lease, batch_id, state=state, report=report)
    told = {"import": batch_id, "source": job.source, "state": state, "bad": found.rows_bad}
    written = done.inserted + done.updated
    audit.record(lease, Entry("import", f"imports/{job.spec.id}", job.city.id, rows_count=written, detail=told))
    tell(1.0, state)
    return report
