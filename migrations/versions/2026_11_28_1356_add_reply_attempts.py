"""add the attempts to send a reply"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0034"
down_revision: str | None = "0033"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    statuses = ("pending", "sending", "held", "sent", "failed", "expired", "skipped")
    op.create_table(
        "reply_attempts",
        sa.Column("reply_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("began_at", moment, nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column(
            "status",
            sa.Enum(*statuses, name="replystatus", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("errmsg", sa.Text(), nullable=True),
        sa.Column("rid", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("reply_id", "number", name=op.f("pk_reply_attempts")),
    )


def downgrade() -> None:
    op.drop_table("reply_attempts")
