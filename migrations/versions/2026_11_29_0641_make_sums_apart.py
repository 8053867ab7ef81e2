"""make sums apart

New columns and tables alone. Earlier code makes the sums in one transaction, as before; whichever
is first tells the other by what they are made.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

revision: str = "0098"
down_revision: str | None = "0097"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIMES: Final = (
    *("received", "matched", "followed", "sent", "opened", "converted"),
    *("opened_estimated", "converted_estimated"),
    *("received_people", "matched_people", "followed_people"),
    *("sent_people", "opened_people", "converted_people"),
)
CHANGES: Final = ("funnel_day_changes", "funnel_pair_changes", "funnel_month_pair_changes")
COLUMNS: Final = ("making_time_zone", "making_opened_days", "making_converted_days")


def upgrade() -> None:
    op.add_column("funnel_progress", sa.Column(COLUMNS[0], sa.Text(), nullable=True))
    for name in COLUMNS[1:]:
        op.add_column("funnel_progress", sa.Column(name, sa.BigInteger(), nullable=True))
    _create(CHANGES[0], ("appid", "door"), ("day",), TIMES)
    _create(CHANGES[1], ("appid", "door", "step"), ("before", "day"), ("people",))
    _create(CHANGES[2], ("appid", "door", "step"), ("day", "before_month"), ("people",))


def _create(
    table: str, texts: tuple[str, ...], days: tuple[str, ...], numbers: tuple[str, ...]
) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in texts),
        *(sa.Column(name, sa.Date(), nullable=False) for name in days),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in numbers),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
    )


def downgrade() -> None:
    for table in CHANGES:
        op.drop_table(table)
    for name in COLUMNS:
        op.drop_column("funnel_progress", name)
