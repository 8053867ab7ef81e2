"""Rules that were stored before the sums of what they take are in these sums."""

import pytest
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection

from app.db import migrate
from app.db.engine import Database

RULES = """
INSERT INTO rules (name, trigger, replies)
SELECT 'rule ' || number, '{"on": "text", "match": "any", "keywords": ["a", "b"]}', '[]'
FROM generate_series(1, 10) AS number
"""
SUMS = "SELECT rule_count, keyword_count, size_bytes FROM rules_version"


@pytest.fixture
def migration() -> Script:
    """The migration that adds the sums."""
    scripts = ScriptDirectory(str(migrate.MIGRATIONS)).walk_revisions()
    return next(
        one for one in scripts if "oa_bridge_rule_weight" in getattr(one.module, "SQL_FILES", {})
    )


async def test_rules_of_before_are_added_up(database: Database, migration: Script) -> None:
    def add_before(connection: Connection) -> None:
        with Operations.context(MigrationContext.configure(connection)):
            migration.module.downgrade()
            connection.execute(text(RULES))
            migration.module.upgrade()

    async with database.engine.begin() as connection:
        await connection.run_sync(add_before)
        before = (await connection.execute(text(SUMS))).one()
        await connection.execute(text("TRUNCATE rules"))
        await connection.execute(text(RULES))
        added = (await connection.execute(text(SUMS))).one()

    assert before == added
    assert (before.rule_count, before.keyword_count) == (10, 20)
