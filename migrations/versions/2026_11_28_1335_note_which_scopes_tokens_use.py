"""note which scopes tokens use"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0029"
down_revision: str | None = "0028"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Nothing is known of tokens from before: each scope counts as used now. There are 500 at most.
_USED_NOW = """
UPDATE api_tokens SET scopes_used_at = used.at
FROM (
    SELECT id, jsonb_object_agg(scope, now()) AS at FROM api_tokens, unnest(scopes) AS scope
    GROUP BY id
) AS used
WHERE used.id = api_tokens.id
"""


def upgrade() -> None:
    op.add_column(
        "api_tokens",
        sa.Column(
            "scopes_used_at",
            postgresql.JSONB(),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
    )
    op.execute(_USED_NOW)


def downgrade() -> None:
    op.drop_column("api_tokens", "scopes_used_at")
