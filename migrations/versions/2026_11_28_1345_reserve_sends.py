"""reserve sends before WeChat is called

Older workers reserve nothing and count a send after it; both may run side by side.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0031"
down_revision: str | None = "0030"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    trigger = sa.Enum(
        "message", "menu", "follow", "scan", name="windowtrigger", native_enum=False, length=32
    )
    moment = sa.DateTime(timezone=True)
    op.add_column("replies", sa.Column("reserved_trigger", trigger, nullable=True))
    op.add_column("replies", sa.Column("reserved_at", moment, nullable=True))
    op.add_column("send_windows", sa.Column("closed_at", moment, nullable=True))


def downgrade() -> None:
    op.drop_column("send_windows", "closed_at")
    op.drop_column("replies", "reserved_at")
    op.drop_column("replies", "reserved_trigger")
