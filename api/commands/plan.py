"""``wangge plan``: drafts of the grids, from the first to the day they take effect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Final

import orjson
import typer

from api.console import Commands, facts, out, table
from gis.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from gis.store.cities import CityRow
    from gis.store.engine import Store
    from gis.store.plans import PlanRow

ACTIONS: Final = (
    "create_dedicated", "lock", "merge_grids", "move_blocks", "move_node", "rename", "split_block", "split_grid",
    "unlock",
)  # fmt: skip

app = typer.Typer(cls=Commands, help="Plans: redraw the grids, have it approved, publish it.", no_args_is_help=True)

PlanId = Annotated[int, typer.Argument(metavar="PLAN", help="Number of the plan.")]
Desk = Annotated[str, typer.Option(help="Which desk acts; the one that hands a plan in cannot approve it.")]


@app.command("list")
def list_() -> None:
    """List the plans of the city in use, the newest first.

    **Example:** `wangge plan list`
    """
    from api.opening import opened
    from gis.store import cities, plans

    with opened() as store:
        city = cities.current(store)
        plans.settle(store, city)
        every = plans.list_(store, city)
    table(
        "Plans",
        ("plan", "title", "state", "revision", "from", "in force on"),
        (
            (
                str(plan.id),
                plan.title,
                plan.state,
                str(plan.revision),
                str(plan.base_plan_id or "grids in force"),
                str(plan.effective_on or ""),
            )
            for plan in every
        ),
    )


@app.command()
def new(
    title: Annotated[str, typer.Argument(help="What the plan is called.")],
    *,
    drawn: Annotated[
        Path | None,
        typer.Option(
            help="A file of grids drawn elsewhere, each block going where most of it lies; or a table with the columns "
            "'block_code' and 'grid_code'."
        ),
    ] = None,
    crs: Annotated[str | None, typer.Option(help="What its coordinates are in, where it does not say.")] = None,
    code: Annotated[str | None, typer.Option(help="Its field with the code of a grid.")] = None,
    copy_of: Annotated[int | None, typer.Option(metavar="PLAN", help="Begin with another plan.")] = None,
    desk: Desk = "planner",
) -> None:
    """Make a draft: of the grids in force, of another plan, or of a file.

    **Examples:**

    `wangge plan new "Spring adjustment"`

    `wangge plan new "As the street office drew it" --drawn proposal.gpkg`

    `wangge plan new "As agreed" --drawn assignment.csv`
    """
    if drawn is not None and copy_of is not None:
        problem = Problem("two_beginnings", "not both", "--copy-of", zh="二者只能选一")
        raise InvalidInput("a plan begins with one thing", [problem], zh="方案只能有一个起点")
    with _at_desk(desk) as (store, city, plans):
        if copy_of is not None:
            plan = plans.copy(store, city, copy_of, title=title, desk=desk)
        elif drawn is not None:
            how = plans.PlanFile(crs=crs, code=code)
            plan, report = plans.from_file(store, city, drawn, title=title, desk=desk, how=how)
            cut = report.pop("cut_blocks", [])
            facts("How the file fits", {**report, "grids_new": ", ".join(report["grids_new"]) or "none"})
            if cut:
                table("Blocks that it cuts, the worst first", ("block", "grid", "share inside"), (
                    (row["block"], row["grid"], f"{row['inside_share']:.1%}") for row in cut[:10]
                ))  # fmt: skip
        else:
            plan = plans.from_current(store, city, title=title, desk=desk)
    _say(plan)


@app.command()
def export(
    plan: PlanId,
    file: Annotated[Path, typer.Argument(help=".gpkg .geojson .zip .parquet .xlsx, or .csv for block to grid")],
) -> None:
    """Write a plan into a file: its grids with their areas, or as CSV the grid of each block.

    **Example:** `wangge plan export 3 plan.gpkg`
    """
    from api.files import check_target
    from api.opening import opened
    from gis.store import cities, plans

    check_target(file)
    with opened() as store:
        written = plans.export_plan(store, cities.current(store), plan, file)
    out.print(f"written: {written}", soft_wrap=True)


@app.command()
def act(
    plan: PlanId,
    action: Annotated[str, typer.Argument(help=f"One of {', '.join(ACTIONS)}.")],
    arguments: Annotated[str, typer.Argument(help="What the action needs, as JSON; the same as over HTTP.")] = "{}",
    *,
    desk: Desk = "planner",
) -> None:
    """Do an action to a draft, as one edit that undo takes back.

    **Examples:**

    `wangge plan act 3 merge_grids '{"grids": ["320508001001002"], "into": "320508001001001"}'`

    `wangge plan act 3 split_block '{"block": "b17", "line": [[120.61, 31.30], [120.62, 31.31]]}'`

    `wangge plan act 3 move_node '{"at": [120.6100, 31.3000], "to": [120.6103, 31.3001]}'`
    """
    from api.plan_actions import Acted
    from api.plans import checked

    try:
        given = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        problem = Problem("not_json", "is not JSON", "ARGUMENTS", zh="不是 JSON")
        raise InvalidInput("the action was not done", [problem], zh="操作未执行") from None
    with _at_desk(desk) as (store, city, plans):
        revision = plans.get(store, city, plan).revision
        body = checked(Acted, {"revision": revision, "action": action, "arguments": given}).root
        said = body.arguments
        done = plans.act(
            store, city, plan, said.delta, revision=revision, action=body.action,
            arguments=said.model_dump(mode="json"), desk_name=desk,
        )  # fmt: skip
    _say(done)


@app.command()
def weigh(
    plan: PlanId,
    weights: Annotated[
        list[str] | None, typer.Argument(help="households, rentals, key_units, incidents_per_year or area_km2=NUMBER.")
    ] = None,
    *,
    default: Annotated[bool, typer.Option("--default", help="Take the weights of the policy again.")] = False,
    desk: Desk = "planner",
) -> None:
    """Show what makes work in a plan, or give it weights of its own.

    **Examples:**

    `wangge plan weigh 3`

    `wangge plan weigh 3 rentals=0.5 area_km2=40`

    `wangge plan weigh 3 --default`
    """
    from api.pairs import pairs
    from api.plans import Weighed, checked

    with _at_desk(desk) as (store, city, plans):
        if weights or default:
            given = None if default else dict(pairs(weights or [], "WEIGHTS"))
            revision = plans.get(store, city, plan).revision
            body = checked(Weighed, {"revision": revision, "weights": given})
            said = None if body.weights is None else body.weights.model_dump(exclude_none=True)
            _say(plans.weigh(store, city, plan, said, revision=revision, desk_name=desk))
        model = plans.model(plans.desk(store, city, plan))
    table("What makes work, in households", ("what", "weight", "policy", "amount", "share of all work"), (
        (term["name"], f"{term['weight']:g}", f"{term['default']:g}", f"{term['amount']:,.1f}", f"{term['share']:.1%}")
        for term in model["terms"]
    ))  # fmt: skip


@app.command()
def check(plan: PlanId) -> None:
    """List every rule that a plan breaks, what is broken first.

    **Example:** `wangge plan check 3`
    """
    with _at_desk("planner") as (store, city, plans):
        found = plans.problems(store, city, plans.desk(store, city, plan))
    table("What the plan breaks", ("how", "rule", "what"), (
        (violation.severity, rule.id, violation.message.en) for rule, violation in found
    ))  # fmt: skip


@app.command()
def undo(plan: PlanId) -> None:
    """Take the last edit of a draft back.

    **Example:** `wangge plan undo 3`
    """
    _turn(plan, lambda plans: plans.undo)


@app.command()
def redo(plan: PlanId) -> None:
    """Do the edit again that was undone last.

    **Example:** `wangge plan redo 3`
    """
    _turn(plan, lambda plans: plans.redo)


@app.command()
def submit(plan: PlanId, *, desk: Desk = "planner") -> None:
    """Hand a draft in for review.

    **Example:** `wangge plan submit 3`
    """
    _turn(plan, lambda plans: plans.hand_in, desk_name=desk)


@app.command()
def approve(plan: PlanId, *, desk: Desk = "supervisor") -> None:
    """Approve a plan in review.

    **Example:** `wangge plan approve 3 --desk supervisor`
    """
    _turn(plan, lambda plans: plans.approve, desk=desk)


@app.command()
def publish(
    plan: PlanId,
    *,
    on: Annotated[str, typer.Option(help="Day on which the plan takes effect, YYYY-MM-DD; today or later.")],
) -> None:
    """Give an approved plan its day: from then on the map shows its grids.

    **Example:** `wangge plan publish 3 --on 2027-01-01`
    """
    try:
        day = dt.date.fromisoformat(on)
    except ValueError:
        problem = Problem("not_a_day", "must be a day such as 2027-01-01", "--on", zh="须为日期，如 2027-01-01")
        raise InvalidInput("the plan was not published", [problem], zh="方案未发布") from None
    _turn(plan, lambda plans: plans.publish, on=day)


@contextmanager
def _at_desk(desk: str) -> Iterator[tuple[Store, CityRow, ModuleType]]:
    """Give the opened database, the city in use and what can be done to its plans, once the desk is known."""
    from api.opening import opened
    from api.roles import known_desk
    from gis.store import cities, plans

    known_desk(desk)
    with opened() as store:
        yield store, cities.current(store), plans


def _turn(plan: int, change: Callable[[ModuleType], Callable[..., PlanRow]], **more: Any) -> None:
    """Change a plan as it is now, and say what has become of it."""
    with _at_desk(more.get("desk", more.get("desk_name", "planner"))) as (store, city, plans):
        revision = plans.get(store, city, plan).revision
        _say(change(plans)(store, city, plan, revision=revision, **more))


def _say(plan: PlanRow) -> None:
    day = f", in force on {plan.effective_on}" if plan.effective_on else ""
    out.print(f"plan {plan.id} '{plan.title}' is {plan.state} at revision {plan.revision}{day}", markup=False)
