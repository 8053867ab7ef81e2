"""remember who named a UnionID, and find those about which WeChat is to decide"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Of most UnionIDs nobody noted who named them: they stay NULL. Where the last change is on record,
# its source is that of the present UnionID.
_FROM_CHANGES = """
UPDATE openids o SET unionid_source = c.source
FROM (
    SELECT DISTINCT ON (appid, openid) appid, openid, new_unionid, source
    FROM unionid_changes ORDER BY appid, openid, id DESC
) AS c
WHERE o.appid = c.appid AND o.openid = c.openid AND o.unionid = c.new_unionid
"""


def upgrade() -> None:
    op.add_column(
        "openids",
        sa.Column(
            "unionid_source",
            sa.Enum("user_info", "report", name="unionidsource", native_enum=False, length=32),
            nullable=True,
        ),
    )
    op.create_index(
        "ix_openids_unionid_conflict",
        "openids",
        ["appid", "resolve_next_at"],
        postgresql_where=sa.text("resolve_reason = 'unionid_conflict'"),
    )
    op.execute(_FROM_CHANGES)


def downgrade() -> None:
    op.execute(
        "UPDATE openids SET resolve_reason = NULL, resolve_next_at = NULL "
        "WHERE resolve_reason = 'unionid_conflict'"
    )
    op.drop_index("ix_openids_unionid_conflict", "openids")
    op.drop_column("openids", "unionid_source")
