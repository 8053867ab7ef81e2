"""add pauses of resolving, revoked classes, and indexes of one person's latest rows"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What one person did, in the order of time: a long life is read from its end.
LATEST = {
    "callbacks": ["occurred_at"],
    "follow_events": ["occurred_at", "position"],
    "subscription_events": ["occurred_at", "position"],
}


def upgrade() -> None:
    op.add_column("openids", sa.Column("logged_in_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "openids", sa.Column("revoked", postgresql.JSONB(none_as_null=True), nullable=True)
    )
    op.add_column("erasures", sa.Column("waits_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "resolve_pauses",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("appid", name=op.f("pk_resolve_pauses")),
    )
    for table, order in LATEST.items():
        op.create_index(f"ix_{table}_latest", table, ["appid", "openid", *order])
        op.drop_index(op.f(f"ix_{table}_appid_openid"), table)


def downgrade() -> None:
    for table in LATEST:
        op.create_index(op.f(f"ix_{table}_appid_openid"), table, ["appid", "openid"])
        op.drop_index(f"ix_{table}_latest", table)
    op.drop_table("resolve_pauses")
    op.drop_column("erasures", "waits_until")
    for column in ("revoked", "logged_in_at"):
        op.drop_column("openids", column)
