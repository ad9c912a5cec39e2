"""One feature as a GIS client sends it, held against the contract of its frame by the same checks as a row of a file.

A body is read strictly: what would be ignored is refused, and everything that is wrong is named at once.
"""

from __future__ import annotations

import datetime as dt
import difflib
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import shapely

from gis.contract.frame import FrameSpec, Kind
from gis.crs import Reference
from gis.errors import InvalidInput, Problem
from gis.files.child.places import with_places
from gis.files.child.request import PLACE, ROW, TROUBLE, TROUBLES
from gis.files.faults import Fault
from gis.files.intake import WITHHELD, Rules, check_chunk
from gis.files.json_depth import deepest
from gis.files.limits import Limits
from gis.files.personal import is_personal_field
from gis.files.plan import Plan

GEOMETRY: Final = "geometry"
ORIGIN: Final = "origin"
FEATURE_MEMBERS: Final = frozenset({"type", "id", GEOMETRY, "properties", "links", "bbox"})
"""Members of a GeoJSON feature that are read, or that a client sends back as it got them."""
MOST_TEXT: Final = 10_000
"""Characters of one value; a name or an address has some dozens."""

ZH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "missing_value": "必填",
        "wrong_kind": "值的类型不对",
        "unknown_code": "不在代码表中",
        "too_small": "小于允许的最小值",
        "too_large": "大于允许的最大值",
        "too_long": "过长",
        "wrong_pattern": "格式不对",
        "wrong_grid_code": "网格编码格式不对",
        "not_a_whole_number": "须为整数",
        "not_a_number": "须为数字",
        "not_true_or_false": "须为是或否",
        "not_a_date": "须为日期，如 2026-01-31",
        "not_a_time": "须为时间，如 2026-01-31 08:30",
        "missing_geometry": "缺少位置",
        "unreadable_geometry": "位置无法读取",
        "empty_geometry": "位置为空",
        "wrong_geometry_type": "几何类型不符",
        "invalid_geometry": "几何图形无效（自相交等）",
        "too_many_vertices": "顶点过多",
        "outside_area": "不在本市范围内",
        "mobile_number": "疑似手机号码，不予保存",
        "identity_number": "疑似身份证号码，不予保存",
        "vehicle_plate": "疑似车牌号码，不予保存",
        "personal_field": "涉及个人信息，不予接收",
        "unknown_property": "没有此字段",
        "refused_category": "该类别不在受理范围",
    }
)
"""Code -> what is said in Chinese."""

