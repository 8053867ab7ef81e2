"""add pauses of calls of WeChat's API"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0035"
down_revision: str | None = "0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Older code writes rows without them during the release: they stop no calls.
    op.add_column(
        "api_problems",
        sa.Column("count", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
    )
    op.add_column("api_problems", sa.Column("probe_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "api_problems",
        sa.Column("probes", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("api_problems", "probes")
    op.drop_column("api_problems", "probe_at")
    op.drop_column("api_problems", "count")
