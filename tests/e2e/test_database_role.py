"""The user of `serve` and `worker` changes rows, and no table.

The stack that the tests of this folder share runs as this user: `conftest.py`.
"""

import asyncpg
import pytest

from app.db.engine import connect
from tests.e2e.roles import USER, as_app, make_roles
from tests.e2e.stack import Processes

REFUSED = asyncpg.InsufficientPrivilegeError


def test_the_shared_stack_runs_as_this_user(processes: Processes) -> None:
    assert f"://{USER}:" in processes.database_url


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.own (a int)",
        "CREATE TEMPORARY TABLE own (a int)",
        "CREATE SCHEMA own",
        "DROP TABLE replies",
        "ALTER TABLE replies ADD COLUMN own int",
        "TRUNCATE callbacks",
        "CREATE FUNCTION own() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP TRIGGER oa_bridge_rules_changed_insert ON rules",
        "ALTER ROLE oa_bridge_app SUPERUSER",
        "CREATE ROLE own",
        "SET ROLE postgres",
        "COPY callbacks TO '/dev/null'",
        "UPDATE audit_log SET action = 'other'",
    ],
)
async def test_it_changes_nothing_but_rows(database_url: str, statement: str) -> None:
    """The tables were there before the user, as after an upgrade."""
    assert make_roles(database_url).returncode == 0
    connection = await connect(as_app(database_url))

    with pytest.raises(REFUSED):
        await connection.execute(statement)
    await connection.execute("DELETE FROM rules")
    await connection.close()


def test_the_file_may_run_again(database_url: str) -> None:
    first, second = make_roles(database_url), make_roles(database_url)

    assert (first.returncode, first.stderr) == (0, "")
    assert (second.returncode, second.stderr) == (0, "")


def test_without_a_password_it_says_so_and_makes_nothing(database_url: str) -> None:
    ended = make_roles(database_url, {})

    assert ended.returncode != 0
    assert "Set APP_PASSWORD" in ended.stdout
