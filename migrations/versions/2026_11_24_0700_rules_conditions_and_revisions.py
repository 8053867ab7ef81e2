"""rules: conditions, UTM parameters, revisions, cooldowns"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What is there was added by nobody that we know.
KEEP_WHAT_IS_THERE = """
INSERT INTO rule_revisions (rule_id, revision, change, rule, operator, changed_at)
SELECT id, 1, 'added', jsonb_build_object(
           'name', name, 'appid', appid, 'enabled', enabled, 'priority', priority,
           'trigger', trigger, 'replies', replies),
       'migration', updated_at
FROM rules
"""


def upgrade() -> None:
    _add_columns()
    op.create_table(
        "rule_revisions",
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column(
            "change",
            sa.Enum(
                "added",
                "changed",
                "restored",
                "deleted",
                name="rulechange",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("rule", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column(
            "changed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("rule_id", "revision", name=op.f("pk_rule_revisions")),
    )
    op.execute(KEEP_WHAT_IS_THERE)
    op.create_table(
        "rule_firings",
        sa.Column("appid", sa.Text(), nullable=False),
        sa.Column("openid", sa.Text(), nullable=False),
        sa.Column("rule_id", sa.BigInteger(), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dedupe_key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("appid", "openid", "rule_id", name=op.f("pk_rule_firings")),
    )
    op.create_index(op.f("ix_rule_firings_expires_at"), "rule_firings", ["expires_at"])


def downgrade() -> None:
    for table in ("rule_firings", "rule_revisions"):
        op.drop_table(table)
    for column in ("revision", "utm", "conditions"):
        op.drop_column("rules", column)


def _add_columns() -> None:
    for name in ("conditions", "utm"):
        column = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
        op.add_column("rules", sa.Column(name, column, nullable=True))
    op.add_column(
        "rules",
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
    )
