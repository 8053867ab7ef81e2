"""guard the quota of notices

Columns with NULL: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0055"
down_revision: str | None = "0054"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "notice_sends", sa.Column("quota_checked_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("notice_sends", sa.Column("quota_room", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("notice_sends", "quota_room")
    op.drop_column("notice_sends", "quota_checked_at")
