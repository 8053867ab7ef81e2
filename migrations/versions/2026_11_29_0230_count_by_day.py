"""count notices, answers to popups and codes by day

New tables, functions and triggers alone: the triggers count what code of any version writes. What
is there already is counted by the next migration, once every writer has the triggers.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

from app.db.sql_files import load

revision: str = "0093"
down_revision: str | None = "0092"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`. What is called comes first.
SQL_FILES: Final = {
    "oa_bridge_day": "1f9af49f11a33004",
    "oa_bridge_notice_reason": "626216d9ef13b122",
    "oa_bridge_subscription_measure": "0fc636d627311dd9",
    "oa_bridge_notices_counted": "941874717a0c10c7",
    "oa_bridge_subscriptions_counted": "95d0f62cdfa7d240",
    "oa_bridge_codes_counted": "d50d509ccb14306b",
    "oa_bridge_notices_inserted": "6decff9f40b6b0c3",
    "oa_bridge_notices_updated": "a735198e2112199d",
    "oa_bridge_notices_deleted": "0110ad9342194285",
    "oa_bridge_subscriptions_inserted": "c8ae33ef2bd84387",
    "oa_bridge_subscriptions_updated": "6b7f554696802e1a",
    "oa_bridge_subscriptions_deleted": "da333ec9fc068b3d",
    "oa_bridge_codes_inserted": "a7e13d23c135ba78",
    "oa_bridge_codes_updated": "337fa1bbc7d1fc09",
    "oa_bridge_codes_deleted": "fa1286e426ce5c9a",
}
TABLES: Final = {
    "notice_day_counts": "notices",
    "subscription_day_counts": "subscription_events",
    "code_day_counts": "campaign_codes",
}


def upgrade() -> None:
    text = sa.Text()
    _create(
        "notice_day_counts",
        sa.Column("appid", text, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("template_id", text, nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("reason", text, nullable=False),
    )
    _create(
        "subscription_day_counts",
        sa.Column("appid", text, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("template_id", text, nullable=False),
        sa.Column("measure", text, nullable=False),
    )
    _create(
        "code_day_counts",
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("door_kind", text, nullable=True),
        sa.Column("door_id", text, nullable=True),
        sa.Column("measure", text, nullable=False),
    )
    load(SQL_FILES)


def _create(table: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *columns,
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("is_merged", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )
    first = columns[0].name
    op.create_index(f"ix_{table}_{first}_day", table, [first, "day"])
    op.create_index(f"ix_{table}_new", table, ["id"], postgresql_where=sa.text("NOT is_merged"))


def downgrade() -> None:
    for name in reversed(SQL_FILES):
        for counted in TABLES.values():
            op.execute(f"DROP TRIGGER IF EXISTS {name} ON {counted}")
        op.execute(f"DROP FUNCTION IF EXISTS {name}")
    for table in TABLES:
        op.drop_table(table)
