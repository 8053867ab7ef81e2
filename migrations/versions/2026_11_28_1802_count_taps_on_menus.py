"""count taps on the buttons of custom menus

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0051"
down_revision: str | None = "0050"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "menu_taps",
        sa.Column("callback_id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=True),
        sa.Column("menu_id", sa.Text(), nullable=True),
        sa.Column("occurred_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("callback_id", name="pk_menu_taps"),
    )
    op.create_table(
        "menu_buttons",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("menu_id", sa.Text(), nullable=True),
        sa.Column("live_from", moment, nullable=False),
        sa.PrimaryKeyConstraint("appid", "number", "position", name="pk_menu_buttons"),
    )
    op.create_index(
        "ix_menu_buttons_appid_event_event_key", "menu_buttons", ["appid", "event", "event_key"]
    )
    op.create_table(
        "menu_tap_counts",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "day", "number", "position", name="pk_menu_tap_counts"),
    )
    op.create_index("ix_menu_tap_counts_day", "menu_tap_counts", ["day"])


def downgrade() -> None:
    for table in ("menu_tap_counts", "menu_buttons", "menu_taps"):
        op.drop_table(table)
