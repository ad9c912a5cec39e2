"""Row-level security, and the database roles that it binds: which rows of each table a scope may touch.

The rules are declared here and kept by `keep`, which every start, upgrade and restore calls: a table without its rule,
or with an older one, gets it; rights that a role should not have are taken back. The store writes its own predicates
besides; the policies hold where one is forgotten. They read the settings that the one door makes
(`gis.store.engine`), each once a statement, and let nothing through where those are missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import sqlalchemy as sa

from gis.store.audit import rights as audit_rights
from gis.store.engine import APP_ROLE, READING_ROLE
from gis.store.tables import CITY_SCHEMA, FRAME_TABLES, PUBLISHED, RESULTS_SCHEMA, STAGE_TABLES

BACKUP_ROLE: Final = "wangge_backup"
QUEUE_SCHEMA: Final = "queue"
AUDIT_SCHEMA: Final = "audit"
SCHEMAS: Final = (CITY_SCHEMA, RESULTS_SCHEMA, QUEUE_SCHEMA, AUDIT_SCHEMA)

EDITS: Final = "api"
"""Source of the rows that are added one by one, in whatever scope."""

_CITY: Final = "city_id = (SELECT nullif(nullif(current_setting('wangge.city', true), ''), '*')::int)"
_WHOLE: Final = "(SELECT current_setting('wangge.areas', true)) = '*'"
_COVERED: Final = "(SELECT string_to_array(nullif(current_setting('wangge.areas', true), '*'), ','))::int[]"
_OF_AREA: Final = f"{_CITY} AND ({_WHOLE} OR area_id = ANY ({_COVERED}))"
_OF_RUN_OR_JOB: Final = f"{_CITY} AND ({_WHOLE} OR areas <@ {_COVERED})"
_OF_PLAN: Final = "plan_id IN (SELECT id FROM city.plans)"
_OF_RUN: Final = "run_id IN (SELECT id FROM city.runs)"
_PUBLISHED: Final = ", ".join(f"'{service}'" for service in PUBLISHED)

RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(FRAME_TABLES, _OF_AREA),
        "areas": f"{_CITY} AND ({_WHOLE} OR id = ANY ({_COVERED}))",
        "area_pieces": _OF_AREA,
        "tile_cells": _OF_AREA,
        "frame_versions": _CITY,
        "mask_secrets": _CITY,
        "edited_rows": _CITY,
        "write_keys": _CITY,
        "import_batches": f"{_CITY} AND ({_WHOLE} OR source = '{EDITS}')",
        "import_errors": "batch_id IN (SELECT id FROM city.import_batches)",
        "runs": f"{_CITY} AND ({_WHOLE} OR areas <@ {_COVERED} OR (areas IS NULL AND service IN ({_PUBLISHED})))",
        "jobs": _OF_RUN_OR_JOB,
        "reports": _OF_AREA,
        "plans": f"{_CITY} AND {_WHOLE}",
        **dict.fromkeys(("plan_blocks", "plan_grids", "plan_shapes", "plan_edits", "plan_lineage"), _OF_PLAN),
    }
)
"""Table of schema ``city`` -> what holds of the rows that a scope may read and write."""

_WHO: Final = "is read before anybody's scope is known, by gis.store.accounts alone"
_WAITING: Final = (
    "holds rows of an import under way, which COPY cannot fill under a policy; nothing that answers reads it"
)
OPEN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "schema_version": "says which schema this is",
        "profiles": "says which cities there are, which is no secret, and is read before the city is known",
        **dict.fromkeys(("accounts", "grants", "grant_areas", "logins", "tokens"), _WHO),
        **{table.name: _WAITING for table in STAGE_TABLES.values()},
    }
)
"""Table of schema ``city`` without a policy -> why."""

_HOUSE: Final = "(SELECT current_setting('wangge.city', true)) = '*'"
"""The house itself, over all cities, where the login is bound by the policies too."""

_ALL: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_READ: Final = frozenset({"SELECT"})
_NOTHING: Final[frozenset[str]] = frozenset()
_APP_RIGHTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "schema_version": _NOTHING,
        "accounts": _ALL - {"DELETE"},
        "tokens": _ALL - {"DELETE"},
        "frame_versions": _ALL - {"DELETE"},
        "import_batches": _ALL - {"DELETE"},
        "import_errors": _ALL - {"UPDATE"},
        "grant_areas": _ALL - {"UPDATE"},
        "jobs": _ALL - {"DELETE"},
        "mask_secrets": frozenset({"SELECT", "INSERT"}),
        "runs": _ALL - {"UPDATE"},
        "plan_lineage": _ALL - {"UPDATE"},
    }
)
"""What ``wangge_app`` may do where it is not everything. Whatever else goes, goes with what it belongs to."""
_LETTERS: Final[Mapping[str, str]] = MappingProxyType({"r": "table", "p": "table", "S": "sequence"})


def keep(connection: sa.Connection) -> None:
    """Give every table its policy and every role its rights; changes nothing where all is well.

    The connection must be the owner's. Where the login may not make roles there are none: the policies then bind the
    login itself, unless it is a superuser.
    """
    _make_roles(connection)
    for schema, name in _result_tables(connection):
        _protect(connection, schema, name, _OF_RUN)
    for name, rule in RULES.items():
        _protect(connection, CITY_SCHEMA, name, rule)
    grant_rights(connection)
    if roles := _roles(connection):
        audit_rights.grant(connection, adding=APP_ROLE, reading=READING_ROLE)
        _grant_schemas(connection, roles)


def protect_result(connection: sa.Connection, name: str) -> None:
    """Give a new table of results its policy and the roles their rights on it."""
    _protect(connection, RESULTS_SCHEMA, name, _OF_RUN)
    grant_rights(connection, (RESULTS_SCHEMA,))


def is_in_force(connection: sa.Connection) -> bool:
    """Return whether the policies bind the transaction at hand."""
    return bool(connection.scalar(sa.select(sa.func.row_security_active("city.incidents"))))


def unprotected(connection: sa.Connection) -> list[str]:
    """Return the tables of schema ``city`` whose policy is missing, is an older one, or binds not even their owner."""
    found = []
    for name, rule in RULES.items():
        state = connection.execute(_STATE, {"name": f'{CITY_SCHEMA}."{name}"'}).one()
        if not state.forced or set(state.policies or ()) != _marks(rule):
            found.append(name)
    return found


def backup_role(connection: sa.Connection) -> str | None:
    """Return the role that reads everything and writes nothing, None where the login could not make it."""
    return BACKUP_ROLE if BACKUP_ROLE in _roles(connection) else None


def _make_roles(connection: sa.Connection) -> None:
    """Make the roles that are missing. They belong to the whole cluster: another database's start may do so too."""
    mine = connection.exec_driver_sql(
        "SELECT rolsuper, rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = current_user"
    ).one()
    is_superuser, may_make = mine
    if not may_make:
        return
    wanted = {
        APP_ROLE: "NOBYPASSRLS",
        READING_ROLE: "NOBYPASSRLS",
        **({BACKUP_ROLE: "BYPASSRLS"} if is_superuser else {}),
    }
    have = set(connection.exec_driver_sql("SELECT rolname FROM pg_catalog.pg_roles").scalars())
    for role, row_security in wanted.items():
        if role not in have:
            connection.exec_driver_sql(_MAKE_ROLE.format(role=role, row_security=row_security))
        if not is_superuser:
            connection.exec_driver_sql(_JOIN_ROLE.format(role=role))


