"""add imports of rules

New tables alone. A worker of an earlier release does not know the job `rules.import`, and leaves it
in the queue for one that does.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0102"
down_revision: str | None = "0101"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "rule_imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(32), nullable=False),
        sa.Column("account", sa.Text(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=True),
        sa.Column("added", sa.BigInteger(), nullable=True),
        sa.Column("changed", sa.BigInteger(), nullable=True),
        sa.Column("removed", sa.BigInteger(), nullable=True),
        sa.Column("unchanged", sa.BigInteger(), nullable=True),
        sa.Column("preview", postgresql.JSONB(), nullable=True),
        sa.Column("problems", postgresql.JSONB(), nullable=True),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=True),
        sa.Column("actor_address", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rule_imports")),
    )
    op.create_index(
        "ix_rule_imports_open",
        "rule_imports",
        ["id"],
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "rule_import_parts",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_rule_import_parts")),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["rule_imports.id"],
            name=op.f("fk_rule_import_parts_import_id_rule_imports"),
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    op.drop_table("rule_import_parts")
    op.drop_table("rule_imports")
