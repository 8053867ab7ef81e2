"""add links into mini-programs

New tables alone: code that does not know them is not concerned.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0040"
down_revision: str | None = "0036"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("utm", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column(
            "env_version",
            sa.Enum("release", "trial", "develop", name="envversion", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("fallback_url", sa.Text(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("url_link", sa.Text(), nullable=True),
        sa.Column("url_link_revision", sa.BigInteger(), nullable=True),
        sa.Column("url_link_expires_at", moment, nullable=True),
        sa.Column("renew_at", moment, nullable=False),
        sa.Column("leased_until", moment, nullable=True),
        sa.Column("lease", sa.Uuid(), nullable=True),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("errcode", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("rid", sa.Text(), nullable=True),
        sa.Column("failed_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
        sa.UniqueConstraint("slug", name="uq_links_slug"),
    )
    op.create_index("ix_links_appid_id", "links", ["appid", "id"])
    op.create_index("ix_links_renew_at", "links", ["renew_at"])
    op.create_table(
        "link_opens",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "day", "kind", name="pk_link_opens"),
    )
    op.create_index("ix_link_opens_day", "link_opens", ["day"])
    op.create_table(
        "link_visits",
        sa.Column("link_id", sa.Uuid(), nullable=False),
        sa.Column("minute", moment, nullable=False),
        sa.Column("visitor", postgresql.BYTEA(), nullable=False),
        sa.PrimaryKeyConstraint("link_id", "minute", "visitor", name="pk_link_visits"),
    )
    op.create_index("ix_link_visits_minute", "link_visits", ["minute"])
    op.create_table(
        "link_quotas",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("in_day", sa.BigInteger(), nullable=False),
        sa.Column("second", moment, nullable=False),
        sa.Column("in_second", sa.BigInteger(), nullable=False),
        sa.Column("paused_until", moment, nullable=True),
        sa.PrimaryKeyConstraint("appid", name="pk_link_quotas"),
    )


def downgrade() -> None:
    for table in ("link_quotas", "link_visits", "link_opens", "links"):
        op.drop_table(table)
