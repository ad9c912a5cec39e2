"""``wangge``: every capability from the command line. Each command lives in `api.commands`."""

from __future__ import annotations

import typer

from api.commands import audit, city, db, demo, exports, imports, plan, run, serve, user
from api.console import Commands

app = typer.Typer(
    name="wangge",
    cls=Commands,
    help="wangge 网格: an open geospatial server for grid governance. Places and events, never persons.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
app.add_typer(db.app, name="db")
app.add_typer(city.app, name="city")
app.add_typer(plan.app, name="plan")
app.add_typer(user.app, name="user")
app.add_typer(audit.app, name="audit")
app.command("demo")(demo.demo)
app.command("serve")(serve.serve)
app.command("worker")(serve.worker)
app.command("import")(imports.import_)
app.command("export")(exports.export)
app.command("run")(run.run)

if __name__ == "__main__":
    app()
