"""note callbacks that are stored late

A migration of its own, so that callbacks are not locked together with what is sent.
"""

from collections.abc import Sequence
from typing import Final

from alembic import op

from app.db.sql_files import load

revision: str = "0066"
down_revision: str | None = "0065"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`.
SQL_FILES: Final = {"oa_bridge_callback_late": "f1c25429f756815d"}


def upgrade() -> None:
    load(SQL_FILES)


def downgrade() -> None:
    op.execute("DROP TRIGGER oa_bridge_callback_late ON callbacks")
