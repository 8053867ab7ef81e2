"""add the funnel

New tables and functions alone: code that does not know them is not concerned. The worker counts
what is there, some thousand callbacks at a time.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from app.db.sql_files import load

revision: str = "0065"
down_revision: str | None = "0062"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`.
SQL_FILES: Final = {
    "oa_bridge_settled_callback": "a2bea59305e9815b",
    "oa_bridge_first_id": "b8d06329eb357467",
    "oa_bridge_callback_marked": "903b29ceae9d7da6",
    "oa_bridge_reply_marked": "eaba5d1efbd5593a",
    "oa_bridge_notice_marked": "94b937de8e321436",
}
TIMES: Final = (
    *("received", "matched", "followed", "sent", "opened", "converted"),
    *("opened_estimated", "converted_estimated"),
    *("received_people", "matched_people", "followed_people"),
    *("sent_people", "opened_people", "converted_people"),
)


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    progress = op.create_table(
        "funnel_progress",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("callback_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("arrival_position", sa.BigInteger(), nullable=False),
        sa.Column("counted_until", moment, nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=True),
        sa.Column("opened_days", sa.BigInteger(), nullable=True),
        sa.Column("converted_days", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_funnel_progress"),
    )
    first = "00000000-0000-0000-0000-000000000000"
    values = {"id": 1, "callback_id": first, "position": 0, "arrival_position": 0}
    op.execute(sa.insert(progress).values(values))
    op.create_table(
        "funnel_marks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("touch_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_funnel_marks"),
    )
    _create_touches(moment)
    _create_sums()
    _create_cohorts(moment)
    load(SQL_FILES)


def _create_touches(moment: sa.DateTime) -> None:
    op.create_table(
        "funnel_touches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("doors", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("matched", sa.Boolean(), nullable=False),
        sa.Column("followed", sa.Boolean(), nullable=False),
        sa.Column("sent", sa.Boolean(), nullable=False),
        sa.Column("opened_after", sa.BigInteger(), nullable=True),
        sa.Column("converted_after", sa.BigInteger(), nullable=True),
        sa.Column("opened_exact", sa.Boolean(), nullable=False),
        sa.Column("converted_exact", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_funnel_touches"),
    )
    columns = ["person", "appid", "at"]
    op.create_index("ix_funnel_touches_person_appid_at", "funnel_touches", columns)
    op.create_index("ix_funnel_touches_appid_at", "funnel_touches", ["appid", "at"])


def _create_sums() -> None:
    days = ("appid", "door", "day")
    _sums(days, "funnel_days", TIMES, "received = 0 AND sent = 0 AND opened = 0")
    pairs = ("appid", "door", "before", "day", "step")
    _sums(pairs, "funnel_pairs", ("people",), "people = 0")
    months = ("appid", "door", "day", "before_month", "step")
    _sums(months, "funnel_month_pairs", ("people",), "people = 0")


def _sums(key: tuple[str, ...], table: str, numbers: tuple[str, ...], empty: str) -> None:
    texts = {"appid": sa.Text(), "door": sa.Text(collation="C"), "step": sa.Text()}
    op.create_table(
        table,
        *(sa.Column(name, texts.get(name) or sa.Date(), nullable=False) for name in key),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in numbers),
        sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
    )
    where = sa.text(empty)
    op.create_index(f"ix_{table}_empty", table, ["appid"], postgresql_where=where)


def _create_cohorts(moment: sa.DateTime) -> None:
    drawn = sa.text("gen_random_uuid()")
    op.create_table(
        "cohort_members",
        sa.Column("id", sa.Uuid(), server_default=drawn, nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=True),
        sa.Column("scene", sa.Text(), nullable=True),
        sa.Column("followed_at", moment, nullable=False),
        sa.Column("left_after", sa.BigInteger(), nullable=True),
        sa.Column("wrote_after", sa.BigInteger(), nullable=True),
        sa.Column("arrived_after", sa.BigInteger(), nullable=True),
        sa.Column("converted_after", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_cohort_members"),
    )
    columns = ["appid", "followed_at"]
    op.create_index("ix_cohort_members_appid_followed_at", "cohort_members", columns)
    op.create_index(
        "ix_cohort_members_openid_appid",
        "cohort_members",
        ["openid", "appid"],
        postgresql_where=sa.text("openid IS NOT NULL"),
    )


def downgrade() -> None:
    for function in SQL_FILES:
        op.execute(f"DROP FUNCTION {function}")
    for table in (
        "cohort_members",
        "funnel_month_pairs",
        "funnel_pairs",
        "funnel_days",
        "funnel_touches",
        "funnel_marks",
        "funnel_progress",
    ):
        op.drop_table(table)
