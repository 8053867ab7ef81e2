"""Why the database can't be used is one sentence with the fix, whoever says it."""

import socket

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.db.diagnosis import NOT_MIGRATED, describe, diagnose
from app.db.engine import UNAVAILABLE_ERRORS, Database, open_database
from tests.conftest import at_database
from tests.refusing_postgres import refusing_postgres


async def said_about(url: str) -> str:
    database = open_database(url)
    with pytest.raises((*UNAVAILABLE_ERRORS, SQLAlchemyError)) as caught:
        await database.ping()
    await database.close()
    return describe(caught.value)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("28P01", "refuses the user and password of DATABASE_URL: correct them"),
        ("28000", "does not let the user of DATABASE_URL in: correct the user"),
        ("3D000", "does not exist: correct its name, or create it"),
        ("53300", "has no free connection: raise its max_connections"),
        ("57P03", "is starting or stopping: wait"),
        ("XX000", "can't be used (InternalServerError, XX000): look at the log of Postgres"),
    ],
)
async def test_what_the_server_refuses_is_told_with_the_fix(code: str, said: str) -> None:
    with refusing_postgres(code, 'something about "hunter2Hunter2"') as url:
        told = await said_about(url)

    assert said in told
    assert "hunter2" not in told


async def test_a_database_of_another_name_is_told_so(postgres_url: str) -> None:
    assert "that DATABASE_URL names does not exist" in await said_about(
        at_database(postgres_url, "no_such_database")
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://oa@127.0.0.1:1/oa", "nothing listens at the host and port of DATABASE_URL"),
        ("postgresql:///oa?host=/nowhere", "nothing listens"),
        ("postgresql://oa@host.invalid/oa", "the host in DATABASE_URL is not found"),
        ("postgresql://oa@127.0.0.1/oa?sslmode=often", "DATABASE_URL can't be used: write it as"),
    ],
)
async def test_what_is_wrong_with_the_url_is_told(url: str, said: str) -> None:
    assert said in await said_about(url)


async def test_a_missing_table_means_that_migrations_are_missing(database: Database) -> None:
    with pytest.raises(SQLAlchemyError) as caught:
        async with database.sessions() as session:
            await session.execute(text("SELECT * FROM nothing_of_this_name"))

    assert diagnose(caught.value) == NOT_MIGRATED


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "does not answer in time"),
        (PoolTimeoutError("x"), "all connections of this process"),
        (ConnectionResetError(), "broke"),
        (PermissionError(), "may not open the socket"),
        (socket.gaierror(), "not found"),
        (asyncpg.InterfaceError("x"), "broke"),
    ],
    ids=repr,
)
def test_an_error_of_the_connection_is_told(error: Exception, said: str) -> None:
    assert said in describe(error)
