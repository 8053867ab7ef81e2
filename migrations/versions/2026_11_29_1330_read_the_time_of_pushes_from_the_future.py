"""read the time of pushes from the future

The trigger that completes keys of earlier versions took the time of arrival for the CreateTime of a
push that is ahead of the clock, and read all callbacks of the account where its plan was made while
the table was empty.
"""

from collections.abc import Sequence
from typing import Final

from alembic import op

from app.db.sql_files import load

revision: str = "0103"
down_revision: str | None = "0102"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`.
SQL_FILES: Final = {"oa_bridge_dedupe_key": "74fc3d81572aca6f"}

FORMER: Final = """
CREATE OR REPLACE FUNCTION oa_bridge_dedupe_key() RETURNS trigger LANGUAGE plpgsql
SET enable_seqscan = off AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM callbacks WHERE appid = NEW.appid AND dedupe_key = NEW.dedupe_key
    ) THEN
        NEW.dedupe_key := substr(int8send(CAST(LEAST(GREATEST(
            floor(extract(epoch FROM NEW.occurred_at)), 0), 4294967295) AS bigint)), 5)
            || NEW.dedupe_key;
    END IF;
    RETURN NEW;
END
$$
"""


def upgrade() -> None:
    load(SQL_FILES)


def downgrade() -> None:
    op.execute(FORMER)
