"""rules: remember which ones each version changed"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Of a TRUNCATE nothing is remembered, so that every process reads all rules anew.
REMEMBER = """
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
FORGET = """
CREATE OR REPLACE FUNCTION oa_bridge_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached bigint;
BEGIN
    UPDATE rules_version SET version = version + 1 RETURNING version INTO reached;
    PERFORM pg_notify('oa_bridge_rules', reached::text);
    RETURN NULL;
END
$$
"""

NAME = "oa_bridge_rules_changed"
ROWS = {
    "insert": "REFERENCING NEW TABLE AS rows_after",
    "update": "REFERENCING OLD TABLE AS rows_before NEW TABLE AS rows_after",
    "delete": "REFERENCING OLD TABLE AS rows_before",
    "truncate": "",
}


def upgrade() -> None:
    op.create_table(
        "rules_changed",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rule_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_rules_changed")),
    )
    op.execute(REMEMBER)
    op.execute(f"DROP TRIGGER {NAME} ON rules")
    # One for each: rows before and after are to be had for one kind of change only.
    for kind, rows in ROWS.items():
        op.execute(
            f"CREATE TRIGGER {NAME}_{kind} AFTER {kind} ON rules {rows} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {NAME}()"
        )


def downgrade() -> None:
    for kind in ROWS:
        op.execute(f"DROP TRIGGER {NAME}_{kind} ON rules")
    op.execute(FORGET)
    op.execute(
        f"CREATE TRIGGER {NAME} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON rules "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {NAME}()"
    )
    op.drop_table("rules_changed")
