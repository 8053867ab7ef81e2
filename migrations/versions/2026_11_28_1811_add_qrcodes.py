"""add QR codes of Official Accounts

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0052"
down_revision: str | None = "0051"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FIGURES = ("scans", "new_follows", "refollows", "left_in_day", "left_in_week", "cards")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "qrcodes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("kind", _kind(), nullable=False),
        sa.Column("scene", sa.Text(), nullable=False),
        sa.Column("list_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("may_exist", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("ticket", sa.Text(), nullable=True),
        sa.Column("expires_at", moment, nullable=True),
        sa.Column("renew_at", moment, nullable=False),
        sa.Column("leased_until", moment, nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("rid", sa.Text(), nullable=True),
        sa.Column("failed_at", moment, nullable=True),
        *_figures(),
        sa.PrimaryKeyConstraint("id", name="pk_qrcodes"),
        sa.UniqueConstraint("slug", name="uq_qrcodes_slug"),
        sa.UniqueConstraint("scene", "appid", name="uq_qrcodes_scene_appid"),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index("ix_qrcodes_appid_id", "qrcodes", ["appid", "id"])
    op.create_index(
        "ix_qrcodes_list_id_number",
        "qrcodes",
        ["list_id", "number"],
        postgresql_where=sa.text("list_id IS NOT NULL"),
    )
    op.create_index("ix_qrcodes_renew_at", "qrcodes", ["renew_at"])
    op.create_table(
        "qrcode_days",
        sa.Column("qrcode_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *_figures(),
        sa.PrimaryKeyConstraint("qrcode_id", "day", name="pk_qrcode_days"),
        sa.ForeignKeyConstraint(
            ["qrcode_id"],
            ["qrcodes.id"],
            name="fk_qrcode_days_qrcode_id_qrcodes",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_qrcode_days_day", "qrcode_days", ["day"])
    op.create_table(
        "qrcode_lists",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("kind", _kind(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_qrcode_lists"),
        sa.UniqueConstraint("appid", "key", name="uq_qrcode_lists_appid_key"),
    )
    op.create_table(
        "qrcode_counts",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("kind", _kind(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "kind", name="pk_qrcode_counts"),
    )
    cursor = op.create_table(
        "qrcode_cursor",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("cards_until", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_qrcode_cursor"),
    )
    op.bulk_insert(cursor, [{"id": 1, "position": 0, "cards_until": None}])


def _kind() -> sa.Enum:
    return sa.Enum("temporary", "permanent", name="qrkind", native_enum=False, length=32)


def _figures() -> list[sa.Column[int]]:
    return [
        sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        for name in FIGURES
    ]


def downgrade() -> None:
    for table in ("qrcode_cursor", "qrcode_counts", "qrcode_lists", "qrcode_days", "qrcodes"):
        op.drop_table(table)
