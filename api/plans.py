"""Plans as the interface writes and reads them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated, Any, Final, Literal, TypeVar

import orjson
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pyproj import Transformer
from starlette.requests import Request

from api.jobs import instant
from api.links import JSON, link
from gis.crs import LONLAT
from gis.errors import InvalidInput, Problem
from gis.plans.compare import Comparison
from gis.plans.propose import WAYS, Proposals, Way
from gis.plans.rule import Rule, Violation
from gis.plans.score import Bounds
from gis.store.plans import Desk, Edit, Patch, PlanRow, assign
from gis.store.results import json_ready

Weight = Annotated[float, Field(ge=0, le=1e6)] | None
Code = Annotated[str, Field(min_length=1, max_length=60)]


class Body(BaseModel):
    """Base of the bodies of requests: what is not asked for is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


B = TypeVar("B", bound=BaseModel)


class NewPlan(Body):
    """A draft to begin with: from the grids in force, from another plan, or from an assignment."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    note: Annotated[str, Field(max_length=4000)] = ""
    copy_of: int | None = None
    assignment: dict[Code, Code | None] | None = None


class Change(Body):
    """Something done to the plan as it was at a revision."""

    revision: Annotated[int, Field(ge=1)]


class GridFields(Body):
    """What a plan says of a grid besides its blocks."""

    kind: Literal["comprehensive", "dedicated"] = "comprehensive"
    name_zh: Annotated[str, Field(max_length=200)] | None = None
    name_en: Annotated[str, Field(max_length=200)] | None = None
    community_code: Code | None = None
    beat_code: Code | None = None
    positions_count: Annotated[int, Field(ge=0, le=10_000)] | None = None


class Moves(Change):
    """Blocks to assign to grids, None takes one out of its grid; and grids that begin or end (None) with it."""

    moves: Annotated[dict[Code, Code | None], Field(min_length=1, max_length=200_000)]
    grids: Annotated[dict[Code, GridFields | None], Field(max_length=20_000)] = {}
    action: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] = "move_blocks"


class GridChanges(Change):
    """Grids to add or describe anew; None takes an empty grid out of the plan."""

    grids: Annotated[dict[Code, GridFields | None], Field(min_length=1, max_length=20_000)]


class Locks(Change):
    """Blocks and grids that no edit may touch; replaces the locks there are."""

    blocks: tuple[Code, ...] = ()
    grids: tuple[Code, ...] = ()


class Weighing(Body):
    """What makes work, in households: of one of each, of one incident a year, of a square kilometre to walk."""

    households: Weight = None
    rentals: Weight = None
    key_units: Weight = None
    incidents_per_year: Weight = None
    area_km2: Weight = None


class Weighed(Change):
    """Weights for this plan alone, those not named as they are; None takes those of the policy again."""

    weights: Weighing | None


class Returned(Change):
    """A plan sent back from review."""

    note: Annotated[str, Field(min_length=1, max_length=4000)]


class Published(Change):
    """The day on which a plan takes effect."""

    effective_on: dt.date


class Copied(Body):
    """The title of a copy."""

    title: Annotated[str, Field(min_length=1, max_length=200)]


class Asked(Body):
    """Which proposals to make of the plan as it is."""

    ways: Annotated[tuple[Way, ...], Field(min_length=1)] = ("fewest_moves", "even", "compact")
    seed: Annotated[int, Field(ge=0)] = 0


def proposals_document(laid: Desk, found: Proposals) -> dict[str, Any]:
    """Return the alternatives with what each moves and costs, and what no plan could better."""
    current = laid.plan.assignment()
    return {
        "revision": laid.row.revision,
        "before": found.before.as_dict(),
        "alternatives": [
            {
                "way": proposal.way,
                "name": WAYS[proposal.way].title._asdict(),
                "improved": proposal.improved,
                "dominated_by": found.dominated.get(proposal.way),
                "moves": {b: g for b, g in proposal.plan.assignment().items() if current[b] != g},
                "grids": [
                    {**grid.as_dict(), "new": grid.code in proposal.opened}
                    for grid in proposal.plan.grids
                    if grid.code in proposal.opened
                ],
                "ended": list(proposal.ended),
                **proposal.score.as_dict(),
                "bounds": _bounds_document(proposal.bounds),
            }
            for proposal in found.proposals
        ],
    }


def _bounds_document(bounds: Bounds) -> dict[str, Any]:
    islands = [{**asdict(island), "message": island.message._asdict()} for island in bounds.islands]
    document: dict[str, Any] = json_ready({**asdict(bounds), "islands": islands})
    return document


def problem_documents(laid: Desk, found: Sequence[tuple[Rule, Violation]]) -> list[dict[str, Any]]:
    """Return what a plan breaks, each with the box to zoom to in degrees."""
    to_degrees = Transformer.from_crs(laid.blocks.crs, LONLAT, always_xy=True)
    return [
        {
            "rule": rule.id,
            "title": rule.title._asdict(),
            "severity": violation.severity,
            "message": violation.message._asdict(),
            "grids": list(violation.grids),
            "blocks": list(violation.blocks),
            "bbox": violation.bounds and [round(side, 7) for side in to_degrees.transform_bounds(*violation.bounds)],
            "suggestion": violation.suggestion and violation.suggestion._asdict(),
        }
        for rule, violation in found
    ]


def comparison_document(found: Comparison, posts: pd.DataFrame, coverage: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what differs between two plans: grids, blocks, posts, and what the response rings hold."""
    document: dict[str, Any] = json_ready(
        {
            "totals": found.totals,
            "grids": found.grids.reset_index().to_dict("records"),
            "moved": [
                {"block": row.block, "from": row.old, "to": row.new, "households": row.households}
                for row in found.moved.itertuples()
            ],
            "posts": [
                {"from" if k == "old_grid" else "to" if k == "new_grid" else k: v for k, v in row.items()}
                for row in posts.astype(object).where(posts.notna(), None).to_dict("records")
            ],
            "coverage": coverage,
        }
    )
    return document


