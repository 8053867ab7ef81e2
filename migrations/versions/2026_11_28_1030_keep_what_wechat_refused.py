"""keep what WeChat refused: the rid of a reply, problems of accounts, the cause of a pause"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("replies", sa.Column("rid", sa.Text(), nullable=True))
    # A pause that older code begins, during the release, has neither.
    op.add_column("resolve_pauses", sa.Column("since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "resolve_pauses",
        sa.Column("by_token", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_table(
        "api_problems",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("api", sa.Text(), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("errmsg", sa.Text(), nullable=False),
        sa.Column("rid", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("appid", "api", name=op.f("pk_api_problems")),
    )


def downgrade() -> None:
    op.drop_table("api_problems")
    op.drop_column("resolve_pauses", "by_token")
    op.drop_column("resolve_pauses", "since")
    op.drop_column("replies", "rid")
