"""Cities, versions of their frames, the import ledger, runs and jobs; an empty schema for results."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

CITY_ID = "city_id"


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute("CREATE SCHEMA IF NOT EXISTS results")
    _create_profiles()
    _create_frame_versions()
    _create_ledger()
    _create_runs()
    _create_jobs()


def downgrade() -> None:
    for table in ("jobs", "runs", "import_errors", "import_batches", "frame_versions", "profiles"):
        op.drop_table(table, schema="city")
    op.execute("DROP SCHEMA results CASCADE")


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False)


def _city_id() -> sa.Column[int]:
    return sa.Column(CITY_ID, sa.SmallInteger, nullable=False)


def _of_city(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [CITY_ID], ["city.profiles.id"], name=op.f(f"fk_{table}_city_id"), ondelete="CASCADE"
    )


def _text(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable, server_default=default)


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True))


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _create_profiles() -> None:
    op.create_table(
        "profiles",
        sa.Column("id", sa.SmallInteger, sa.Identity(always=True), nullable=False),
        _text("slug"),
        _text("title_zh"),
        _text("title_en"),
        _text("metric_crs"),
        _text("time_zone"),
        sa.Column("lattice_origin", pg.ARRAY(sa.Float(53)), nullable=False),
        sa.Column("languages", pg.ARRAY(sa.Text), nullable=False),
        sa.Column("open_categories", sa.Boolean, nullable=False),
        _text("grid_code_pattern"),
        _text("attribution", default=""),
        sa.Column("synthetic", sa.Boolean, nullable=False),
        sa.Column("in_use", sa.Boolean, nullable=False, server_default=sa.false()),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profiles")),
        sa.UniqueConstraint("slug", name=op.f("uq_profiles_slug")),
        schema="city",
    )
    op.create_index(
        "uq_profiles_in_use", "profiles", ["in_use"], unique=True, schema="city", postgresql_where=sa.text("in_use")
    )


def _create_frame_versions() -> None:
    op.create_table(
        "frame_versions",
        _city_id(),
        _text("frame"),
        sa.Column("version", sa.BigInteger, nullable=False),
        _now("changed_at"),
        _of_city("frame_versions"),
        sa.PrimaryKeyConstraint(CITY_ID, "frame", name=op.f("pk_frame_versions")),
        schema="city",
        comment="Raised in the transaction of every change: names caches, ETags and the inputs of a job.",
    )


def _create_ledger() -> None:
    op.create_table(
        "import_batches",
        _id(),
        _city_id(),
        _text("frame"),
        _text("source"),
        sa.Column(
            "content_sha256",
            sa.Text,
            nullable=False,
            comment="of the file's bytes and the options it is read with",
        ),
        sa.Column("options", pg.JSONB, nullable=False),
        _text("state"),
        sa.Column("rows_read", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("rows_bad", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("report", pg.JSONB),
        _now("started_at"),
        _instant("applied_at"),
        sa.CheckConstraint(
            "state IN ('loading', 'staged', 'applied', 'refused')", name=op.f("ck_import_batches_state")
        ),
        _of_city("import_batches"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batches")),
        sa.UniqueConstraint(
            CITY_ID, "frame", "content_sha256", name=op.f("uq_import_batches_city_id_frame_content_sha256")
        ),
        schema="city",
    )
    op.create_table(
        "import_errors",
        sa.Column("batch_id", sa.BigInteger, nullable=False),
        sa.Column("row_number", sa.BigInteger, nullable=False),
        _text("field"),
        _text("code"),
        _text("message"),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["city.import_batches.id"], name=op.f("fk_import_errors_batch_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("batch_id", "row_number", "field", "code", name=op.f("pk_import_errors")),
        schema="city",
    )


def _create_runs() -> None:
    op.create_table(
        "runs",
        _id(),
        _city_id(),
        _text("service"),
        sa.Column("service_version", sa.Integer, nullable=False),
        sa.Column("summary", pg.JSONB, nullable=False),
        sa.Column("provenance", pg.JSONB, nullable=False),
        _now("created_at"),
        _of_city("runs"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        schema="city",
    )
    op.create_index("ix_runs_latest", "runs", [CITY_ID, "service", "id"], schema="city")


def _create_jobs() -> None:
    op.create_table(
        "jobs",
        _id(),
        _city_id(),
        _text("service"),
        sa.Column("parameters", pg.JSONB, nullable=False),
        sa.Column(
            "key", sa.Text, nullable=False, comment="hash of service, version, parameters, input versions and scope"
        ),
        _text("state", default="accepted"),
        sa.Column("progress_share", sa.Float, nullable=False, server_default="0"),
        _text("message", default=""),
        sa.Column("problem", pg.JSONB),
        sa.Column("run_id", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        _now("created_at"),
        _instant("started_at"),
        _instant("finished_at"),
        sa.CheckConstraint(
            "state IN ('accepted', 'running', 'successful', 'failed', 'dismissed')", name=op.f("ck_jobs_state")
        ),
        _of_city("jobs"),
        sa.ForeignKeyConstraint(["run_id"], ["city.runs.id"], name=op.f("fk_jobs_run_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        schema="city",
    )
    op.create_index(
        "uq_jobs_key",
        "jobs",
        ["key"],
        unique=True,
        schema="city",
        postgresql_where=sa.text("state NOT IN ('failed', 'dismissed')"),
    )
