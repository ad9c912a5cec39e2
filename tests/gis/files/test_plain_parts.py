"""The small parts of reading: nesting, formulas, kinds, personal words and values, encodings."""

from __future__ import annotations

import io
import json
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.city import FRAMES
from gis.city.city import City
from gis.errors import FrameMismatch
from gis.files import json_depth
from gis.files.convert import to_kind
from gis.files.formulas import guard, unguard
from gis.files.personal import is_personal_field, person_labels, personal_values, refused_categories
from gis.files.plan import make_plan, short_names
from gis.files.read import ReadOptions, open_file

LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = st.recursive(LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3))
ZONE = ZoneInfo("Asia/Shanghai")


def depth(value) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (1 if isinstance(value, (dict, list)) else 0) + max(map(depth, inner), default=0)


@given(JSON, st.booleans())
def test_nesting_is_counted_as_a_parser_would(value, ascii_only):
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    assert json_depth.deepest(io.BytesIO(text), cap=1000) == depth(value)


@given(JSON)
def test_nesting_does_not_depend_on_where_a_block_ends(value):
    text = json.dumps(value).encode()
    whole = json_depth.deepest(io.BytesIO(text), cap=1000)
    ordinary = json_depth.BLOCK_BYTES
    try:
        for size in (1, 2, 3, 7):
            json_depth.BLOCK_BYTES = size
            assert json_depth.deepest(io.BytesIO(text), cap=1000) == whole
    finally:
        json_depth.BLOCK_BYTES = ordinary


@pytest.mark.asvs("1.2.10")
@given(st.lists(st.text(alphabet="=+-@'\t\r|%ab1 ", min_size=1, max_size=6), min_size=1))
def test_no_guarded_text_is_a_formula_and_none_is_lost(texts):
    guarded = guard(pd.Series(texts, dtype="str"))
    assert not [text for text in guarded if text[0] in "=+-@\t\r|%"]
    assert unguard(guarded).tolist() == texts


@given(st.lists(st.none() | st.text(alphabet="0123456789abc", min_size=1, max_size=8), min_size=1))
def test_a_code_is_never_a_number(codes):
    values = to_kind(pa.array(codes, pa.string()), "code", zone=ZONE).column
    assert [None if pd.isna(value) else value for value in values] == codes


@given(st.lists(st.none() | st.integers(-(2**40), 2**40), min_size=1))
def test_whole_numbers_mean_the_same_as_text_as_integers_and_as_floats(numbers):
    typed = to_kind(pa.array(numbers, pa.int64()), "integer", zone=ZONE).column
    text = to_kind(pa.array([None if n is None else str(n) for n in numbers], pa.string()), "integer", zone=ZONE).column
    floats = to_kind(pa.array(numbers, pa.float64()), "integer", zone=ZONE).column
    pd.testing.assert_series_equal(typed, text)
    pd.testing.assert_series_equal(typed, floats)
    codes = to_kind(pa.array(numbers, pa.float64()), "code", zone=ZONE).column
    assert [None if pd.isna(c) else c for c in codes] == [None if n is None else str(n) for n in numbers]


def test_no_column_of_our_own_describes_a_person():
    for spec in FRAMES.values():
        for column in spec.columns:
            for name in (column.name, column.title.zh, column.title.en):
                assert not is_personal_field(name, spec.id)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("13812345678", {"mobile_number"}),
        ("+86 138-1234-5678", {"mobile_number"}),
        ("node/13812345678", set()),
        ("320508001001001", set()),
        ("11010519491231002X", {"identity_number"}),
        ("110105194912310021", set()),
        ("苏E·12345 停在路口", {"vehicle_plate"}),
        ("苏州市干将路 12345 号", set()),
    ],
)
def test_personal_values_are_found_and_codes_are_left_alone(text, codes):
    assert set(personal_values(pd.Series([text], dtype="str"))) == codes


