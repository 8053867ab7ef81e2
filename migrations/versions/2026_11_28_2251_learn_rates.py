"""learn rates from what WeChat refuses

Two new tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0091"
down_revision: str | None = "0085"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "api_call_spans",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "api", "began_at", name=op.f("pk_api_call_spans")),
    )
    op.create_index(op.f("ix_api_call_spans_began_at"), "api_call_spans", ["began_at"])
    op.create_table(
        "learned_rates",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("refused_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("refusals", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "api", name=op.f("pk_learned_rates")),
    )


def downgrade() -> None:
    op.drop_table("learned_rates")
    op.drop_table("api_call_spans")
