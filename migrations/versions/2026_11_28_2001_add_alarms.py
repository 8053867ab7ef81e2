"""add alarms

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0073"
down_revision: str | None = "0072"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
NONE_YET = sa.text("0")


def upgrade() -> None:
    _add_thresholds_and_alarms()
    _add_receivers()
    _add_pushes()


def _add_thresholds_and_alarms() -> None:
    op.create_table(
        "alarm_thresholds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("kind", "appid", name="pk_alarm_thresholds"),
    )
    op.create_table(
        "alarms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=False),
        sa.Column("began_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alarms"),
    )
    op.create_index(
        "uq_alarms_open",
        "alarms",
        ["kind", "appid", "subject"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_alarms_ended_at", "alarms", ["ended_at"])


def _add_receivers() -> None:
    op.create_table(
        "alarm_receivers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                *("webhook", "email", "wecom", "feishu", "dingtalk"),
                name="receiverkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("mail", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("secrets", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default=NONE_YET, nullable=False),
        sa.Column("failing_since", MOMENT, nullable=True),
        sa.Column("next_at", MOMENT, nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("sent_at", MOMENT, nullable=True),
        sa.Column("tested_at", MOMENT, nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("leased_until", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_receivers"),
    )
    op.create_table(
        "alarm_deliveries",
        sa.Column("receiver_id", sa.Uuid(), nullable=False),
        sa.Column("alarm_id", sa.Uuid(), nullable=False),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.Column("ended_told_at", MOMENT, nullable=True),
        sa.Column(
            "sending",
            sa.Enum(
                *("began", "lasts", "ended"),
                name="stage",
                native_enum=False,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("tries", sa.BigInteger(), server_default=NONE_YET, nullable=False),
        sa.Column("maybe_sent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("receiver_id", "alarm_id", name="pk_alarm_deliveries"),
        sa.ForeignKeyConstraint(
            ["receiver_id"],
            ["alarm_receivers.id"],
            name="fk_alarm_deliveries_receiver_id_alarm_receivers",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["alarm_id"],
            ["alarms.id"],
            name="fk_alarm_deliveries_alarm_id_alarms",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_alarm_deliveries_alarm_id", "alarm_deliveries", ["alarm_id"])


def _add_pushes() -> None:
    op.create_table(
        "alarm_pushes",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("appid", name="pk_alarm_pushes"),
    )
    op.create_table(
        "alarm_push_days",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("longest_pause_seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "day", name="pk_alarm_push_days"),
    )
    progress = op.create_table(
        "alarm_progress",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_id", sa.Uuid(), nullable=True),
        sa.Column("looked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_alarm_progress"),
    )
    op.bulk_insert(progress, [{"id": 1, "last_id": None, "looked_at": None}])


def downgrade() -> None:
    for table in (
        "alarm_progress",
        "alarm_push_days",
        "alarm_pushes",
        "alarm_deliveries",
        "alarm_receivers",
        "alarms",
        "alarm_thresholds",
    ):
        op.drop_table(table)
