"""add plain signatures"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "plain_signatures",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("dedupe_key", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("appid", "signature", name=op.f("pk_plain_signatures")),
    )
    op.create_index(op.f("ix_plain_signatures_expires_at"), "plain_signatures", ["expires_at"])


def downgrade() -> None:
    op.drop_table("plain_signatures")