_MAKE_ROLE: Final = """
DO $$
BEGIN
    CREATE ROLE {role} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION {row_security};
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END
$$
"""
_JOIN_ROLE: Final = """
DO $$
BEGIN
    IF NOT pg_has_role(session_user, '{role}', 'MEMBER') THEN
        EXECUTE format('GRANT {role} TO %I', session_user);
    END IF;
EXCEPTION WHEN unique_violation OR insufficient_privilege THEN
    NULL;
END
$$
"""


def _roles(connection: sa.Connection) -> list[str]:
    """Return those of the roles that the login may take."""
    query = sa.text(
        "SELECT rolname FROM pg_catalog.pg_roles "
        "WHERE rolname = ANY (:roles) AND pg_has_role(session_user, oid, 'MEMBER') ORDER BY rolname"
    )
    return list(connection.scalars(query, {"roles": [APP_ROLE, READING_ROLE, BACKUP_ROLE]}))


def _result_tables(connection: sa.Connection) -> Iterable[tuple[str, str]]:
    query = sa.text(
        "SELECT n.nspname, c.relname FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = 'run_id' AND NOT a.attisdropped "
        "WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') ORDER BY c.relname"
    )
    return [(row.nspname, row.relname) for row in connection.execute(query, {"schema": RESULTS_SCHEMA})]