Value = str | int | float | bool | dt.datetime | dt.date | None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a body says of a feature.

    Attributes
    ----------
    properties
        Column -> value as JSON has it; None unsets.
    geometry
        A GeoJSON geometry, None for none; of no meaning without `has_geometry`.
    """

    properties: Mapping[str, Any]
    geometry: Any = None
    has_geometry: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A row that keeps its contract: a value a column, without the frame's key, and its place in EPSG:4326."""

    values: Mapping[str, Value]
    geometry: shapely.Geometry | None


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; nested too deep, broken or of another kind it is refused before it costs."""
    limit = Limits().json_depth
    if deepest(io.BytesIO(body), cap=limit) > limit:
        raise InvalidInput("the body is nested too deep", [Problem("too_deep", f"more than {limit} levels")])
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidInput("the body is not JSON", zh="请求内容不是 JSON") from None
    if not isinstance(document, dict):
        raise InvalidInput("the body is not a JSON object")
    return document


def whole(document: Mapping[str, Any], spec: FrameSpec, columns: Collection[str]) -> Draft:
    """Return the feature of a body that gives all of it, as POST and PUT do.

    Parameters
    ----------
    columns
        Those that whoever asks sees and may give.

    Raises
    ------
    InvalidInput
        It is no GeoJSON feature, or names what there is not.
    """
    problems = []
    if document.get("type") != "Feature":
        problems.append(Problem("not_a_feature", "must be 'Feature'", "type"))
    problems += [Problem("unknown_member", _unread(name), name) for name in document if name not in FEATURE_MEMBERS]
    if GEOMETRY not in document:
        problems.append(Problem("missing_geometry", "must be given, null where there is none", GEOMETRY))
    properties, more = _properties(document.get("properties"), spec, columns)
    _refuse(problems + more)
    return Draft(properties, document.get(GEOMETRY), has_geometry=True)


def part(document: Mapping[str, Any], spec: FrameSpec, columns: Collection[str], key: int) -> Draft:
    """Return the changes of a JSON merge patch (RFC 7396): of a feature as GeoJSON, or flat as its schema has it.

    Raises
    ------
    InvalidInput
        It names what there is not, or gives the feature another identifier.
    """
    problems = []
    if document.get("id", key) != key:
        problems.append(Problem("read_only", "an identifier is never changed", "id"))
    if document.get("type", "Feature") != "Feature":
        problems.append(Problem("not_a_feature", "must be 'Feature'", "type"))
    if "properties" in document and document["properties"] is None:
        problems.append(Problem("not_an_object", "cannot be unset as a whole; unset one by one", "properties"))
    flat = {name: value for name, value in document.items() if name not in FEATURE_MEMBERS}
    inner = document.get("properties", {})
    if isinstance(inner, dict):
        problems += [Problem("given_twice", "given twice", name) for name in sorted(flat.keys() & inner.keys())]
        inner = {**flat, **inner}
    properties, more = _properties(inner, spec, columns)
    _refuse(problems + more)
    return Draft(properties, document.get(GEOMETRY), GEOMETRY in document)


def checked(draft: Draft, rules: Rules, *, crs: Reference | None = None, before: Row | None = None) -> Row:
    """Return the row of a draft; what the draft does not name is as `before`, or as the contract has it by default.

    Parameters
    ----------
    crs
        What the coordinates of the draft are in; degrees of WGS84, east before north, when None.
    before
        The row as it is.

    Raises
    ------
    InvalidInput
        Names everything that is wrong.
    """
    spec = rules.spec
    values: dict[str, Any] = dict(before.values) if before is not None else {}
    problems = []
    for name, value in draft.properties.items():
        wrong = _value_problems(name, value)
        problems += wrong
        values[name] = None if wrong else value
    shape = before.geometry if before is not None else None
    if draft.has_geometry:
        shape, wrong = _shape(draft.geometry, spec, crs)
        problems += wrong
        if shape is None and not wrong and (before is None or before.geometry is not None):
            problems.append(Problem("missing_geometry", "a place is needed", GEOMETRY))
        if shape is not None and WITHHELD in spec.names:
            values[WITHHELD] = False  # The place is given, so it is no longer withheld.
    if ORIGIN in spec.names and values.get(ORIGIN) is None:
        # What patrols find counts apart, so a default made for files would be a guess about this one.
        problems.append(Problem("missing_value", "say who found it", ORIGIN))
    said = {problem.field for problem in problems}
    frame, faults = _as_row_of_a_file(values, shape, rules)
    problems += [_problem(fault) for fault in faults if fault.field not in {*said, spec.key}]
    if not problems and shape is not None and frame.geometry.iloc[0] is None:
        # A file writes (0, 0) for a place that is withheld; whoever draws a point means it.
        problems = [Problem("outside_area", f"outside {rules.area.words}", GEOMETRY)]
    _refuse(problems)
    return _row(frame, spec)


def _as_row_of_a_file(
    values: Mapping[str, Any], shape: shapely.Geometry | None, rules: Rules
) -> tuple[gpd.GeoDataFrame, tuple[Fault, ...]]:
    spec = rules.spec
    fields = {c.name: values.get(c.name) for c in spec.columns if c.name != spec.key}
    given = {n: v for n, v in fields.items() if v is not None or spec.column(n).default is None}
    found = check_chunk(
        pa.RecordBatch.from_pydict({name: _array(value) for name, value in given.items()}),
        np.ones(1, dtype=np.int64),
        np.array([shape], dtype=object),
        np.array([None], dtype=object),
        replace(rules, plan=Plan({name: name for name in given}, {}, "content", ()), crs="wgs84", guarded=False),
    )
    return found.frame, found.faults


def _properties(given: object, spec: FrameSpec, columns: Collection[str]) -> tuple[Mapping[str, Any], list[Problem]]:
    if given is None:
        return {}, []
    if not isinstance(given, dict):
        return {}, [Problem("not_an_object", "must be an object", "properties")]
    problems = [_unknown(name, spec, columns) for name in given if name not in columns]
    return {name: value for name, value in given.items() if name in columns}, problems


def _unknown(name: str, spec: FrameSpec, columns: Collection[str]) -> Problem:
    if is_personal_field(name, spec.id):
        return Problem("personal_field", "describes a person; wangge keeps places and events only", name)
    near = difflib.get_close_matches(name.casefold(), list(columns), n=3, cutoff=0.5)
    hint = f" (nearest: {', '.join(near)})" if near else f"; there are: {', '.join(columns)}"
    return Problem("unknown_property", f"there is no such property here{hint}", name)


def _unread(name: str) -> str:
    if name == "crs":
        return "is no longer read: name the reference system in the header Content-Crs"
    return "is not read here"


def _value_problems(name: str, value: object) -> list[Problem]:
    if isinstance(value, dict | list):
        return [Problem("wrong_kind", "must be a single value", name)]
    if isinstance(value, str) and len(value) > MOST_TEXT:
        return [Problem("too_long", f"more than {MOST_TEXT:,} characters", name)]
    if isinstance(value, str) and "\x00" in value:
        return [Problem("wrong_kind", "must not hold a null character", name)]
    return []


def _shape(given: object, spec: FrameSpec, crs: Reference | None) -> tuple[shapely.Geometry | None, list[Problem]]:
    """Return a geometry in EPSG:4326 as it passed the gate of files, or why it did not."""
    if given is None:
        return None, []
    if not isinstance(given, dict):
        return None, [_trouble("unreadable_geometry")]
    if given.get("type") not in spec.geometry:
        return None, [Problem("wrong_geometry_type", f"must be one of {', '.join(sorted(spec.geometry))}", GEOMETRY)]
    shapes = shapely.from_geojson([orjson.dumps(given).decode()], on_invalid="ignore")
    if shapes[0] is None:
        return None, [_trouble("unreadable_geometry")]
    batch = pa.RecordBatch.from_pydict({ROW: pa.array([1], pa.int64()), PLACE: pa.array(shapely.to_wkb(shapes))})
    clean = with_places(batch, {}, Limits())
    trouble = clean[TROUBLE][0].as_py()
    if trouble is not None:
        return None, [_trouble(trouble)]
    moved = shapely.from_wkb(clean[PLACE].to_numpy(zero_copy_only=False))
    return (moved if crs is None else crs.lonlat(moved))[0], []


def _trouble(code: str) -> Problem:
    return Problem(code, TROUBLES[code], GEOMETRY)


def _array(value: Any) -> pa.Array:
    """Return one value as a column of the kind that JSON, or the table, gave it; a number too large as its digits."""
    if value is None:
        return pa.array([None], pa.string())
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        return pa.array([str(value)])
    return pa.array([value])


def _problem(fault: Fault) -> Problem:
    return Problem(fault.code, fault.sentences()[0], fault.field or GEOMETRY)


def _refuse(problems: list[Problem]) -> None:
    if problems:
        problems = [replace(problem, zh=problem.zh or ZH.get(problem.code, "")) for problem in problems]
        raise InvalidInput("the feature is refused, nothing was changed", problems, zh="要素被拒绝，未作任何更改")


def _row(frame: gpd.GeoDataFrame, spec: FrameSpec) -> Row:
    values = {c.name: _plain(frame[c.name].iloc[0], c.kind) if c.name in frame else None for c in spec.columns}
    return Row({name: value for name, value in values.items() if name != spec.key}, frame.geometry.iloc[0])


def _plain(value: Any, kind: Kind) -> Any:
    """Return one value of a frame as the database driver takes it."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date() if kind == "date" else value.to_pydatetime()
    return value.item() if isinstance(value, np.generic) else value
