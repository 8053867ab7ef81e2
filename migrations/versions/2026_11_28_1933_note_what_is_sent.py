"""note what is sent

Notices that were sent before are noted at once; replies are read with their callbacks.
"""

from collections.abc import Sequence
from typing import Final

from alembic import op

from app.db.sql_files import load

revision: str = "0067"
down_revision: str | None = "0066"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`.
SQL_FILES: Final = {
    "oa_bridge_reply_sent": "d88e2996b8ab7237",
    "oa_bridge_notice_sent": "05482fad2abb2806",
}


def upgrade() -> None:
    load(SQL_FILES)
    op.execute(
        "INSERT INTO funnel_marks (kind, touch_id) SELECT 'notice', id FROM notices "
        "WHERE status IN ('sent', 'delivered', 'undelivered')"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER oa_bridge_reply_sent ON replies")
    op.execute("DROP TRIGGER oa_bridge_notice_sent ON notices")