_STATE = sa.text(
    "SELECT c.relrowsecurity AND c.relforcerowsecurity AS forced, "
    "(SELECT array_agg(p.polname || ' ' || coalesce(obj_description(p.oid, 'pg_policy'), '')) "
    "FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid) AS policies "
    "FROM pg_catalog.pg_class c WHERE c.oid = to_regclass(:name)"
)


def _protect(connection: sa.Connection, schema: str, name: str, rule: str) -> None:
    table = f'{schema}."{name}"'
    wanted = _wanted_policies(rule)
    state = connection.execute(_STATE, {"name": table}).one()
    if state.forced and set(state.policies or ()) == _marks(rule):
        return
    for entry in state.policies or ():
        connection.exec_driver_sql(f'DROP POLICY "{entry.split(" ")[0]}" ON {table}')
    for policy, said in wanted.items():
        connection.exec_driver_sql(f"CREATE POLICY {policy} ON {table} USING ({said})")
        connection.exec_driver_sql(f"COMMENT ON POLICY {policy} ON {table} IS '{_mark(said)}'")
    connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def _wanted_policies(rule: str) -> dict[str, str]:
    return {"scope": rule, "house": _HOUSE}


def _marks(rule: str) -> set[str]:
    return {f"{policy} {_mark(said)}" for policy, said in _wanted_policies(rule).items()}


def _mark(rule: str) -> str:
    """Return what is written beside a policy, to tell an older one: PostgreSQL does not keep the text itself."""
    return hashlib.sha256(rule.encode()).hexdigest()[:16]


def grant_rights(connection: sa.Connection, schemas: Iterable[str] = SCHEMAS) -> None:
    """Give each role the rights on tables and sequences that it should have, and take back what it should not."""
    roles = _roles(connection)
    if not roles:
        return
    query = sa.text(
        "SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, "
        "array(SELECT a.grantee::regrole::text || ' ' || a.privilege_type FROM aclexplode(c.relacl) a "
        "WHERE a.grantee::regrole::text = ANY (:roles)) AS have "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = ANY (:schemas) AND c.relkind IN ('r', 'p', 'S') ORDER BY n.nspname, c.relname"
    )
    for row in connection.execute(query, {"roles": roles, "schemas": list(schemas)}).all():
        for role in roles:
            have = {entry.split(" ")[1] for entry in row.have if entry.split(" ")[0] == role}
            want = _wanted(role, row.schema, row.name, _LETTERS[row.kind])
            thing = f'{"SEQUENCE" if row.kind == "S" else "TABLE"} {row.schema}."{row.name}"'
            if want - have:
                connection.exec_driver_sql(f"GRANT {', '.join(sorted(want - have))} ON {thing} TO {role}")
            if have - want:
                connection.exec_driver_sql(f"REVOKE {', '.join(sorted(have - want))} ON {thing} FROM {role}")


def _wanted(role: str, schema: str, name: str, kind: str) -> frozenset[str]:
    if role == BACKUP_ROLE:
        return _READ
    if schema == AUDIT_SCHEMA:
        return _NOTHING  # its functions are the only way
    if kind == "sequence":
        return frozenset({"USAGE"}) if role == APP_ROLE and schema == QUEUE_SCHEMA else _NOTHING
    if role == READING_ROLE:
        return _NOTHING if schema == CITY_SCHEMA and name.startswith("stage_") else _READ
    if schema == RESULTS_SCHEMA:
        return frozenset({"SELECT", "INSERT"})
    return _APP_RIGHTS.get(name, _ALL) if schema == CITY_SCHEMA else _ALL


def _grant_schemas(connection: sa.Connection, roles: Iterable[str]) -> None:
    query = sa.text(
        "SELECT n.nspname, r.rolname FROM pg_catalog.pg_namespace n, pg_catalog.pg_roles r "
        "WHERE n.nspname = ANY (:schemas) AND r.rolname = ANY (:roles) "
        "AND NOT has_schema_privilege(r.oid, n.oid, 'USAGE')"
    )
    for row in connection.execute(query, {"schemas": list(SCHEMAS), "roles": list(roles)}).all():
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {row.nspname} TO {row.rolname}")
        if row.rolname == BACKUP_ROLE:
            # A table that somebody makes between two starts belongs into the next backup too.
            for things in ("TABLES", "SEQUENCES"):
                connection.exec_driver_sql(
                    f"ALTER DEFAULT PRIVILEGES IN SCHEMA {row.nspname} GRANT SELECT ON {things} TO {row.rolname}"
                )
