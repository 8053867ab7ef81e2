"""add retries of many replies"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "reply_retries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_retries")),
    )
    op.create_index(op.f("ix_reply_retries_created_at"), "reply_retries", ["created_at"])
    op.create_index(
        "ix_reply_retries_open",
        "reply_retries",
        ["id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "reply_retry_items",
        sa.Column("retry_id", sa.Uuid(), nullable=False),
        sa.Column("reply_id", sa.Uuid(), nullable=False),
        sa.Column(
            "result",
            sa.Enum("queued", "refused", name="retryresult", native_enum=False, length=32),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("retry_id", "reply_id", name=op.f("pk_reply_retry_items")),
        sa.ForeignKeyConstraint(
            ["retry_id"],
            ["reply_retries.id"],
            name=op.f("fk_reply_retry_items_retry_id_reply_retries"),
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("reply_retry_items")
    op.drop_table("reply_retries")
