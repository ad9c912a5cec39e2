"""``wangge plan``: drafts of the grids, from the first to the day they take effect."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.console import Commands, facts, out, table
from gis.errors import InvalidInput, Problem

if TYPE_CHECKING:
    from gis.store.plans import PlanRow

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
        typer.Option(help="Grids drawn elsewhere, with a field 'code'; each block goes where most of it lies."),
    ] = None,
    copy_of: Annotated[int | None, typer.Option(metavar="PLAN", help="Begin with another plan.")] = None,
    desk: Desk = "planner",
) -> None:
    """Make a draft: of the grids in force, of another plan, or of a drawing.

    **Examples:**

    `wangge plan new "Spring adjustment"`

    `wangge plan new "As the street office drew it" --drawn proposal.gpkg`
    """
    from api.opening import opened
    from api.roles import known_desk
    from gis.store import cities, plans

    if drawn is not None and copy_of is not None:
        raise InvalidInput(
            "a plan begins with one thing",
            [Problem("two_beginnings", "not both", "--copy-of", zh="二者只能选一")],
            zh="方案只能有一个起点",
        )
    known_desk(desk)
    with opened() as store:
        city = cities.current(store)
        if copy_of is not None:
            plan = plans.copy(store, city, copy_of, title=title, desk=desk)
        elif drawn is not None:
            plan, report = plans.from_drawing(store, city, drawn, title=title, desk=desk)
            cut = report.pop("cut_blocks")
            facts("How the drawing fits", report)
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
def submit(plan: PlanId, *, desk: Desk = "planner") -> None:
    """Hand a draft in for review.

    **Example:** `wangge plan submit 3`
    """
    from api.opening import opened
    from api.roles import known_desk
    from gis.store import cities, plans

    with opened() as store:
        city = cities.current(store)
        revision = plans.get(store, city, plan).revision
        _say(plans.hand_in(store, city, plan, revision=revision, desk_name=known_desk(desk)))


@app.command()
def approve(plan: PlanId, *, desk: Desk = "supervisor") -> None:
    """Approve a plan in review.

    **Example:** `wangge plan approve 3 --desk supervisor`
    """
    from api.opening import opened
    from api.roles import known_desk
    from gis.store import cities, plans

    with opened() as store:
        city = cities.current(store)
        revision = plans.get(store, city, plan).revision
        _say(plans.approve(store, city, plan, revision=revision, desk=known_desk(desk)))


@app.command()
def publish(
    plan: PlanId,
    *,
    on: Annotated[str, typer.Option(help="Day on which the plan takes effect, YYYY-MM-DD; today or later.")],
) -> None:
    """Give an approved plan its day: from then on the map shows its grids.

    **Example:** `wangge plan publish 3 --on 2027-01-01`
    """
    from api.opening import opened
    from gis.store import cities, plans

    try:
        day = dt.date.fromisoformat(on)
    except ValueError:
        problem = Problem("not_a_day", "must be a day such as 2027-01-01", "--on", zh="须为日期，如 2027-01-01")
        raise InvalidInput("the plan was not published", [problem], zh="方案未发布") from None
    with opened() as store:
        city = cities.current(store)
        revision = plans.get(store, city, plan).revision
        _say(plans.publish(store, city, plan, revision=revision, on=day))


def _say(plan: PlanRow) -> None:
    day = f", in force on {plan.effective_on}" if plan.effective_on else ""
    out.print(f"plan {plan.id} '{plan.title}' is {plan.state} at revision {plan.revision}{day}", markup=False)
