"""add the sums of growth

New tables, and triggers that note what changes in rows that may be counted. Nothing is counted yet:
the worker of the new release counts what is there, some thousand events at a time, and until then
the figures are computed from the events. Code that does not know the tables goes on as before.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db.sql_files import load

revision: str = "0041"
down_revision: str | None = "0040"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`. Functions before triggers.
SQL_FILES: Final = {
    "oa_bridge_follow_event_changed": "0dd111ae9f7c63b3",
    "oa_bridge_how_changed": "6a4988294cf88ad4",
    "oa_bridge_follow_event_deleted": "a3c4e62f9f7a136e",
    "oa_bridge_follow_event_updated": "26173809c7e1266a",
}


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "growth_progress",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_growth_progress"),
    )
    op.execute("INSERT INTO growth_progress (id, position) VALUES (1, 0)")
    op.create_table(
        "growth_quarters",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("quarter", moment, nullable=False),
        sa.Column("new", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "quarter", name="pk_growth_quarters"),
    )
    op.create_table(
        "growth_days",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("label_digest", postgresql.BYTEA(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("new", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "day", "kind", "label_digest", name="pk_growth_days"),
    )
    op.create_index(
        "ix_growth_days_empty",
        "growth_days",
        ["appid"],
        postgresql_where=sa.text("(new, lost, net) = (0, 0, 0)"),
    )
    op.create_table(
        "counted_follow_events",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("scene", sa.Text(), nullable=True),
        sa.Column("occurred_at", moment, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_counted_follow_events"),
    )
    op.create_table(
        "counted_hows",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("how", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_counted_hows"),
    )
    load(SQL_FILES)


def downgrade() -> None:
    op.execute("DROP TRIGGER oa_bridge_follow_event_updated ON follow_events")
    op.execute("DROP TRIGGER oa_bridge_follow_event_deleted ON follow_events")
    op.execute("DROP FUNCTION oa_bridge_follow_event_changed")
    op.execute("DROP FUNCTION oa_bridge_how_changed")
    for table in (
        "counted_hows",
        "counted_follow_events",
        "growth_days",
        "growth_quarters",
        "growth_progress",
    ):
        op.drop_table(table)
