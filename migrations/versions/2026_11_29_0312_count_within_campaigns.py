"""count within campaigns

Touches of campaigns get their doors within the campaign as further doors. The worker counts all
campaigns again for that, a day of touches at a time; code that does not know such doors leaves them
where they are.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0096"
down_revision: str | None = "0095"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # An erasure has rounded times down by up to a quarter of an hour.
    op.execute(
        """
        UPDATE funnel_campaigns
        SET recount_from = LEAST(recount_from, starts_at - interval '15 minutes'),
            recount_until = GREATEST(recount_until, ends_at)
        WHERE revision IS NOT NULL
        """
    )


def downgrade() -> None:
    # What earlier code takes for doors of no kind that it knows counts nowhere.
    pass
