"""note changes of how followers came

A migration of its own, so that the table of followers is not locked together with their history.
"""

from collections.abc import Sequence
from typing import Final

from alembic import op

from app.db.sql_files import load

revision: str = "0042"
down_revision: str | None = "0041"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`.
SQL_FILES: Final = {
    "oa_bridge_how_deleted": "d169fdd2ec7f0989",
    "oa_bridge_how_inserted": "8c5dcf3e322f1db4",
    "oa_bridge_how_updated": "928fee8ac9189c08",
}


def upgrade() -> None:
    load(SQL_FILES)


def downgrade() -> None:
    for name in SQL_FILES:
        op.execute(f"DROP TRIGGER {name} ON followers")
