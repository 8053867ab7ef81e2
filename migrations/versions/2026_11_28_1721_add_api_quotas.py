"""add quotas of WeChat's API and the clearings of them"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0045"
down_revision: str | None = "0043"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "api_quotas",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("daily_limit", sa.BigInteger(), nullable=True),
        sa.Column("used", sa.BigInteger(), nullable=True),
        sa.Column("rate_calls", sa.BigInteger(), nullable=True),
        sa.Column("rate_seconds", sa.BigInteger(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("appid", "api", name=op.f("pk_api_quotas")),
    )
    op.create_table(
        "quota_clearings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quota_clearings")),
    )
    op.create_index(
        op.f("ix_quota_clearings_appid_cleared_at"), "quota_clearings", ["appid", "cleared_at"]
    )
    op.add_column(
        "api_calls",
        sa.Column("before_clearing", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("api_calls", "before_clearing")
    op.drop_table("quota_clearings")
    op.drop_table("api_quotas")
