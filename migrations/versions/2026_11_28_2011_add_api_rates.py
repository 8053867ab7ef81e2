"""add api_rates

A new table alone: code that does not know it is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0075"
down_revision: str | None = "0073"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "api_rates",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "api", name=op.f("pk_api_rates")),
        # A row changes with every batch of calls.
        postgresql_with={"fillfactor": 50},
    )


def downgrade() -> None:
    op.drop_table("api_rates")
