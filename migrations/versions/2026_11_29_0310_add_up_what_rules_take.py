"""add up what rules take

The sums stand beside the version. To add up all rules for each change took a tenth of a second and
more while the rules were locked. Code that does not know the sums is not concerned.
"""

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from alembic import op

from app.db.sql_files import load

revision: str = "0095"
down_revision: str | None = "0094"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Each file with the digest of its statement; see `app.db.sql_files`.
SQL_FILES: Final = {
    "oa_bridge_rule_weight": "5ed19f5d189bcf0f",
    "oa_bridge_rules_changed": "52235d73b2e7c3cc",
}
SUMS: Final = ("rule_count", "keyword_count", "size_bytes")

FORMER: Final = """
CREATE OR REPLACE FUNCTION oa_bridge_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
    touched bigint[];
BEGIN
    UPDATE rules_version SET version = version + 1 RETURNING version INTO reached;
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(id) INTO touched FROM rows_after;
    ELSIF TG_OP = 'UPDATE' THEN
        SELECT array_agg(id) INTO touched
        FROM (SELECT id FROM rows_before UNION SELECT id FROM rows_after) AS both_sides;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(id) INTO touched FROM rows_before;
    END IF;
    IF TG_OP <> 'TRUNCATE' THEN
        INSERT INTO rules_changed (version, rule_ids) VALUES (reached, coalesce(touched, '{}'))
        ON CONFLICT (version) DO UPDATE SET rule_ids = excluded.rule_ids;
    END IF;
    DELETE FROM rules_changed WHERE version <= reached - 2000;
    PERFORM pg_notify('oa_bridge_rules', reached::text);
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    # In the order in which a change of the rules locks them. Then no change is half done, and none
    # begins before the sums are there.
    op.execute("LOCK TABLE rules_version IN ACCESS EXCLUSIVE MODE")
    op.execute("LOCK TABLE rules IN SHARE ROW EXCLUSIVE MODE")
    for name in SUMS:
        op.add_column(
            "rules_version",
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        )
    load(SQL_FILES)
    op.execute(
        "UPDATE rules_version SET (rule_count, keyword_count, size_bytes) = ("
        "SELECT count(*), coalesce(sum(weight.keyword_count), 0),"
        " coalesce(sum(weight.size_bytes), 0) FROM rules,"
        " oa_bridge_rule_weight(rules) AS weight)"
    )


def downgrade() -> None:
    op.execute(FORMER)
    op.execute("DROP FUNCTION oa_bridge_rule_weight")
    for name in SUMS:
        op.drop_column("rules_version", name)
