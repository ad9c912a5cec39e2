"""Accounts, grants, logins and tokens; which account handed a plan in and which one approved it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0005"
branch_labels = None
depends_on = None

ACCOUNT_ID = "account_id"


def upgrade() -> None:
    op.create_table(
        "accounts",
        _id(),
        sa.Column("name", sa.Text, nullable=False, comment="what one signs in with"),
        sa.Column("password_hash", sa.Text, comment="argon2id; empty where one cannot sign in with a password"),
        sa.Column("issuer", sa.Text, comment="the OpenID provider that vouches for it"),
        sa.Column("subject", sa.Text, comment="and what it is called there"),
        sa.Column("is_demo", sa.Boolean, nullable=False, server_default=sa.false()),
        _instant("disabled_at"),
        _now("created_at"),
        sa.CheckConstraint("(issuer IS NULL) = (subject IS NULL)", name=op.f("ck_accounts_identity")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("name", name=op.f("uq_accounts_name")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_accounts_issuer_subject")),
        schema="city",
    )
    _create_grants()
    op.create_table(
        "logins",
        _id(),
        _account(),
        sa.Column("secret_sha256", sa.LargeBinary, nullable=False, comment="the secret itself is nowhere"),
        sa.Column("role", sa.Text, nullable=False, comment="the one the login acts in"),
        _now("began_at"),
        _now("seen_at"),
        _of_account("logins"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logins")),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_logins_secret_sha256")),
        schema="city",
    )
    op.create_index("ix_logins_account_id", "logins", [ACCOUNT_ID], schema="city")
    op.create_table(
        "tokens",
        _id(),
        _account(),
        sa.Column("secret_sha256", sa.LargeBinary, nullable=False),
        sa.Column("title", sa.Text, nullable=False, comment="what it is for"),
        sa.Column("role", sa.Text, nullable=False, comment="the one it acts in, while its account has it"),
        sa.Column("may_change", sa.Boolean, nullable=False, comment="whether more than reading"),
        _now("created_at"),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _instant("used_at"),
        _instant("revoked_at"),
        _of_account("tokens"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        schema="city",
    )
    op.create_index("ix_tokens_account_id", "tokens", [ACCOUNT_ID], schema="city")
    for name in ("submitted_account_id", "approved_account_id"):
        op.add_column("plans", sa.Column(name, sa.BigInteger), schema="city")
        op.create_foreign_key(
            op.f(f"fk_plans_{name}"), "plans", "accounts", [name], ["id"],
            source_schema="city", referent_schema="city", ondelete="SET NULL",
        )  # fmt: skip
    op.create_check_constraint(
        op.f("ck_plans_two_accounts"), "plans", "approved_account_id <> submitted_account_id", schema="city"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_plans_two_accounts"), "plans", schema="city")
    for name in ("submitted_account_id", "approved_account_id"):
        op.drop_column("plans", name, schema="city")
    for name in ("tokens", "logins", "grants", "accounts"):
        op.drop_table(name, schema="city")


def _create_grants() -> None:
    op.create_table(
        "grants",
        _id(),
        _account(),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("city_id", sa.SmallInteger),
        _now("granted_at"),
        sa.CheckConstraint(
            "role IN ('officer', 'analyst', 'planner', 'supervisor', 'admin')", name=op.f("ck_grants_role")
        ),
        sa.CheckConstraint("(role = 'admin') = (city_id IS NULL)", name=op.f("ck_grants_admin_of_the_server")),
        _of_account("grants"),
        sa.ForeignKeyConstraint(["city_id"], ["city.profiles.id"], name=op.f("fk_grants_city_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        schema="city",
    )
    op.create_index(
        "uq_grants_city", "grants", [ACCOUNT_ID, "role", "city_id"], unique=True, schema="city",
        postgresql_where=sa.text("city_id IS NOT NULL"),
    )  # fmt: skip
    op.create_index(
        "uq_grants_server", "grants", [ACCOUNT_ID, "role"], unique=True, schema="city",
        postgresql_where=sa.text("city_id IS NULL"),
    )  # fmt: skip


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=True), nullable=False)


def _account() -> sa.Column[int]:
    return sa.Column(ACCOUNT_ID, sa.BigInteger, nullable=False)


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [ACCOUNT_ID], ["city.accounts.id"], name=op.f(f"fk_{table}_account_id"), ondelete="CASCADE"
    )


def _instant(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True))


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())
