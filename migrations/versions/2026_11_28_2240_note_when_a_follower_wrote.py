"""note when a follower wrote

A message opened a row of send_windows, beside the row of openids that every push changes. It is
noted in openids alone from now on, and a send makes the row of it. The rows that are there stay as
they are. Code that does not know the column goes on writing send_windows with each message.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0080"
down_revision: str | None = "0075"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("openids", sa.Column("messaged_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("openids", "messaged_at")
