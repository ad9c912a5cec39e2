"""The tables of schema ``results``: one a version of a service, made from its output contract when first needed."""

from __future__ import annotations

from functools import cache

import sqlalchemy as sa

from gis.contract.service import Service
from gis.store import policies
from gis.store.engine import NO_CITY, WORKER_TIMEOUT_S, Store
from gis.store.tables import RESULTS_SCHEMA, RUNS, geometry_columns, sql_column

LOCK = 0x77616E676573
"""Key of the advisory lock under which result tables are made."""


@cache
def result_table(service: Service) -> sa.Table:
    """Return the table that holds the features of a service's runs.

    A feature's key is its place in the run, from 1: the same computation gives the same keys.
    """
    name = f"{service.id}_v{service.version}"
    spec = service.output
    return sa.Table(
        name,
        sa.MetaData(schema=RESULTS_SCHEMA),
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey(RUNS.c.id, ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sql_column(column) for column in spec.columns),
        *geometry_columns(required=spec.geometry_required),
        # The run stands first: the runs of one service lie over the same ground.
        sa.Index(f"ix_{name}_geom_3857", "run_id", "geom_3857", postgresql_using="gist"),
        comment=spec.title.en,
    )


def ensure_table(store: Store, table: sa.Table) -> None:
    """Make a result table unless it is there, with the policy that shows of it what a scope sees of its runs.

    Raises
    ------
    RuntimeError
        The table has other columns than the contract: the service changed its output but kept its version.
    """
    with store.transaction(NO_CITY, timeout_s=WORKER_TIMEOUT_S, as_owner=True) as connection:
        inspector = sa.inspect(connection)
        if not inspector.has_table(table.name, schema=RESULTS_SCHEMA):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            table.create(connection, checkfirst=True)
            policies.protect_result(connection, table.name)
            return
        have = {column["name"] for column in inspector.get_columns(table.name, schema=RESULTS_SCHEMA)}
    if have != set(table.c.keys()):
        raise RuntimeError(f"{table.fullname} has other columns than its service's output: raise the service's version")
