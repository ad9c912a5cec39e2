"""The audit log: a chain of rows in a schema of its own, added to by one function and changed by none."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE audit.entries (
    seq bigint CONSTRAINT pk_entries PRIMARY KEY CONSTRAINT ck_entries_seq CHECK (seq > 0),
    at timestamptz NOT NULL,
    account_id bigint,
    account text CONSTRAINT ck_entries_account CHECK (length(account) <= 200),
    role text NOT NULL CONSTRAINT ck_entries_role CHECK (length(role) <= 40),
    action text NOT NULL CONSTRAINT ck_entries_action CHECK (length(action) <= 40),
    object text NOT NULL CONSTRAINT ck_entries_object CHECK (length(object) <= 300),
    city_id integer,
    areas integer[],
    bbox text CONSTRAINT ck_entries_bbox CHECK (length(bbox) <= 100),
    filter text CONSTRAINT ck_entries_filter CHECK (length(filter) <= 2000),
    rows_count bigint,
    purpose text CONSTRAINT ck_entries_purpose CHECK (length(purpose) <= 200),
    request_id text CONSTRAINT ck_entries_request_id CHECK (length(request_id) <= 100),
    detail text NOT NULL
        CONSTRAINT ck_entries_detail CHECK (length(detail) <= 10000 AND detail::json IS NOT NULL),
    previous bytea NOT NULL CONSTRAINT ck_entries_previous CHECK (octet_length(previous) = 32),
    hash bytea NOT NULL CONSTRAINT ck_entries_hash CHECK (octet_length(hash) = 32)
)
"""

INDEXES = """
CREATE INDEX ix_entries_at ON audit.entries (at);
CREATE INDEX ix_entries_action ON audit.entries (action, seq);
CREATE INDEX ix_entries_account ON audit.entries (account, seq);
CREATE INDEX ix_entries_city_id ON audit.entries (city_id, seq)
"""

FIELD = """
CREATE FUNCTION audit.field(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN value IS NULL THEN '-' ELSE octet_length(value) || ':' || value END
"""
"""One value so that no two rows of values are the same text: its length in bytes before it, a dash where there is
none. Its body was read when it was made, so it needs no search path of its own and can become part of its caller."""

DIGEST = """
CREATE FUNCTION audit.digest(entry audit.entries) RETURNS bytea
LANGUAGE sql STABLE
RETURN sha256(entry.previous || convert_to(
    audit.field(entry.seq::text)
    || audit.field(to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
    || audit.field(entry.account_id::text) || audit.field(entry.account) || audit.field(entry.role)
    || audit.field(entry.action) || audit.field(entry.object) || audit.field(entry.city_id::text)
    || audit.field(array_to_string(entry.areas, ',')) || audit.field(entry.bbox) || audit.field(entry.filter)
    || audit.field(entry.rows_count::text) || audit.field(entry.purpose) || audit.field(entry.request_id)
    || audit.field(entry.detail),
    'UTF8'))
"""
"""The hash of a row, as `gis.store.audit.chain.digest` computes it too."""

LINK = """
CREATE FUNCTION audit.link(entry audit.entries) RETURNS audit.entries
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last record;
BEGIN
    PERFORM pg_advisory_xact_lock(33627154661962081);
    SELECT seq, hash INTO last FROM audit.entries ORDER BY seq DESC LIMIT 1;
    entry.seq := coalesce(last.seq, 0) + 1;
    entry.previous := coalesce(last.hash, decode(repeat('00', 32), 'hex'));
    entry.at := clock_timestamp();
    entry.hash := audit.digest(entry);
    INSERT INTO audit.entries SELECT entry.*;
    RETURN entry;
END
$$
"""
"""Adds a row at the end of the chain. One transaction at a time has the end, from here until it commits."""

APPEND = """
CREATE FUNCTION audit.append(
    account_id bigint, account text, role text, action text, object text, city_id integer, areas integer[],
    bbox text, filter text, rows_count bigint, purpose text, request_id text, detail text
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    entry audit.entries;
BEGIN
    IF action = 'retention' THEN
        RAISE EXCEPTION 'rows about retention are written by audit.retain alone' USING ERRCODE = 'check_violation';
    END IF;
    entry.account_id := append.account_id;
    entry.account := append.account;
    entry.role := append.role;
    entry.action := append.action;
    entry.object := append.object;
    entry.city_id := append.city_id;
    entry.areas := append.areas;
    entry.bbox := append.bbox;
    entry.filter := append.filter;
    entry.rows_count := append.rows_count;
    entry.purpose := append.purpose;
    entry.request_id := append.request_id;
    entry.detail := append.detail;
    RETURN (audit.link(entry)).seq;
END
$$
"""

