"""Runs of services and their place in the queue."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from gis.store.tables.accounts import ACCOUNTS
from gis.store.tables.base import metadata
from gis.store.tables.profiles import PROFILES

PUBLISHED = ("public_counts",)
"""Services whose runs over the whole city everybody may read: their results are suppressed for the public."""


def _frames(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, pg.ARRAY(sa.Text), nullable=False, server_default="{}", comment=comment)


def _instant(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), comment=comment)


RUNS = sa.Table(
    "runs",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("service_version", sa.Integer, nullable=False),
    sa.Column("summary", pg.JSONB, nullable=False),
    sa.Column("provenance", pg.JSONB, nullable=False),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("areas", pg.ARRAY(sa.Integer), comment="empty for the whole city"),
    _instant("since", "events before it did not count; empty where all did"),
    _frames("tells", "frames of whose single places it tells"),
    _frames("without", "frames it was not given, as whoever asked does not see their places"),
    sa.Index("ix_runs_latest", "city_id", "service", "id"),
)

JOBS = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE"), nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    sa.Column("parameters", pg.JSONB, nullable=False),
    sa.Column("key", sa.Text, nullable=False, comment="hash of service, version, parameters, input versions and scope"),
    sa.Column("state", sa.Text, nullable=False, server_default="accepted"),
    sa.Column("progress_share", sa.Float, nullable=False, server_default="0"),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("problem", pg.JSONB),
    sa.Column("run_id", sa.BigInteger, sa.ForeignKey(RUNS.c.id, ondelete="CASCADE")),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("started_at", sa.DateTime(timezone=True)),
    sa.Column("finished_at", sa.DateTime(timezone=True)),
    sa.Column("areas", pg.ARRAY(sa.Integer), comment="of who asked; empty for all"),
    _instant("since", "of who asked; events before it do not count"),
    _frames("tells", "frames of whose single places it tells"),
    _frames("without", "frames it is not given, as whoever asked does not see their places"),
    sa.Column(
        "account_id", sa.BigInteger, sa.ForeignKey(ACCOUNTS.c.id, ondelete="SET NULL"), comment="who asked first"
    ),
    sa.Column("role", sa.Text, comment="the role they asked in"),
    sa.CheckConstraint("state IN ('accepted', 'running', 'successful', 'failed', 'dismissed')", name="state"),
    # A failed or dismissed job may be asked again; otherwise the same question is the same job.
    sa.Index("uq_jobs_key", "key", unique=True, postgresql_where=sa.text("state NOT IN ('failed', 'dismissed')")),
)
