"""add arrivals

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0062"
down_revision: str | None = "0060"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "arrivals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", _enum("arrivalkind", "launch", "conversion"), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("report_key", postgresql.BYTEA(), nullable=False),
        sa.Column("received_at", moment, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("openid", sa.Text(), nullable=True),
        sa.Column("unionid", sa.Text(), nullable=True),
        sa.Column("scene", sa.BigInteger(), nullable=True),
        sa.Column("path", sa.Text(), nullable=True),
        sa.Column("query", sa.Text(), nullable=True),
        sa.Column("referrer_appid", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("value", sa.Numeric(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("refs", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("try_at", moment, nullable=True),
        sa.Column("tries", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("basis", _enum("basis", "ref", "scene", "launch", "none"), nullable=True),
        sa.Column("left_out", _enum("leftout", "crawler", "repeat", "forwarded"), nullable=True),
        sa.Column("ref", sa.Text(), nullable=True),
        sa.Column("door", _enum("door", "reply", "menu", "notice", "link"), nullable=True),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("sent_at", moment, nullable=True),
        sa.Column("callback_id", sa.Uuid(), nullable=True),
        sa.Column("reply_id", sa.Uuid(), nullable=True),
        sa.Column("rule_id", sa.BigInteger(), nullable=True),
        sa.Column("qrcode_id", sa.Uuid(), nullable=True),
        sa.Column("notice_id", sa.Uuid(), nullable=True),
        sa.Column("send_id", sa.Uuid(), nullable=True),
        sa.Column("link_id", sa.Uuid(), nullable=True),
        sa.Column("menu_number", sa.BigInteger(), nullable=True),
        sa.Column("menu_position", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_arrivals"),
        sa.UniqueConstraint("appid", "report_key", name="uq_arrivals_appid_report_key"),
    )
    _index("ix_arrivals_position", "position", unique=True, where="position IS NOT NULL")
    _index("ix_arrivals_waiting", "try_at", where="try_at IS NOT NULL")
    _index("ix_arrivals_openid", "appid", "openid", "at", where="openid IS NOT NULL")
    _index("ix_arrivals_unionid", "unionid", "at", where="unionid IS NOT NULL")
    _index("ix_arrivals_recipient", "account", "recipient", where="recipient IS NOT NULL")
    _index("ix_arrivals_full", "received_at", where="query IS NOT NULL OR path IS NOT NULL")
    progress = op.create_table(
        "arrival_progress",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_arrival_progress"),
    )
    op.bulk_insert(progress, [{"id": 1, "position": 0}])


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=32)


def _index(name: str, *columns: str, where: str, unique: bool = False) -> None:
    op.create_index(name, "arrivals", columns, unique=unique, postgresql_where=sa.text(where))


def downgrade() -> None:
    for table in ("arrival_progress", "arrivals"):
        op.drop_table(table)
