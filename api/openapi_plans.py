"""The addresses of plans in the OpenAPI document, their bodies as the server reads them."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from api.links import FILE_TYPES
from api.plan_actions import Acted
from api.plans import Asked, Change, Copied, GridChanges, Locks, Moves, NewPlan, Published, Returned, Weighed
from api.schemas import for_openapi_30

Node = dict[str, Any]

_PLAN: Final[Node] = {
    "name": "planId",
    "in": "path",
    "required": True,
    "description": "Number of the plan.",
    "schema": {"type": "integer", "minimum": 1},
}
_READS: Final = {
    "assignment": "the grid of each block",
    "board": "all that a page needs to redraw it by itself",
    "grids": "what it says of its grids besides their blocks",
    "shapes": "blocks that the plan itself cut or moved",
    "edits": "every edit in order",
    "problems": "every rule that it breaks, where, and what would mend it",
    "compare": "what it changes of the grids in force, or of another plan",
    "workload": "what makes work in it: every weight with its source, and what it comes to",
    "lineage": "which grid became which when it was published",
}
_QUERIES: Final[dict[str, tuple[Node, ...]]] = {
    "edits": (
        {"name": "limit", "in": "query", "description": "Edits a page; 1000.", "schema": {"type": "integer"}},
        {"name": "after", "in": "query", "description": "Go on after this edit.", "schema": {"type": "integer"}},
    ),
    "compare": (
        {"name": "with", "in": "query", "description": "Another plan; the grids in force when not given.",
         "schema": {"type": "string", "default": "current"}},
    ),
}  # fmt: skip
_CHANGES: Final[tuple[tuple[str, str, str, type[BaseModel]], ...]] = (
    ("assignment", "patch", "assign blocks to grids", Moves),
    ("grids", "patch", "add or describe grids, or take empty ones out", GridChanges),
    (
        "edits",
        "post",
        "do an action: move blocks or a corner, merge, split or describe grids, cut a block, lock",
        Acted,
    ),
    ("workload", "patch", "give it weights of its own, or the policy's again", Weighed),
    ("locks", "put", "say what no edit may touch", Locks),
    ("undo", "post", "take the last edit back", Change),
    ("redo", "post", "do the edit again that was undone last", Change),
    ("proposals", "post", "make better plans, told line by line; none is kept", Asked),
    ("copy", "post", "write down a draft with all that it holds", Copied),
    ("submit", "post", "hand it in for review", Change),
    ("withdraw", "post", "take it back from review", Change),
    ("send-back", "post", "send it back from review with a note", Returned),
    ("approve", "post", "approve it", Change),
    ("publish", "post", "give it its day", Published),
)


_FILE: Final[list[Node]] = [{"$ref": f"#/components/parameters/{name}"} for name in ("ending", "purpose")]


def plan_paths() -> Node:
    """Return the paths below ``/plans``."""
    state = {"name": "state", "in": "query", "description": "Only plans of this state.", "schema": {"type": "string"}}
    limit = {"$ref": "#/components/parameters/limit"}
    paths: Node = {
        "/plans": {
            "get": _operation("plans", "The plans, the newest first", [state, limit]),
            "post": _operation("createPlan", "Write down a draft", [], body=NewPlan, status="201"),
        },
        "/plans/imports": {"post": _upload()},
        "/plans/{planId}": {
            "get": _operation("plan", "One plan", [_PLAN]),
            "delete": _operation("deletePlan", "Throw a draft away", [_PLAN], status="204"),
        },
        "/plans/{planId}/export.{ending}": {"get": _file("exportPlan", "The plan as a file")},
        "/plans/{planId}/notice.{ending}": {"get": _file("noticeOfPlan", "Whom it concerns, as a file")},
        "/plans/{planId}/notice.html": {"get": _operation("noticePage", "Whom it concerns, as a page", [_PLAN])},
    }
    for name, words in _READS.items():
        takes = [_PLAN, *_QUERIES.get(name, ())]
        paths[f"/plans/{{planId}}/{name}"] = {"get": _operation(f"plan_{name}", f"Of a plan: {words}", takes)}
    for name, method, words, body in _CHANGES:
        operation = _operation(f"plan_{method}_{name}", f"Of a plan: {words}", [_PLAN], body=body)
        paths.setdefault(f"/plans/{{planId}}/{name}", {})[method] = operation
    return paths


_UPLOAD: Final[Node] = {
    "type": "object",
    "required": ["file", "title"],
    "properties": {
        "file": {
            "type": "string",
            "format": "binary",
            "description": "Areas with codes, or a table of blocks.",
        },
        "title": {"type": "string"},
        "note": {"type": "string"},
        "crs": {
            "type": "string",
            "description": "wgs84, cgcs2000, gcj02, bd09 or epsg:N.",
        },
        "code": {"type": "string", "description": "Field with the code of a grid; code, or grid_code of a table."},
        "block": {"type": "string", "default": "block_code", "description": "Field with the code of a block."},
        "layer": {"type": "string"},
        "encoding": {"type": "string"},
    },
    "additionalProperties": False,
}

_PROBLEM: Final[Node] = {"default": {"$ref": "#/components/responses/Problem"}}


def _upload() -> Node:
    operation = _operation("importPlan", "Write down a draft as a file has it; says how well it fits", [], status="201")
    return {**operation, "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _UPLOAD}}}}


def _file(id_: str, summary: str) -> Node:
    content: Node = {kind: {} for kind in FILE_TYPES.values()}
    operation = _operation(id_, summary, [_PLAN, *_FILE])
    return {**operation, "responses": {"200": {"description": "A file.", "content": content}, **_PROBLEM}}


def _operation(
    id_: str, summary: str, takes: list[Node], *, body: type[BaseModel] | None = None, status: str = "200"
) -> Node:
    content = {} if status == "204" else {"content": {"application/json": {"schema": {"type": "object"}}}}
    operation: Node = {
        "operationId": id_,
        "summary": summary,
        "tags": ["Plans"],
        "parameters": takes,
        "responses": {status: {"description": "The answer.", **content}, **_PROBLEM},
    }
    if body is not None:
        schema = for_openapi_30(_flat(body))
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _flat(body: type[BaseModel]) -> Node:
    """Return the schema of a body with every definition in its place."""
    schema = body.model_json_schema()
    known = schema.pop("$defs", {})

    def placed(node: Any) -> Any:
        if isinstance(node, list):
            return [placed(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            return placed(known[node["$ref"].rsplit("/", 1)[1]])
        # Every branch says by a single value of `action` which it is.
        node = {name: value for name, value in node.items() if name != "discriminator"}
        return {name: placed(value) for name, value in node.items()}

    flat: Node = placed(schema)
    return flat
