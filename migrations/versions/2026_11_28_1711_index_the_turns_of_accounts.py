"""index the queued jobs of each account

Old workers do not use it. The queue is short, so that it is built in place.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0043"
down_revision: str | None = "0042"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute(
        """
        CREATE INDEX oa_bridge_job_turns
        ON pgqueuer (entrypoint, COALESCE(headers ->> 'account', ''), priority DESC, id)
        WHERE status = 'queued'
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX oa_bridge_job_turns")
