"""index the times of identity events

A replay to a webhook can start at a time. Older code does not need the index. While it is built,
new callbacks wait in the spool.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(op.f("ix_identity_events_occurred_at"), "identity_events", ["occurred_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_identity_events_occurred_at"), "identity_events")
