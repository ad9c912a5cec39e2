"""Accounts, what they may do, and the two proofs that a request comes from one: logins and tokens."""

from __future__ import annotations

import sqlalchemy as sa

from gis.store.tables.areas import AREAS
from gis.store.tables.base import metadata
from gis.store.tables.profiles import PROFILES


def _instant(name: str, comment: str | None = None) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), comment=comment)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


ACCOUNTS = sa.Table(
    "accounts",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True, comment="what one signs in with"),
    sa.Column("password_hash", sa.Text, comment="argon2id; empty where one cannot sign in with a password"),
    sa.Column("issuer", sa.Text, comment="the OpenID provider that vouches for it"),
    sa.Column("subject", sa.Text, comment="and what it is called there"),
    sa.Column("is_demo", sa.Boolean, nullable=False, server_default=sa.false()),
    _instant("disabled_at"),
    _now("created_at"),
    sa.Column("code_sha256", sa.LargeBinary, comment="of the one-time code"),
    _instant("code_expires_at"),
    sa.UniqueConstraint("issuer", "subject"),
    sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name="identity"),
)


def _account() -> sa.Column[int]:
    return sa.Column("account_id", sa.BigInteger, sa.ForeignKey(ACCOUNTS.c.id, ondelete="CASCADE"), nullable=False)


GRANTS = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _account(),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("city_id", sa.SmallInteger, sa.ForeignKey(PROFILES.c.id, ondelete="CASCADE")),
    _now("granted_at"),
    sa.Column("is_whole", sa.Boolean, nullable=False, server_default=sa.true(), comment="of all areas of the city"),
    sa.CheckConstraint("role IN ('officer', 'analyst', 'planner', 'supervisor', 'admin')", name="role"),
    sa.CheckConstraint("(role = 'admin') = (city_id IS NULL)", name="admin_of_the_server"),
    sa.Index(
        "uq_grants_city", "account_id", "role", "city_id", unique=True, postgresql_where=sa.text("city_id IS NOT NULL")
    ),
    sa.Index("uq_grants_server", "account_id", "role", unique=True, postgresql_where=sa.text("city_id IS NULL")),
)

GRANT_AREAS = sa.Table(
    "grant_areas",
    metadata,
    sa.Column("grant_id", sa.BigInteger, sa.ForeignKey(GRANTS.c.id, ondelete="CASCADE"), primary_key=True),
    # An area that goes takes its right along, and never widens a grant.
    sa.Column("area_id", sa.Integer, sa.ForeignKey(AREAS.c.id, ondelete="CASCADE"), primary_key=True),
    sa.Index("ix_grant_areas_area_id", "area_id"),
    comment="Areas of the grants that are not of the whole city",
)

LOGINS = sa.Table(
    "logins",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _account(),
    sa.Column("secret_sha256", sa.LargeBinary, nullable=False, unique=True, comment="the secret itself is nowhere"),
    sa.Column("role", sa.Text, nullable=False, comment="the one the login acts in"),
    _now("began_at"),
    _now("seen_at"),
    sa.Index("ix_logins_account_id", "account_id"),
)

TOKENS = sa.Table(
    "tokens",
    metadata,
    sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
    _account(),
    sa.Column("secret_sha256", sa.LargeBinary, nullable=False),
    sa.Column("title", sa.Text, nullable=False, comment="what it is for"),
    sa.Column("role", sa.Text, nullable=False, comment="the one it acts in, while its account has it"),
    sa.Column("may_change", sa.Boolean, nullable=False, comment="whether more than reading"),
    _now("created_at"),
    sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    _instant("used_at"),
    _instant("revoked_at"),
    sa.Index("ix_tokens_account_id", "account_id"),
)
