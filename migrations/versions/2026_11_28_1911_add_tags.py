"""add tags of followers

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0060"
down_revision: str | None = "0056"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "tags",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("listed_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("appid", "tag_id", name="pk_tags"),
    )
    op.create_table(
        "follower_tags",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("known_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("appid", "openid", "tag_id", name="pk_follower_tags"),
        sa.ForeignKeyConstraint(
            ["appid", "tag_id"],
            ["tags.appid", "tags.tag_id"],
            name="fk_follower_tags_appid_tags",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_follower_tags_appid_tag_id_openid", "follower_tags", ["appid", "tag_id", "openid"]
    )
    op.create_table(
        "tag_runs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("action", _enum("tagaction", "tag", "untag", "pull"), nullable=False),
        sa.Column("tag_id", sa.BigInteger(), nullable=True),
        sa.Column("filter", postgresql.JSONB(), nullable=True),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column(
            "state", _enum("tagrunstate", "running", "done", "stopped", "failed"), nullable=False
        ),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("cursor_tag", sa.BigInteger(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("try_at", moment, nullable=True),
        sa.Column("leased_until", moment, nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("rid", sa.Text(), nullable=True),
        sa.Column("failed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_tag_runs"),
        sa.UniqueConstraint("appid", "key", name="uq_tag_runs_appid_key"),
    )
    op.create_index("ix_tag_runs_appid_id", "tag_runs", ["appid", "id"])
    op.create_index("ix_tag_runs_try_at", "tag_runs", ["try_at"])
    op.create_index(
        "ix_tag_runs_open",
        "tag_runs",
        ["appid", "id"],
        postgresql_where=sa.text("try_at IS NOT NULL"),
    )
    op.create_table(
        "tag_run_people",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("run_id", "openid", name="pk_tag_run_people"),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["tag_runs.id"],
            name="fk_tag_run_people_run_id_tag_runs",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_tag_run_people_person", "tag_run_people", ["appid", "openid"])
    op.create_index(
        "ix_tag_run_people_waiting",
        "tag_run_people",
        ["run_id", "openid"],
        postgresql_where=sa.text("errcode IS NULL"),
    )


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=32)


def downgrade() -> None:
    for table in ("tag_run_people", "tag_runs", "follower_tags", "tags"):
        op.drop_table(table)
