"""add campaigns and their codes

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0068"
down_revision: str | None = "0067"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    _add_campaigns()
    _add_codes()
    _add_imports()


def downgrade() -> None:
    for table in ("code_import_parts", "code_imports", "campaign_codes", "campaign_doors"):
        op.drop_table(table)
    op.drop_table("campaigns")


def _add_campaigns() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "campaigns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("starts_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.Column("target_appid", sa.Text(), nullable=True),
        sa.Column("target_pagepath", sa.Text(), nullable=True),
        sa.Column("cost", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("warn_below", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("deleted_at", moment, nullable=True),
        sa.Column("forgotten_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_campaigns"),
    )
    op.create_index("ix_campaigns_ends_at", "campaigns", ["ends_at"])
    op.create_table(
        "campaign_doors",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _kind("rule", "qrcode", "menu_button", "link", "notice"), nullable=False),
        sa.Column("door_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "kind", "door_id", name="pk_campaign_doors"),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaigns.id"],
            name="fk_campaign_doors_campaign_id_campaigns",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_campaign_doors_kind_door_id", "campaign_doors", ["kind", "door_id"])


def _add_codes() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "campaign_codes",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("given_at", moment, nullable=True),
        sa.Column("appid", sa.Text(), nullable=True),
        sa.Column("openid", sa.Text(), nullable=True),
        sa.Column("unionid", sa.Text(), nullable=True),
        sa.Column("door_kind", sa.Text(), nullable=True),
        sa.Column("door_id", sa.Text(), nullable=True),
        sa.Column("redeemed_at", moment, nullable=True),
        sa.Column("redemption_key", sa.Text(), nullable=True),
        sa.Column("void_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("campaign_id", "code", name="pk_campaign_codes"),
    )
    op.create_index(
        "ix_campaign_codes_free",
        "campaign_codes",
        ["campaign_id", "number"],
        postgresql_where=sa.text("given_at IS NULL"),
    )
    op.create_index(
        "uq_campaign_codes_openid",
        "campaign_codes",
        ["openid", "appid", "campaign_id"],
        unique=True,
        postgresql_where=sa.text("openid IS NOT NULL AND void_at IS NULL"),
    )
    op.create_index(
        "uq_campaign_codes_unionid",
        "campaign_codes",
        ["unionid", "campaign_id"],
        unique=True,
        postgresql_where=sa.text("unionid IS NOT NULL AND void_at IS NULL"),
    )
    op.create_index(
        "ix_campaign_codes_given",
        "campaign_codes",
        ["campaign_id", "given_at"],
        postgresql_where=sa.text("given_at IS NOT NULL"),
    )
    op.create_index(
        "ix_campaign_codes_redeemed",
        "campaign_codes",
        ["campaign_id", "redeemed_at"],
        postgresql_where=sa.text("redeemed_at IS NOT NULL"),
    )


def _add_imports() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "code_imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("source", _kind("file", "generated"), nullable=False),
        sa.Column("state", _kind("receiving", "running", "done"), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("added", sa.BigInteger(), nullable=False),
        sa.Column("present", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_code_imports"),
    )
    op.create_index("ix_code_imports_campaign_id_id", "code_imports", ["campaign_id", "id"])
    op.create_index(
        "uq_code_imports_key",
        "code_imports",
        ["campaign_id", "key"],
        unique=True,
        postgresql_where=sa.text("key IS NOT NULL"),
    )
    op.create_index(
        "ix_code_imports_open",
        "code_imports",
        ["created_at"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "code_import_parts",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("codes", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_code_import_parts"),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["code_imports.id"],
            name="fk_code_import_parts_import_id_code_imports",
            ondelete="CASCADE",
        ),
    )


def _kind(*values: str) -> sa.Enum:
    return sa.Enum(*values, name="kind", native_enum=False, length=32)
