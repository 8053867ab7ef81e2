"""add follower synchronisations"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COUNTS = ("total", "asked", "found", "gone")


def upgrade() -> None:
    op.create_table(
        "follower_syncs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in COUNTS
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follower_syncs")),
    )
    op.create_index(
        "uq_follower_syncs_unfinished",
        "follower_syncs",
        ["appid"],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )
    op.create_table(
        "follower_marks",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "openid", name=op.f("pk_follower_marks")),
    )


def downgrade() -> None:
    op.drop_table("follower_marks")
    op.drop_table("follower_syncs")
