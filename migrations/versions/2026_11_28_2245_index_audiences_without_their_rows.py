"""index audiences without their rows

Drops two indexes that others take the place of, which are built after the migrations:
ix_consents_sends and ix_notices_tried_ref. Code that does not know them finds consents by the first
one, too; what it reads by the ref of a notice, such as an arrival that is being settled, takes as
long as reading the table until that code has ended.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0085"
down_revision: str | None = "0084"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.drop_index("ix_consents_sendable", "consents")
    op.drop_index("ix_notices_ref", "notices", if_exists=True)


def downgrade() -> None:
    for name, table in (
        ("ix_consents_sends", "consents"),
        ("ix_followers_following", "followers"),
        ("ix_notices_tried_ref", "notices"),
    ):
        op.drop_index(name, table, if_exists=True)
    op.create_index(
        "ix_consents_sendable",
        "consents",
        ["appid", "template_id", "openid"],
        postgresql_where=sa.text("sends_left > 0"),
    )
