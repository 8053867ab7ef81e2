"""add erasures that need a person: it is not known whom the push is about"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "erasures",
        sa.Column(
            "needs_person",
            sa.Enum(
                "no_openid",
                "open_pid",
                "unionid_in_plain_mode",
                name="needsperson",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
    )
    op.add_column("erasures", sa.Column("closed_by", sa.Text(), nullable=True))
    op.create_index(
        "ix_erasures_needs_person",
        "erasures",
        ["id"],
        postgresql_where=sa.text("needs_person IS NOT NULL AND finished_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_erasures_needs_person", "erasures")
    op.drop_column("erasures", "closed_by")
    op.drop_column("erasures", "needs_person")
