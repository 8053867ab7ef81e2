"""store a passive reply once

A passive reply stands in the row of its callback alone. Older code writes it to `replies`, too, and
leaves the new columns empty: such a reply is read from there.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0030"
down_revision: str | None = "0029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("callbacks", sa.Column("passive_id", sa.Uuid(), nullable=True))
    op.add_column("callbacks", sa.Column("passive_msgtype", sa.Text(), nullable=True))
    op.add_column("callbacks", sa.Column("passive_rule_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_index("ix_callbacks_passive", "callbacks", if_exists=True)
    for column in ("passive_rule_id", "passive_msgtype", "passive_id"):
        op.drop_column("callbacks", column)
