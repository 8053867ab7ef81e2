"""add notices

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0054"
down_revision: str | None = "0052"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    kind = sa.Enum("subscription", "template", name="noticekind", native_enum=False, length=32)
    _add_templates(kind)
    _add_sends(kind)
    _add_notices(kind)


def _add_templates(kind: sa.Enum) -> None:
    op.create_table(
        "notice_templates",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("example", sa.Text(), nullable=False),
        sa.Column("is_long_term", sa.Boolean(), nullable=False),
        sa.Column("keys", postgresql.JSONB(), nullable=False),
        sa.Column("listed_at", MOMENT, nullable=False),
        sa.Column("gone_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("appid", "template_id", name="pk_notice_templates"),
    )
    op.create_table(
        "notice_consents",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("written_off", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("appid", "openid", "template_id", name="pk_notice_consents"),
    )


def _add_sends(kind: sa.Enum) -> None:
    op.create_table(
        "notice_sends",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "source",
            sa.Enum("request", "audience", name="sendsource", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("kind", kind, nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("is_one_time", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("audience", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                *("running", "paused", "stopped", "done"),
                name="sendstate",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("max_total", sa.BigInteger(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.Column("digest", postgresql.BYTEA(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("queued_at", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("wait_until", MOMENT, nullable=True),
        sa.Column("spent_at", MOMENT, nullable=True),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("errmsg", sa.Text(), nullable=True),
        sa.Column("rid", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notice_sends"),
    )
    op.create_index(
        "uq_notice_sends_key",
        "notice_sends",
        ["idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_index(
        "ix_notice_sends_open",
        "notice_sends",
        ["id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_notice_sends_source", "notice_sends", ["source", "id"])
    op.create_index(
        "ix_notice_sends_full",
        "notice_sends",
        ["created_at"],
        postgresql_where=sa.text("content <> '{}'::jsonb"),
    )


def _add_notices(kind: sa.Enum) -> None:
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("send_id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("kind", kind, nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                *("pending", "sending", "sent", "delivered", "undelivered"),
                *("failed", "skipped", "unknown"),
                name="noticestatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("content", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("holds_consent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("first_at", MOMENT, nullable=True),
        sa.Column("tried_at", MOMENT, nullable=True),
        sa.Column("msgid", sa.Text(), nullable=True),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("errmsg", sa.Text(), nullable=True),
        sa.Column("rid", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("result_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_send", "notices", ["send_id", "status", "id"])
    op.create_index("ix_notices_person", "notices", ["appid", "openid", "id"])
    op.create_index("ix_notices_day", "notices", ["appid", "created_at"])
    for name, columns, condition in (
        ("due", ["send_id", "next_at"], "status = 'pending'"),
        ("sending", ["tried_at"], "status = 'sending'"),
        ("msgid", ["appid", "msgid"], "msgid IS NOT NULL"),
        ("full", ["created_at"], "content IS NOT NULL"),
    ):
        op.create_index(
            f"ix_notices_{name}", "notices", columns, postgresql_where=sa.text(condition)
        )


def downgrade() -> None:
    for table in ("notices", "notice_sends", "notice_consents", "notice_templates"):
        op.drop_table(table)
