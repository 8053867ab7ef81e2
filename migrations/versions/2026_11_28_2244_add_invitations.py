"""add invitations

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0084"
down_revision: str | None = "0083"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "invitations",
        sa.Column("qrcode_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("qrcode_id", name="pk_invitations"),
    )
    op.create_index(
        "uq_invitations_openid",
        "invitations",
        ["openid", "appid", "campaign_id"],
        unique=True,
        postgresql_where=sa.text("openid IS NOT NULL"),
    )
    op.create_index(
        "ix_invitations_campaign_id_qrcode_id", "invitations", ["campaign_id", "qrcode_id"]
    )
    op.create_table(
        "invited",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("qrcode_id", sa.Uuid(), nullable=False),
        sa.Column("campaign_id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("followed_at", moment, nullable=False),
        sa.Column("left_at", moment, nullable=True),
        sa.Column(
            "left_out",
            sa.Enum("again", "self", name="leftoutfollow", native_enum=False, length=32),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("event_id", name="pk_invited"),
    )
    op.create_index(
        "uq_invited_person",
        "invited",
        ["campaign_id", "person"],
        unique=True,
        postgresql_where=sa.text("person IS NOT NULL AND left_out IS NULL"),
    )
    op.create_index("ix_invited_campaign_id_qrcode_id", "invited", ["campaign_id", "qrcode_id"])
    op.create_index(
        "ix_invited_openid",
        "invited",
        ["openid", "appid"],
        postgresql_where=sa.text("openid IS NOT NULL"),
    )
    op.create_index(
        "ix_invited_unnamed",
        "invited",
        ["followed_at"],
        postgresql_where=sa.text("person IS NULL AND openid IS NOT NULL AND left_out IS NULL"),
    )
    cursor = op.create_table(
        "invitation_cursor",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_invitation_cursor"),
    )
    op.execute(sa.insert(cursor).values({"id": 1, "position": 0}))


def downgrade() -> None:
    op.drop_table("invitation_cursor")
    op.drop_table("invited")
    op.drop_table("invitations")
