"""``/audit``: the audit log, for supervisors that of their area, for administrators that of the server."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api import parameters
from api.deps import LanguageDep, MomentDep, StoreDep, city_of
from api.jobs import instant
from api.links import JSON, link, self_links
from api.pages import respond
from api.problems import bad_query
from api.visitors import visitor_of
from api.watch import Moment
from gis.contract.roles import TITLES, Role
from gis.contract.text import Text
from gis.store import audit
from gis.store.audit import ACTIONS, Action, Row
from gis.store.engine import Store
from gis.store.query import Interval
from gis.store.texts import storable

router = APIRouter()

SEEN: Final[Mapping[Role, tuple[Action, ...]]] = MappingProxyType(
    {
        "supervisor": ("view", "export", "run", "change", "denied"),
        "admin": (
            "denied", "sign_in", "sign_in_failed", "sign_out", "role", "account", "grant", "token", "import", "setting",
            "retention",
        ),
    }
)  # fmt: skip
"""Who runs the server sees who came and what they may; who answers for an area sees what was looked at in it."""

WORDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "view": Text("查看", "view"),
        "export": Text("导出", "export"),
        "run": Text("运行分析", "run"),
        "change": Text("修改", "change"),
        "import": Text("导入", "import"),
        "denied": Text("拒绝访问", "denied"),
        "sign_in": Text("登录", "sign in"),
        "sign_in_failed": Text("登录失败", "failed sign-in"),
        "sign_out": Text("退出", "sign out"),
        "role": Text("切换岗位", "change of role"),
        "account": Text("账号", "account"),
        "grant": Text("授权", "grant"),
        "token": Text("令牌", "token"),
        "setting": Text("设置", "setting"),
        "retention": Text("日志清理", "retention"),
    }
)
ROLE_WORDS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        **{str(role): title for role, title in TITLES.items()},
        audit.CONSOLE: Text("本机命令", "console"),
        audit.SERVER: Text("服务器", "server"),
    }
)
TOLD_ZH: Final[Mapping[str, str]] = MappingProxyType(
    {
        "what": "内容", "role": "岗位", "roles": "岗位", "city": "城市", "areas": "辖区", "minute": "时刻（UTC）",
        "requests": "次数", "route": "接口", "why": "原因", "bad": "有误行", "import": "导入批次", "source": "来源",
        "state": "结果", "job": "任务", "chosen": "所选参数", "revision": "修订", "account": "账号", "days": "天数",
        "may_change": "可修改", "up_to": "清理至", "hash": "散列值", "effective_on": "生效日", "ending": "格式",
        "filtered": "有筛选", "of": "源自", "created": "新建", "granted": "授予", "revoked": "撤销",
        "password": "改密码",
        "disabled": "停用", "enabled": "启用", "issued": "发放", "dismissed": "取消", "published": "发布",
        "took effect": "生效", "copied": "复制", "deleted": "删除", "undo": "撤销编辑", "redo": "重做",
        "in use": "使用",
        "removed": "移除", "added": "新增", "changed": "修改", "one-time code": "一次性验证码",
        "password by one-time code": "用验证码设置密码", "logins ended": "结束登录",
        "as the provider says": "按统一认证授予", "applied": "已写入", "staged": "试运行", "refused": "被拒绝",
        "True": "是", "False": "否", **{role: title.zh for role, title in TITLES.items()},
    }
)  # fmt: skip
"""What stands in the details, for a reader of Chinese; what is not here is a name."""
COLUMNS: Final = (
    "id", "time", "actor", "role", "action", "object", "city", "rows", "bbox", "filter", "purpose", "request_id",
    "detail", "hash",
)  # fmt: skip
FILTERS: Final = ("action", "actor", "datetime")
PIECE: Final = 2_000
LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows a request asks for, within what its role sees."""

    actions: tuple[Action, ...]
    actor: str | None
    interval: Interval
    city_id: int | None
    areas: tuple[int, ...] | None

    def read(self, store: Store, *, before: int | None, limit: int) -> list[Row]:
        """Return the next rows, the newest first."""
        since, until = self.interval
        return audit.read(
            store,
            actions=self.actions,
            city_id=self.city_id,
            areas=self.areas,
            actor=self.actor,
            since=since,
            until=until,
            before=before,
            limit=limit,
        )


