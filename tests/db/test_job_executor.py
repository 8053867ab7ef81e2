"""What an error of a job means, and what is kept of it."""

from datetime import UTC, datetime, timedelta

import anyio
import asyncpg
import pytest
from pgqueuer import Job, RetryRequested
from pgqueuer.core.executors import EntrypointExecutorParameters
from pgqueuer.domain.models import Context
from sqlalchemy import text
from structlog.testing import capture_logs

from app.db.engine import Database
from app.db.job_executor import MAX_ATTEMPTS, JobExecutor, JobFailed, is_unavailable
from tests.waiting import eventually

WORDS = "my diary"


def job(attempts: int) -> Job:
    now = datetime.now(UTC)
    return Job.model_validate(
        {
            "id": 1,
            "priority": 0,
            "created": now,
            "updated": now,
            "heartbeat": now,
            "execute_after": now,
            "status": "picked",
            "entrypoint": "some.job",
            "payload": None,
            "queue_manager_id": None,
            "headers": None,
            "attempts": attempts,
        }
    )


async def run(error: Exception, attempts: int) -> Exception:
    """Run a job that raises `error`, and return what the executor makes of it."""

    async def fails(_: Job) -> None:
        raise error

    executor = JobExecutor(EntrypointExecutorParameters(concurrency_limit=0, func=fails))
    with pytest.raises((RetryRequested, JobFailed)) as raised:
        await executor.execute(job(attempts), Context(cancellation=anyio.CancelScope()))
    found = raised.value
    assert isinstance(found, Exception)
    return found


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        TimeoutError(),
        asyncpg.AdminShutdownError("terminating connection"),
        asyncpg.ConnectionDoesNotExistError("closed"),
        asyncpg.TooManyConnectionsError("sorry"),
    ],
)
@pytest.mark.parametrize("attempts", [0, MAX_ATTEMPTS, 1000])
async def test_an_unavailable_database_never_holds_a_job(error: Exception, attempts: int) -> None:
    found = await run(error, attempts)

    assert isinstance(found, RetryRequested)
    assert found.delay <= timedelta(seconds=4)


async def test_another_error_is_tried_again_and_then_held_and_its_words_are_not_kept() -> None:
    with capture_logs() as logged:
        again = await run(asyncpg.DataError(f'invalid input syntax: "{WORDS}"'), 0)
        held = await run(ValueError(WORDS), MAX_ATTEMPTS)

    assert isinstance(again, RetryRequested)
    assert again.reason == "DataError"
    assert isinstance(held, JobFailed)
    for kept in (again, held):
        assert kept.__suppress_context__
        assert WORDS not in str(kept)
    assert [(one["event"], one["held"], one["error"]) for one in logged] == [
        ("worker.job_failed", False, "DataError"),
        ("worker.job_failed", True, "ValueError"),
    ]
    assert "fails" in logged[0]["where"]
    assert WORDS not in str(logged)


async def test_a_cut_connection_is_told_from_a_wrong_value(
    database: Database, connection: asyncpg.Connection
) -> None:
    async def fails(statement: str) -> Exception:
        try:
            async with database.sessions.begin() as session:
                await session.execute(text("SELECT 1"))
                await connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid() AND $1",
                    statement == "SELECT 1",
                )
                await session.execute(text(statement))
        except Exception as error:  # noqa: BLE001 - whatever the library raises
            return error
        raise AssertionError("no error")

    async def cut() -> bool:
        return is_unavailable(await fails("SELECT 1"))

    assert await eventually(cut)
    assert not is_unavailable(await fails("SELECT 'x'::int"))
