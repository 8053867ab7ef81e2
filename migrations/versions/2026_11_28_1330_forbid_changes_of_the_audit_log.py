"""forbid changes of the audit log"""

from collections.abc import Sequence

from alembic import op

revision: str = "0028"
down_revision: str | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The user of `deploy/postgres/roles.sql`, which has its rights on every table by default.
_FOR_THE_SERVICE = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'oa_bridge_app') THEN
        {statement};
    END IF;
END $$
"""


def upgrade() -> None:
    statement = "REVOKE UPDATE ON audit_log FROM oa_bridge_app"
    op.execute(_FOR_THE_SERVICE.format(statement=statement))


def downgrade() -> None:
    statement = "GRANT UPDATE ON audit_log TO oa_bridge_app"
    op.execute(_FOR_THE_SERVICE.format(statement=statement))
