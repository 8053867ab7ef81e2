"""add wechat_figures and push_days

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision: str = "0071"
down_revision: str | None = "0068"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "wechat_figures",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("call", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rows", JSONB(none_as_null=True), nullable=True),
        sa.Column("read_at", moment, nullable=True),
        sa.Column("try_at", moment, nullable=True),
        sa.Column("alone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("leased_until", moment, nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("rid", sa.Text(), nullable=True),
        sa.Column("failed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("appid", "call", "day", name=op.f("pk_wechat_figures")),
    )
    op.create_index(op.f("ix_wechat_figures_try_at"), "wechat_figures", ["try_at"])
    counts = ("follows", "unfollows", "qr_follows", "texts", "images", "voices", "videos", "links")
    op.create_table(
        "push_days",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("covered", sa.Boolean(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in (*counts, "pushes", "refused")
        ),
        sa.Column("hours", JSONB(), nullable=False),
        sa.Column("last_push_at", moment, nullable=True),
        sa.Column("silences", JSONB(), nullable=False),
        sa.Column("counted_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("appid", "day", name=op.f("pk_push_days")),
    )


def downgrade() -> None:
    op.drop_table("push_days")
    op.drop_table("wechat_figures")
