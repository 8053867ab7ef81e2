"""add chart_notes

A new table alone: code that does not know it is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0072"
down_revision: str | None = "0071"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "chart_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=True),
        sa.Column("day", sa.Date(), nullable=True),
        sa.Column("at", moment, nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_notes")),
    )
    op.create_index(op.f("ix_chart_notes_day"), "chart_notes", ["day"])
    op.create_index(op.f("ix_chart_notes_at"), "chart_notes", ["at"])


def downgrade() -> None:
    op.drop_table("chart_notes")
