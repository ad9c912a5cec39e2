"""Who may reach the log: nobody its table, the server's own database roles the two functions they need."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

NOBODY: Final = "REVOKE ALL ON SCHEMA audit FROM PUBLIC; REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC"
"""A new function is everybody's, and a restored one is too."""
MAY_READ: Final = ("GRANT USAGE ON SCHEMA audit TO {role}", "GRANT EXECUTE ON FUNCTION audit.read TO {role}")
MAY_ADD: Final = ("GRANT EXECUTE ON FUNCTION audit.append TO {role}",)


def grant(connection: sa.Connection, *, adding: str, reading: str) -> None:
    """Give the database role `adding` what writes rows and reads them, and `reading` what reads them; idempotent."""
    connection.exec_driver_sql(NOBODY)
    quoted = connection.dialect.identifier_preparer.quote
    for role, statements in ((adding, (*MAY_READ, *MAY_ADD)), (reading, MAY_READ)):
        for statement in statements:
            connection.exec_driver_sql(statement.format(role=quoted(role)))