async def read(request: Request, kind: type[B]) -> B:
    """Return the body of a request; `InvalidInput` names everything that is wrong with it."""
    try:
        given = orjson.loads(await request.body() or b"{}")
    except orjson.JSONDecodeError:
        raise InvalidInput("the body is not JSON", zh="请求内容不是 JSON") from None
    return checked(kind, given)


def checked(kind: type[B], given: Any) -> B:
    """Return what was given as a body; `InvalidInput` names everything that is wrong with it."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = [
            Problem(e["type"], e["msg"], ".".join(str(part) for part in e["loc"]), zh=_zh(e["type"], e.get("ctx", {})))
            for e in found
        ]
        raise InvalidInput("the request is not valid", problems, zh="请求无效") from None


_ZH: Final[Mapping[str, str]] = {
    "missing": "缺少此项",
    "extra_forbidden": "没有此项",
    "string_too_short": "至少 {min_length} 个字符",
    "string_too_long": "至多 {max_length} 个字符",
    "string_pattern_mismatch": "格式须符合 {pattern}",
    "too_short": "至少 {min_length} 项",
    "too_long": "至多 {max_length} 项",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "不得小于 {ge}",
    "less_than_equal": "不得大于 {le}",
    "literal_error": "须为 {expected} 之一",
    "union_tag_invalid": "“{tag}”须为 {expected_tags} 之一",
    "union_tag_not_found": "缺少 {discriminator}",
    "finite_number": "须为有限的数",
}
"""What pydantic says of a value, by its kind."""


def _zh(kind: str, context: Mapping[str, Any]) -> str:
    if kind in _ZH:
        return _ZH[kind].format_map(context)
    return "须为日期" if kind.startswith("date") else "值的类型或格式不对"


def patch_of(changes: Moves | GridChanges) -> Patch:
    """Return the patch of blocks that move and grids that change."""
    said = changes.grids.items()
    moves = changes.moves if isinstance(changes, Moves) else {}
    return Patch(
        blocks=assign(moves).blocks,
        grids={code: {"absent": True} if fields is None else fields.model_dump() for code, fields in said},
    )


def plan_document(request: Request, plan: PlanRow) -> dict[str, Any]:
    """Return a plan without its rows, and where they are."""
    here = f"/plans/{plan.id}"
    facts = {name: value for name, value in asdict(plan).items() if name != "city_id"}
    return {
        **facts,
        "created_at": instant(plan.created_at),
        "changed_at": instant(plan.changed_at),
        "links": [
            link(request, "self", here, JSON),
            *(link(request, name, f"{here}/{name}", JSON) for name in ("assignment", "grids", "shapes", "edits")),
        ],
    }


def edit_documents(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """Return the log of a plan, without the values that undoing needs."""
    return [
        {
            "seq": edit.seq,
            "action": edit.action,
            "arguments": edit.arguments,
            "blocks": sorted(edit.after.get("blocks", {})),
            "grids": sorted(edit.after.get("grids", {})),
            "undone": edit.undone,
            "desk": edit.desk,
            "made_at": instant(edit.made_at),
        }
        for edit in edits
    ]
