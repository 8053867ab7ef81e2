"""The migrated schema is the one that the models describe, however one gets there."""

import asyncio
import secrets
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.engine import Connection

from app.db import migrate
from app.db.base import Base
from app.db.engine import Database
from app.events import store
from app.events.query import FOLLOW_EVENTS, ListQuery


def differences(connection: Connection) -> list[object]:
    def ours(name: str | None, type_: str, _: object) -> bool:
        return not (type_ == "table" and name is not None and name.startswith("pgqueuer"))

    context = MigrationContext.configure(
        connection,
        opts={"include_name": ours, "compare_type": True, "compare_server_default": True},
    )
    return list(compare_metadata(context, Base.metadata))


async def tables(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        found = await connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        )
        return set(found.scalars())


async def test_the_migrated_schema_is_what_the_models_say(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_empty_database_is_brought_to_the_newest_schema(empty: Database) -> None:
    before = await migrate.current(empty.engine)

    await migrate.upgrade(empty.engine)

    assert before is None
    assert await migrate.current(empty.engine) == migrate.newest()
    assert set(Base.metadata.tables) | {"pgqueuer"} <= await tables(empty)


async def test_upgrading_twice_changes_nothing(database: Database) -> None:
    async with database.sessions.begin() as session:
        await session.execute(text("UPDATE rules_version SET version = 7"))

    await migrate.upgrade(database.engine)

    async with database.sessions() as session:
        assert await session.scalar(text("SELECT version FROM rules_version")) == 7


async def test_scenes_that_are_stored_are_found_after_the_upgrade_and_long_ones_fit(
    empty: Database,
) -> None:
    insert = text(
        "INSERT INTO follow_events (id, appid, openid, action, scene, occurred_at) "
        "VALUES (gen_random_uuid(), 'wx1', 'o1', 'scan', :scene, now())"
    )
    await migrate.upgrade(empty.engine, "0016")
    async with empty.sessions.begin() as session:
        for number in range(300):
            await session.execute(insert, {"scene": f"shop-{number}"})

    await migrate.upgrade(empty.engine, "0017")

    longest = secrets.token_urlsafe(9000)
    async with empty.sessions.begin() as session:
        await session.execute(insert, {"scene": longest})
    query = ListQuery(limit=10, appid="wx1", scene="shop-7")
    async with empty.sessions.begin() as session:
        page = await store.page(session, FOLLOW_EVENTS, query)
    assert [row.scene for row in page.rows] == ["shop-7"]


async def test_two_processes_that_upgrade_at_once_both_succeed(empty: Database) -> None:
    script = (
        "import asyncio, sys; from app.db import migrate; from app.db.engine import open_database\n"
        # As `oa-bridge migrate` does: the second waits for the first however long that takes.
        "database = open_database(sys.argv[1], command_timeout=None)\n"
        "asyncio.run(migrate.upgrade(database.engine))"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, empty.url, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]

    errors = [(await process.communicate())[1] for process in processes]

    assert [
        (process.returncode, error) for process, error in zip(processes, errors, strict=True)
    ] == [(0, b"")] * 2
    assert await migrate.current(empty.engine) == migrate.newest()


async def test_a_migration_that_fails_leaves_nothing_behind(empty: Database) -> None:
    async with empty.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE send_windows (in_the_way int)"))

    with pytest.raises(Exception, match="send_windows"):
        await migrate.upgrade(empty.engine)

    assert await migrate.current(empty.engine) is None
    assert await tables(empty) == {"send_windows"}
