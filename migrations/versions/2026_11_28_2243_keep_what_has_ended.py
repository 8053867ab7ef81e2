"""keep what has ended

New tables alone: code that does not know them is not concerned, and notes no ends.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0083"
down_revision: str | None = "0082"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "ended_pauses",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("appid", "api", "since", name="pk_ended_pauses"),
    )
    op.create_index("ix_ended_pauses_since", "ended_pauses", ["since"])
    op.create_table(
        "ended_faults",
        sa.Column("check", sa.Text(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("until", moment, nullable=False),
        sa.PrimaryKeyConstraint("check", "appid", "since", name="pk_ended_faults"),
    )
    op.create_index("ix_ended_faults_since", "ended_faults", ["since"])


def downgrade() -> None:
    op.drop_table("ended_faults")
    op.drop_table("ended_pauses")
