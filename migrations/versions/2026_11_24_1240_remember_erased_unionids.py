"""remember UnionIDs of those who were erased at every account"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "erased_unionids",
        sa.Column("pseudonym", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("pseudonym", name=op.f("pk_erased_unionids")),
    )
    op.create_index(
        "ix_openids_erased",
        "openids",
        ["appid", "openid"],
        postgresql_where=sa.text("resolve_reason = 'erased'"),
    )


def downgrade() -> None:
    op.drop_index("ix_openids_erased", "openids")
    op.drop_table("erased_unionids")
