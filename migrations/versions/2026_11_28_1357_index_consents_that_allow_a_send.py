"""index consents that allow a send

The console and the API list who may still be sent to, by template. Older code does not need the
index. While it is built, new callbacks wait in the spool.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0034"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_consents_sendable",
        "consents",
        ["appid", "template_id", "openid"],
        postgresql_where=sa.text("sends_left > 0"),
    )


def downgrade() -> None:
    op.drop_index("ix_consents_sendable", "consents")
