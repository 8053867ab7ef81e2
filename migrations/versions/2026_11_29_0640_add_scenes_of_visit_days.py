"""add scenes of visit_days

NULL: the day was counted without them, by code that does not know the column.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0097"
down_revision: str | None = "0096"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("visit_days", sa.Column("scenes", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("visit_days", "scenes")
