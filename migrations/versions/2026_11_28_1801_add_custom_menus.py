"""add custom menus

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0050"
down_revision: str | None = "0045"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

STATES = ("publishing", "withdrawing", "published", "failed", "stopped", "found")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    document = postgresql.JSONB()
    op.create_table(
        "menus",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("draft", document, nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.Column("live_number", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("appid", name="pk_menus"),
    )
    op.create_table(
        "menu_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="versionstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("menu", document, nullable=False),
        sa.Column("sent", document, nullable=False),
        sa.Column("left_out", document, nullable=False),
        sa.Column("found", document, nullable=True),
        sa.Column("previous", sa.BigInteger(), nullable=True),
        sa.Column("restored_from", sa.BigInteger(), nullable=True),
        sa.Column("actor_kind", sa.Text(), nullable=True),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("finished_at", moment, nullable=True),
        sa.Column("before", document, nullable=True),
        sa.Column("default_created", sa.Boolean(), nullable=False),
        sa.Column("menuids", document, nullable=False),
        sa.Column("deleted_all", sa.Boolean(), nullable=False),
        sa.Column("stop", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=True),
        sa.Column("restored", sa.Boolean(), nullable=True),
        sa.Column("try_at", moment, nullable=True),
        sa.Column("leased_until", moment, nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("rid", sa.Text(), nullable=True),
        sa.Column("failed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_menu_versions"),
        sa.UniqueConstraint("appid", "number", name="uq_menu_versions_appid_number"),
        sa.UniqueConstraint("mark", name="uq_menu_versions_mark"),
    )
    op.create_index("ix_menu_versions_try_at", "menu_versions", ["try_at"])
    op.create_index(
        "uq_menu_versions_unfinished",
        "menu_versions",
        ["appid"],
        unique=True,
        postgresql_where=sa.text("try_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("menu_versions")
    op.drop_table("menus")
