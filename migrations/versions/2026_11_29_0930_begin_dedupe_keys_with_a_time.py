"""begin dedupe keys with a time

Processes of the version before go on with keys that have none: a trigger completes them. What was
stored a moment ago may still be pushed again, so it gets the new key, too.
"""

from collections.abc import Sequence
from typing import Final

from alembic import op

from app.db.sql_files import load

revision: str = "0100"
down_revision: str | None = "0099"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`.
SQL_FILES: Final = {"oa_bridge_earlier_dedupe_key": "67a03d04ca6185e7"}

# The trigger calls it from now on; 0103 replaces it.
DEDUPE_KEY: Final = """
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

# WeChat pushes three times within some fifteen seconds.
RECENT: Final = "id >= oa_bridge_first_id(now() - interval '1 minute')"

# Of a push from the future `occurred_at` is the time at which it arrived.
SECONDS: Final = """
    CASE WHEN occurred_at = received_at AND payload ->> 'CreateTime' ~ '^[0-9]{1,12}$'
         THEN CAST(payload ->> 'CreateTime' AS numeric)
         ELSE floor(extract(epoch FROM occurred_at)) END
"""


def upgrade() -> None:
    op.execute(DEDUPE_KEY)
    load(SQL_FILES)
    op.execute(
        f"""
        UPDATE callbacks SET dedupe_key = substr(int8send(CAST(LEAST(GREATEST(
            {SECONDS}, 0), 4294967295) AS bigint)), 5) || dedupe_key
        WHERE {RECENT} AND octet_length(dedupe_key) = 16
        """  # noqa: S608 - a constant of this module
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER oa_bridge_earlier_dedupe_key ON callbacks")
    op.execute("DROP FUNCTION oa_bridge_dedupe_key()")
    op.execute(
        f"""
        UPDATE callbacks SET dedupe_key = substr(dedupe_key, 5)
        WHERE {RECENT} AND octet_length(dedupe_key) = 20
        """  # noqa: S608 - a constant of this module
    )
