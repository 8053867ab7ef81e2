"""A command without what it needs says so in one line, without a traceback."""

import asyncio
import socket
from pathlib import Path

import asyncpg
import pytest

from app.db import migrate
from app.db.diagnosis import NOT_MIGRATED
from tests.command_run import Run, run
from tests.mistakes.commands_table import (
    AWAY,
    BAD_USE,
    COMMAND_MISTAKES,
    FAILED,
    REFUSED_COMMANDS,
    UNMIGRATED_COMMANDS,
    Mistake,
)
from tests.refusing_postgres import refusing_postgres

__all__ = ["run"]


@pytest.mark.parametrize(
    "mistake", COMMAND_MISTAKES, ids=lambda one: f"{one.arguments}: {one.said}"
)
def test_a_mistake_is_one_line(run: Run, tmp_path: Path, mistake: Mistake) -> None:
    file = tmp_path / mistake.name
    file.write_text(mistake.content)

    status, lines = run(mistake.arguments.replace("FILE", str(file)), **mistake.settings)

    assert status == mistake.status, lines
    assert len(lines) == mistake.problems, lines
    assert all(line.startswith("oa-bridge: ") for line in lines)
    assert mistake.said in lines[0]


@pytest.mark.parametrize("arguments", ["menus restore {}", "tags rename {} a", "tags delete {}"])
def test_a_number_that_no_column_holds_is_bad_use(run: Run, arguments: str) -> None:
    status, lines = run(arguments.format(10**20), **AWAY)

    assert status == BAD_USE, lines
    assert "Invalid value for" in " ".join(lines)


@pytest.mark.parametrize(("code", "arguments", "status", "said"), REFUSED_COMMANDS)
def test_a_server_that_refuses_is_one_line(
    run: Run, code: str, arguments: str, status: int, said: str
) -> None:
    with refusing_postgres(code, 'for user "secret"') as url:
        found, lines = run(arguments, DATABASE_URL=url)

    assert (found, len(lines)) == (status, 1), lines
    assert said in lines[0]
    assert "secret" not in lines[0]


@pytest.mark.parametrize(("arguments", "status"), UNMIGRATED_COMMANDS)
def test_a_database_that_is_not_migrated_is_one_line(
    run: Run, database_url: str, arguments: str, status: int
) -> None:
    asyncio.run(empty(database_url))

    assert run(arguments, DATABASE_URL=database_url) == (status, [f"oa-bridge: {NOT_MIGRATED}"])


def test_migrate_says_what_it_did_and_that_nothing_is_left(run: Run, database_url: str) -> None:
    asyncio.run(empty(database_url))

    status, lines = run("migrate", DATABASE_URL=database_url)
    again = run("migrate", DATABASE_URL=database_url)

    assert status == 0
    migrated = [line for line in lines if line.startswith("migrated to 0")]
    assert migrated[-1].startswith(f"migrated to {migrate.newest()} ")
    assert all(line.startswith("built the index ") for line in lines[len(migrated) :])
    (line,) = again[1]
    assert line.startswith("nothing to do: the database is at 0")


def test_migrate_of_a_newer_database_says_so(run: Run, database_url: str) -> None:
    asyncio.run(execute(database_url, "UPDATE alembic_version SET version_num = 'later'"))

    status, (line,) = run("migrate", DATABASE_URL=database_url)

    assert status == FAILED
    assert "migrated by a newer version of OA Bridge; install that version" in line


def test_an_index_that_can_not_be_built_is_one_line_and_the_database_is_migrated(
    run: Run, database_url: str
) -> None:
    harm = "DROP INDEX ix_callbacks_passive; ALTER TABLE callbacks RENAME passive_id TO away"
    asyncio.run(execute(database_url, harm))

    status, (line,) = run("migrate", DATABASE_URL=database_url)

    assert status == FAILED
    assert line.endswith("the database is migrated, but an index is missing: run it again")


def test_a_migration_that_fails_says_that_nothing_was_changed(run: Run, database_url: str) -> None:
    asyncio.run(empty(database_url))
    asyncio.run(execute(database_url, "CREATE TABLE callbacks (id int)"))

    status, (line,) = run("migrate", DATABASE_URL=database_url)

    assert status == FAILED
    assert 'relation "callbacks" already exists; nothing was changed' in line


@pytest.mark.parametrize(
    ("command", "setting"), [("serve", "PORT"), ("worker", "WORKER_METRICS_PORT")]
)
def test_a_port_that_is_taken_is_named_with_its_setting(
    run: Run, command: str, setting: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, (line,) = run(
            command, DATABASE_URL="postgresql://oa@127.0.0.1:1/oa", **{setting: port}
        )

    assert status == BAD_USE
    assert line == (
        f"oa-bridge: {setting}: port {port} is in use on 127.0.0.1: stop the program that listens "
        "there, or choose another port"
    )


def test_version_and_help_speak_to_users(run: Run) -> None:
    assert run("--version")[1][0].startswith("oa-bridge ")
    _, lines = run("--help")
    told = " ".join(lines)
    assert "joins a WeChat Official Account to its mini-programs" in told
    assert "wiring" not in told


async def empty(url: str) -> None:
    await execute(url, "DROP SCHEMA public CASCADE")
    await execute(url, "CREATE SCHEMA public")


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
