"""add remarks

A new table alone: code that does not know it is not concerned. Remarks of people who are known are
stored when `followers sync` runs, or the person follows again.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0099"
down_revision: str | None = "0098"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "follower_remarks",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appid", "openid"],
            ["openids.appid", "openids.openid"],
            name="fk_follower_remarks_appid_openid_openids",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("appid", "openid", name="pk_follower_remarks"),
    )
    columns = ["remark", "appid", "openid"]
    op.create_index("ix_follower_remarks_remark_appid_openid", "follower_remarks", columns)


def downgrade() -> None:
    op.drop_table("follower_remarks")