@pytest.mark.parametrize(
    ("label", "codes"),
    [
        ("Patrol 3", set()),
        ("巡逻三组", set()),
        ("观前2组", set()),
        ("石路", set()),
        ("周庄镇", set()),
        ("007", set()),
        ("G-12", set()),
        ("张伟", {"person_name"}),
        (" 李小龙 ", {"person_name"}),
        ("029613", {"staff_number"}),
        ("JN-0296131", {"staff_number"}),
        (None, set()),
    ],
)
def test_a_unit_is_not_called_by_a_person(label, codes):
    assert set(person_labels(pd.Series([label], dtype="str"))) == codes


def test_patrol_runs_of_persons_are_refused_row_by_row(tmp_path):
    path = tmp_path / "runs.csv"
    times = "2026-06-01T08:00:00Z,2026-06-01T08:10:00Z"
    rows = [f"{i},{label},police,early,{times},120.6,31.3" for i, label in enumerate(["巡逻三组", "张伟", "029613"])]
    path.write_text("\n".join(["source_id,unit_label,unit_kind,shift_label,started_at,ended_at,lon,lat", *rows]))
    with pytest.raises(FrameMismatch) as caught:
        City.from_files(crs="wgs84", patrol_runs=path)
    found = {problem.code: problem.rows for problem in caught.value.problems}
    assert found == {"person_name": (2,), "staff_number": (3,)}
    assert not any("张伟" in str(problem) or "029613" in str(problem) for problem in caught.value.problems)


def test_ordinary_categories_are_in_scope():
    words = ["PUBLIC PEACE VIOLATION", "culture", "insect nuisance", "interference with public officer", "噪音扰民"]
    assert refused_categories(pd.Series(words, dtype="str")) == {}


def test_short_names_are_all_different():
    for spec in FRAMES.values():
        short = short_names(spec.names)
        assert len(set(short.values())) == len(spec.names)
        assert all(len(name) <= 10 for name in short.values())


def test_a_mapping_to_nothing_and_from_nothing_is_named():
    plan = make_plan(
        FRAMES["posts"], ["a"], mapping={"colour": "a", "kind": "b"}, skip=["c"], constants={"weight": "1"}
    )
    found = {(problem.code, problem.field) for problem in plan.problems}
    assert {("unknown_column", "colour"), ("unknown_column", "weight")} <= found
    assert {("absent_field", "b"), ("absent_field", "c"), ("unknown_field", "a")} <= found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters_are_found_out(tmp_path, encoding, delimiter):
    path = tmp_path / "a.csv"
    rows = [["编号", "名称", "lon", "lat"], ["001", "观前街", "120.6", "31.3"], ["002", '"两\n行"', "120.7", "31.4"]]
    path.write_bytes("\r\n".join(delimiter.join(row) for row in rows).encode(encoding))
    with open_file(path) as reading:
        chunk = next(reading.chunks)
    assert reading.names == ("编号", "名称")
    assert chunk.fields["编号"].to_pylist() == ["001", "002"]
    assert chunk.fields["名称"].to_pylist() == ["观前街", "两\n行"]
    assert chunk.geometry[1].y == 31.4


def test_row_numbers_are_those_of_the_file_across_blocks(tmp_path):
    path = tmp_path / "a.csv"
    bad = {7, 8, 20_001, 49_999, 50_000}
    text = "".join(f"{i}\n" if i in bad else f"{i},{'x' * 300}\n" for i in range(1, 50_001))
    path.write_text("n,pad\n" + text)
    numbers = {}
    with open_file(path, ReadOptions(chunk_rows=1000)) as reading:
        for chunk in reading.chunks:
            for row, value, trouble in zip(chunk.rows, chunk.fields["n"].to_pylist(), chunk.troubles, strict=True):
                numbers[int(row)] = trouble or value
    assert numbers == {i: "unreadable_row" if i in bad else str(i) for i in range(1, 50_001)}
