"""load functions and triggers from their files in app/db/sql"""

from collections.abc import Sequence
from typing import Final

from app.db.sql_files import load

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`. Functions before triggers.
SQL_FILES: Final = {
    "oa_bridge_identity_learned": "6ecbe2fbcb9a5ea9",
    "oa_bridge_named": "0b990ff0beddff69",
    "oa_bridge_next_position": "931f871108457e98",
    "oa_bridge_settled_position": "ac80dfa06befb19f",
    "oa_bridge_identity_inserted": "fd2c6a142dcf191e",
    "oa_bridge_identity_updated": "27adca37de441769",
    "oa_bridge_rules_changed_delete": "40e4ff9bed20d720",
    "oa_bridge_rules_changed_insert": "39a37a7bd2620eae",
    "oa_bridge_rules_changed_truncate": "a994179d7c8c8745",
    "oa_bridge_rules_changed_update": "682cb019edd6878d",
}


def upgrade() -> None:
    load(SQL_FILES)


def downgrade() -> None:
    """Keep everything: the texts are those that the earlier migrations leave behind."""
