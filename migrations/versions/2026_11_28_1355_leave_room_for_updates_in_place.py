"""leave room for updates in place

Every push changes the row of its sender in openids and in send_windows. No index holds what
changes. With room on its page such an update touches no index. Pages that are full already get
room as their rows move.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0033"
down_revision: str | None = "0032"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE openids SET (fillfactor = 80)")
    op.execute("ALTER TABLE send_windows SET (fillfactor = 70)")


def downgrade() -> None:
    op.execute("ALTER TABLE send_windows RESET (fillfactor)")
    op.execute("ALTER TABLE openids RESET (fillfactor)")
