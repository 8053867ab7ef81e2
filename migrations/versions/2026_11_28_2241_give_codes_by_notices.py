"""give codes by notices

Code that does not know the columns leaves them out: its sends give no codes.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0081"
down_revision: str | None = "0080"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("notice_sends", sa.Column("campaign_id", sa.Uuid(), nullable=True))
    op.add_column(
        "notice_sends",
        sa.Column("codes_asked", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )


def downgrade() -> None:
    op.drop_column("notice_sends", "codes_asked")
    op.drop_column("notice_sends", "campaign_id")
