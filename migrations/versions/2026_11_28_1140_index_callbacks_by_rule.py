"""index callbacks by rule

The console shows for each rule how often it has answered, and when last. Older code does not need
the index. While it is built, new callbacks wait in the spool.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_callbacks_rule",
        "callbacks",
        ["rule_id", "id"],
        postgresql_where=sa.text("rule_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_callbacks_rule", "callbacks")
