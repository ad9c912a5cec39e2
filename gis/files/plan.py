"""Which field of a file becomes which column of a frame; every doubt about the header is named at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gis.contract.frame import FrameSpec
from gis.errors import Problem
from gis.files.personal import is_personal_field

PLACE_COLUMNS = ("lon", "lat", "wkt")
"""What a mapping may name beside the columns of the contract."""
ID_FIELD = "id"
"""Taken as the source's own identifier where nothing else is."""
SHORT_NAME = 10
"""Characters that a Shapefile leaves of a field's name."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the fields of one file fill the columns of one frame.

    Attributes
    ----------
    fields
        Column -> field.
    constants
        Column -> text that every row gets.
    id_from
        Where `source_id` comes from: ``field``, ``code`` (the frame's own code) or ``content`` (a hash of the row).
    problems
        What is wrong with the header; rows cannot be taken while there is any.
    """

    fields: Mapping[str, str]
    constants: Mapping[str, str]
    id_from: str
    problems: tuple[Problem, ...]


def make_plan(
    spec: FrameSpec,
    names: Iterable[str],
    *,
    mapping: Mapping[str, str],
    skip: Iterable[str] = (),
    constants: Mapping[str, str] | None = None,
    id_from_content: bool = False,
) -> Plan:
    """Return the plan for a file with the fields `names` (those of its place not among them).

    A field goes to the column of its own name, of the column's Chinese or English title, or of a Shapefile's short form
    of it; `mapping` (column -> field) comes first. What is neither taken nor skipped is a problem.
    """
    names, skip, constants = list(names), set(skip), dict(constants or {})
    mapping = {column: field for column, field in mapping.items() if column not in PLACE_COLUMNS}
    known = {column.name for column in spec.columns}
    problems = [
        *_wrong_targets(spec, known, mapping, constants),
        *(
            Problem("absent_field", f"the file has no field '{field}' for '{column}'{_near(field, names)}", field)
            for column, field in mapping.items()
            if field not in names
        ),
        *(Problem("absent_field", f"the file has no field '{f}' to skip", f) for f in sorted(skip - set(names))),
    ]
    left = [name for name in names if name not in skip]
    personal = [name for name in left if is_personal_field(name, spec.id) and mapping.get(name) != name]
    personal = [name for name in personal if name not in known and not _is_title(spec, name)]
    problems += [
        Problem(
            "personal_field",
            f"'{name}' describes a person; wangge keeps places and events only: skip it, or leave it out of the file",
            name,
        )
        for name in personal
    ]
    fields = {column: field for column, field in mapping.items() if column in known and field in left}
    taken = {*fields.values(), *personal}
    for name in left:
        column = _column_of(spec, name)
        if name not in taken and column is not None and column not in {*fields, *constants}:
            fields[column] = name
            taken.add(name)
    if spec.key not in {*fields, *constants} and ID_FIELD in left and ID_FIELD not in taken and not id_from_content:
        fields[spec.key] = ID_FIELD
        taken.add(ID_FIELD)
    problems += _unknown(spec, [name for name in left if name not in taken])
    id_from = _id_from(spec, {*fields, *constants}, id_from_content=id_from_content)
    problems += _absent_columns(spec, {*fields, *constants}, id_from)
    personal_set = set(personal)
    fields = {column: field for column, field in fields.items() if field not in personal_set}
    return Plan(fields, constants, id_from or "content", tuple(problems))


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Return what a Shapefile calls each column: ten characters, all different.

    Examples
    --------
    >>> short_names(["code", "occurred_at", "occurred_until_at"])
    {'code': 'code', 'occurred_at': 'occurred_a', 'occurred_until_at': 'occurred_u'}
    """
    short: dict[str, str] = {}
    for name in names:
        candidate, serial = name[:SHORT_NAME], 1
        while candidate in short.values():
            candidate, serial = f"{name[: SHORT_NAME - 2]}_{serial}", serial + 1
        short[name] = candidate
    return short


def _column_of(spec: FrameSpec, name: str) -> str | None:
    folded = name.strip().casefold()
    short = short_names(spec.names)
    for column in spec.columns:
        if folded in (column.name, column.title.zh, column.title.en.casefold(), short[column.name]):
            return column.name
    return None


def _is_title(spec: FrameSpec, name: str) -> bool:
    return _column_of(spec, name) is not None


def _wrong_targets(
    spec: FrameSpec, known: set[str], mapping: Mapping[str, str], constants: Mapping[str, str]
) -> list[Problem]:
    problems = [
        Problem("unknown_column", f"{spec.id} have no column '{column}'{_near(column, known)}", column)
        for column in sorted({*mapping, *constants} - known)
    ]
    problems += [
        Problem("column_twice", f"'{column}' is both mapped and given one value", column)
        for column in sorted(mapping.keys() & constants.keys())
    ]
    return problems + [
        Problem("personal_field", f"'{field}' describes a person and is never taken, under no name", field)
        for column, field in mapping.items()
        if is_personal_field(field, spec.id) and field != column and _column_of(spec, field) is None
    ]


def _unknown(spec: FrameSpec, names: list[str]) -> list[Problem]:
    columns = [column.name for column in spec.columns]
    return [
        Problem(
            "unknown_field",
            f"'{name}' is no column of {spec.id}{_near(name, columns)}: map it to a column, or skip it",
            name,
        )
        for name in names
    ]


def _near(name: str, names: Iterable[str]) -> str:
    found = difflib.get_close_matches(name.casefold(), list(names), n=3, cutoff=0.5)
    return f" (nearest: {', '.join(found)})" if found else ""


def _id_from(spec: FrameSpec, filled: set[str], *, id_from_content: bool) -> str | None:
    if spec.key in filled:
        return "field"
    if id_from_content:
        return "content"
    return "code" if "code" in filled else None


def _absent_columns(spec: FrameSpec, filled: set[str], id_from: str | None) -> list[Problem]:
    problems = []
    if id_from is None:
        problems.append(
            Problem(
                "no_identifier",
                f"nothing fills '{spec.key}', by which a later import finds a row again: map the source's own number "
                "to it, or let the identifier be made from each row's content (a changed row is then a new one)",
                spec.key,
            )
        )
    required = [c for c in spec.columns if c.required and c.default is None and c.name not in {*filled, spec.key}]
    return problems + [
        Problem("missing_column", f"no field fills the required column '{column.name}'", column.name)
        for column in required
    ]
