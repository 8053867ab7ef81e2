"""Which errors say that the database is away, and which that a value can't be stored."""

import asyncpg
import pytest

from app.callback import commit_batch
from app.callback.commit_batch import BatchCommitter
from app.callback.inbox_connection import is_unavailable
from app.db.engine import UNAVAILABLE_ERRORS
from tests.callback.makers import record
from tests.service import WorldClock


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.QueryCanceledError("statement timeout"),
        asyncpg.TooManyConnectionsError("too many clients"),
        asyncpg.ReadOnlySQLTransactionError("a standby now"),
        asyncpg.UndefinedTableError("not migrated"),
        asyncpg.InvalidCachedStatementError("migrated meanwhile"),
        asyncpg.OutdatedSchemaCacheError("migrated meanwhile"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 11; another operation is in progress"),
        asyncpg.ProtocolError("unexpected message"),
        asyncpg.PostgresError("without a state"),
        ConnectionResetError(),
        BrokenPipeError(),
        TimeoutError(),
        OSError(),
    ],
    ids=repr,
)
def test_what_becomes_of_a_connection_that_is_cut_is_no_fault_of_a_value(error: Exception) -> None:
    assert is_unavailable(error)


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.UntranslatableCharacterError("a NUL"),
        asyncpg.DataError("invalid input for query argument"),
        asyncpg.NotNullViolationError("a NULL"),
        asyncpg.FeatureNotSupportedError("of a value"),
        asyncpg.ProgramLimitExceededError("too large for an index"),
        ValueError(),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
    ids=repr,
)
def test_what_a_value_is_to_blame_for_is_told_apart(error: Exception) -> None:
    assert not is_unavailable(error)


async def test_whatever_a_commit_fails_with_on_a_closed_connection_the_database_is_away(
    database_url: str, clock: WorldClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed_in_between(connection: asyncpg.Connection, *_: object) -> None:
        connection.terminate()
        raise AttributeError("what the driver stumbles over")

    monkeypatch.setattr(commit_batch, "_commit_once", closed_in_between)

    with pytest.raises(UNAVAILABLE_ERRORS):
        await BatchCommitter(database_url).commit([record(clock)], seconds=5)
