"""bring times of the future back

A push that says it was made in the future was stored as it said, and what the person did since
could not outrank it. Such pushes are refused now; what they left is set to the present.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# More than any clock is wrong; the tables are read once, and few rows or none are written.
_COLUMNS = (
    ("openids", "last_seen_at"),
    ("openids", "first_seen_at"),
    ("openids", "erased_until"),
    ("followers", "last_at"),
    ("followers", "followed_at"),
    ("followers", "unfollowed_at"),
    ("consents", "decided_at"),
    ("send_windows", "opened_at"),
    ("erased_people", "until"),
    ("erased_unionids", "until"),
)


def upgrade() -> None:
    for table, column in _COLUMNS:
        op.execute(
            f"UPDATE {table} SET {column} = now() "  # noqa: S608 - constants of this module
            f"WHERE {column} > now() + interval '1 day'"
        )


def downgrade() -> None:
    """Keep what is right."""