@router.get("/audit")
async def page(request: Request, store: StoreDep, moment: MomentDep, language: LanguageDep) -> Response:
    """Return rows of the log, the newest first, a page at a time."""
    given = parameters.known(request.query_params, (*FILTERS, "before", "limit"))
    asked = _asked(request, moment, given)
    own = {name: given[name] for name in FILTERS if given.get(name)}
    limit, before = parameters.limit(given.get("limit")), _before(given.get("before"))
    found = await run_in_threadpool(lambda: asked.read(store, before=before, limit=limit))
    document: dict[str, Any] = {"entries": [described(row) for row in found], "links": self_links(request)}
    if len(found) == limit:
        following = {**own, **({"limit": limit} if "limit" in given else {}), "before": found[-1].seq}
        document["links"].append(link(request, "next", "/audit", JSON, query=following))
    role = visitor_of(request).role
    return respond(
        request,
        document,
        "audit.html",
        language=language,
        given=own,
        actions={action: WORDS[action] for action in SEEN[role]},
        words=WORDS,
        roles=ROLE_WORDS,
        told=lambda text: TOLD_ZH.get(text, text) if language == "zh" else text.replace("_", " "),
        zone=ZoneInfo(moment.city.profile.time_zone if moment.city else "UTC"),
        instants={row.seq: row.at for row in found},
    )


@router.get("/audit.csv")
async def file(request: Request, store: StoreDep, moment: MomentDep) -> Response:
    """Return rows of the log as a file, all that are asked for."""
    given = parameters.known(request.query_params, FILTERS)
    asked = _asked(request, moment, given)
    return StreamingResponse(
        _lines(asked, store),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"', "Cache-Control": "private, no-store"},
    )


def described(row: Row) -> dict[str, Any]:
    """Return a row as JSON has it."""
    return {
        "id": row.seq,
        "time": instant(row.at),
        "actor": row.account,
        "role": row.role,
        "action": row.action,
        "object": row.object,
        "city": row.city_id,
        "rows": row.rows_count,
        "bbox": row.bbox,
        "filter": row.filter,
        "purpose": row.purpose,
        "request_id": row.request_id,
        "detail": orjson.loads(row.detail),
        "hash": row.hash.hex(),
    }


def _asked(request: Request, moment: Moment, given: Mapping[str, str]) -> Asked:
    role = visitor_of(request).role
    seen = SEEN[role]
    action = next((known for known in ACTIONS if known == given.get("action")), None)
    if given.get("action") and action not in seen:
        raise bad_query("action", f"must be one of {', '.join(seen)}")
    actor = given.get("actor") or None
    if actor is not None and (len(actor) > LONGEST_NAME or not storable(actor)):
        raise bad_query("actor", "must be the name of an account")
    zone = moment.city.profile.time_zone if moment.city else "UTC"
    interval = parameters.interval(given.get("datetime") or None, zone) or (None, None)
    city = None if role == "admin" else city_of(moment)
    return Asked(
        (action,) if action else seen,
        actor,
        interval,
        None if city is None else city.id,
        None if city is None else city.scope.areas,
    )


def _before(text: str | None) -> int | None:
    if not text:
        return None
    number = parameters.key(text)
    if number is None:
        raise bad_query("before", "must be the number of a row")
    return number


def _lines(asked: Asked, store: Store) -> Iterator[str]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    before: int | None = None
    while True:
        found = asked.read(store, before=before, limit=PIECE)
        for row in found:
            writer.writerow([_cell(value) for value in described(row).values()])
        yield ("\ufeff" if before is None else "") + text.getvalue()
        text.seek(0)
        text.truncate()
        if len(found) < PIECE:
            return
        before = found[-1].seq


def _cell(value: Any) -> str:
    """Return a value as a table's program takes it for text, never for a formula.

    Examples
    --------
    >>> _cell("=1+1"), _cell(None), _cell({"a": 1})
    ("'=1+1", '', '{"a":1}')
    """
    text = "" if value is None else orjson.dumps(value).decode() if isinstance(value, dict) else str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
