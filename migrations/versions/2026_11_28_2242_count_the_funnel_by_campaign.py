"""count the funnel by campaign

New tables, and a column with a constant default: code that does not know them is not concerned.
The worker counts the campaigns that are there, a day of their touches at a time.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0082"
down_revision: str | None = "0081"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "funnel_campaigns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", moment, nullable=False),
        sa.Column("ends_at", moment, nullable=False),
        sa.Column("recount_from", moment, nullable=True),
        sa.Column("recount_until", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_funnel_campaigns"),
    )
    op.create_table(
        "funnel_campaign_doors",
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("door", "campaign_id", name="pk_funnel_campaign_doors"),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["funnel_campaigns.id"],
            name="fk_funnel_campaign_doors_campaign_id_funnel_campaigns",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_funnel_campaign_doors_campaign_id", "funnel_campaign_doors", ["campaign_id"]
    )
    op.add_column(
        "funnel_touches",
        sa.Column("campaigns_taken", sa.Boolean(), nullable=False, server_default=sa.text("false")),
    )


def downgrade() -> None:
    op.drop_column("funnel_touches", "campaigns_taken")
    op.drop_table("funnel_campaign_doors")
    op.drop_table("funnel_campaigns")