READ = """
CREATE FUNCTION audit.read(
    actions text[], city_id integer, covered integer[], actor text, since timestamptz, until timestamptz,
    before_seq bigint, after_seq bigint, most integer
) RETURNS SETOF audit.entries
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF read.after_seq IS NOT NULL THEN
        RETURN QUERY SELECT e.* FROM audit.entries e WHERE e.seq > read.after_seq ORDER BY e.seq LIMIT read.most;
        RETURN;
    END IF;
    RETURN QUERY
        SELECT e.* FROM audit.entries e
        WHERE (read.actions IS NULL OR e.action = ANY (read.actions))
          AND (read.city_id IS NULL OR e.city_id = read.city_id)
          AND (read.covered IS NULL OR e.areas <@ read.covered)
          AND (read.actor IS NULL OR e.account = read.actor)
          AND (read.since IS NULL OR e.at >= read.since)
          AND (read.until IS NULL OR e.at < read.until)
          AND (read.before_seq IS NULL OR e.seq < read.before_seq)
        ORDER BY e.seq DESC LIMIT read.most;
END
$$
"""
"""Rows, the newest first; from `after_seq` on, the chain itself in its order."""

RETAIN = """
CREATE FUNCTION audit.retain(keep_from timestamptz, account_id bigint, account text, role text, request_id text)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last record;
    entry audit.entries;
    removed bigint;
BEGIN
    IF retain.keep_from > now() - interval '6 months' THEN
        RAISE EXCEPTION 'the log is kept for six months at least' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM pg_advisory_xact_lock(33627154661962081);
    SELECT e.seq, e.hash INTO last FROM audit.entries e
    WHERE e.seq < coalesce((SELECT min(k.seq) FROM audit.entries k WHERE k.at >= retain.keep_from), 9223372036854775807)
    ORDER BY e.seq DESC LIMIT 1;
    IF last.seq IS NULL THEN
        RETURN 0;
    END IF;
    SELECT count(*) INTO removed FROM audit.entries e WHERE e.seq <= last.seq;
    entry.account_id := retain.account_id;
    entry.account := retain.account;
    entry.role := retain.role;
    entry.action := 'retention';
    entry.object := 'audit';
    entry.rows_count := removed;
    entry.request_id := retain.request_id;
    entry.detail := '{"hash":"' || encode(last.hash, 'hex') || '","up_to":' || last.seq || '}';
    PERFORM audit.link(entry);
    DELETE FROM audit.entries e WHERE e.seq <= last.seq;
    RETURN removed;
END
$$
"""
"""Takes away the beginning of the chain, and writes down up to where, with the hash that the rest goes on from."""

REFUSE = """
CREATE FUNCTION audit.refuse() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = 'the audit log is only added to: ' || TG_OP || ' is refused', ERRCODE = 'insufficient_privilege';
END
$$
"""

ONLY_RETAINED = """
CREATE FUNCTION audit.only_retained() RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF (SELECT max(seq) FROM gone) > coalesce(
        (SELECT max((detail::json ->> 'up_to')::bigint) FROM audit.entries WHERE action = 'retention'), 0
    ) THEN
        RAISE EXCEPTION 'the audit log is only added to: DELETE is refused' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$
"""
"""Lets rows go only where a row about retention, itself in the chain, says that they have gone."""

TRIGGERS = """
CREATE TRIGGER no_update BEFORE UPDATE ON audit.entries EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.entries EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER no_delete AFTER DELETE ON audit.entries REFERENCING OLD TABLE AS gone
    EXECUTE FUNCTION audit.only_retained();
ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER no_update;
ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER no_delete
"""
"""Against the owner too, and in a session that plays another server's changes."""


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql("CREATE SCHEMA audit")
    for statement in (TABLE, INDEXES, FIELD, DIGEST, LINK, APPEND, READ, REFUSE, ONLY_RETAINED, RETAIN, TRIGGERS):
        connection.exec_driver_sql(statement)


def downgrade() -> None:
    op.get_bind().exec_driver_sql("DROP SCHEMA audit CASCADE")
