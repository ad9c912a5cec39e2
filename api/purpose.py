"""What a file is taken along for: asked of everybody who takes one, and kept in the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import unquote

import pandas as pd
from starlette.requests import Request

from api.problems import BadQuery
from api.recording import doing_of
from gis.errors import Problem
from gis.files.personal import DETECTORS, personal_values
from gis.store.texts import storable

HEADER: Final = "Wangge-Purpose"
PARAMETER: Final = "purpose"
MASKS: Final = ("donut", "none")
"""How places may be moved before they leave; the default goes by the layer."""
SHORTEST: Final = 3
LONGEST: Final = 200

_PERSONAL_ZH: Final = {
    "mobile_number": "疑似手机号码",
    "identity_number": "疑似身份证号码",
    "vehicle_plate": "疑似车牌号码",
}


def state_purpose(request: Request) -> str:
    """Return what a file is for, from the header or the query parameter, and let the log's row say it.

    Raises
    ------
    BadQuery
        It is missing, too short or too long, or holds what identifies a person.
    """
    said = request.query_params.get(PARAMETER) or unquote(request.headers.get(HEADER, ""))
    text = checked(said)
    trail = doing_of(request).trail
    trail.asker = replace(trail.asker, purpose=text)
    return text


def checked(said: str) -> str:
    """Return a purpose as it is kept; `BadQuery` says what is wrong with it."""
    text = " ".join(said.split())
    if not text:
        raise _refused(
            "no_purpose",
            f"say what the file is for: the query parameter '{PARAMETER}' or the header {HEADER}, "
            f"{SHORTEST} to {LONGEST} characters; it is kept in the audit log",
            f"请说明导出用途：查询参数 {PARAMETER} 或请求头 {HEADER}，{SHORTEST} 至 {LONGEST} 字，将记入审计日志",
        )
    if not SHORTEST <= len(text) <= LONGEST or not storable(text) or not text.isprintable():
        raise _refused(
            "bad_purpose",
            f"must have {SHORTEST} to {LONGEST} characters that can be printed",
            f"须为 {SHORTEST} 至 {LONGEST} 个可打印字符",
        )
    if found := list(personal_values(pd.Series([text]))):
        raise _refused(
            "personal_purpose",
            f"{DETECTORS[found[0]]}: name the task, not a person",
            f"{_PERSONAL_ZH[found[0]]}：请写任务，不要写个人信息",
        )
    return text


def _refused(code: str, message: str, zh: str) -> BadQuery:
    return BadQuery("the purpose of the file is not valid", [Problem(code, message, PARAMETER, zh=zh)], zh=zh)
