"""let a secret of the service be stored encrypted"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("service_secrets", sa.Column("encrypted", sa.Text(), nullable=True))
    op.alter_column("service_secrets", "value", nullable=True)


def downgrade() -> None:
    # Fails on an encrypted secret, which must not be lost: `oa-bridge secrets rewrite` without
    # SECRET_KEY, and with the key as SECRET_KEY_PREVIOUS, stores it in plain text before.
    op.alter_column("service_secrets", "value", nullable=False)
    op.drop_column("service_secrets", "encrypted")
