"""Erasing survives whatever ends it in the middle, and several at once."""

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, InterfaceError

from app.db.engine import connect, open_database
from app.settings import Settings
from app.worker import Jobs
from tests.callback.makers import locked
from tests.e2e.children import Child, oa_bridge
from tests.lock_waits import backend_waits
from tests.privacy.makers import TEXT, UNIONID, found, live, live_elsewhere, privacy, work
from tests.service import (
    ACCOUNT,
    APPID,
    OPENID,
    OTHER_OPENID,
    Service,
    WeChat,
    column,
    jobs_of,
    message,
    rows,
)
from tests.waiting import eventually

MANY = """
INSERT INTO callbacks (id, appid, dedupe_key, openid, msgtype, occurred_at, received_at, payload)
SELECT gen_random_uuid(), $1, int4send(0) || uuid_send(gen_random_uuid()), $2, 'text',
       $3, $3, $4::text::jsonb
FROM generate_series(1, 1200)
"""
CERTIFICATE = "SELECT scope, counts, jsonb_array_length(erased) AS people FROM erasures"

# The look for late pushes may open one more erasure, if it runs after the first has begun.
UNDONE = """
SELECT (SELECT count(*) FROM erasures WHERE finished_at IS NULL)
     + (SELECT count(*) FROM pgqueuer WHERE entrypoint LIKE 'privacy.%')
"""


async def cancelled(service: Service, connection: asyncpg.Connection) -> dict[str, str]:
    """Let a person with many messages close their WeChat account; return the job's payload."""
    await live(service, connection)
    await live_elsewhere(connection)
    await connection.execute(MANY, APPID, OPENID, service.clock.now(), f'{{"Content": "{TEXT}"}}')
    await service.push(privacy(service, "user_authorization_cancellation", UnionID=UNIONID))
    (erasure_id,) = await column(connection, "SELECT id FROM erasures")
    return {"erasure_id": str(erasure_id)}


async def nothing_is_left(connection: asyncpg.Connection) -> None:
    for word in (OPENID, UNIONID, "oOLDER-UNIONID"):
        assert await found(connection, word) == {}
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}


@pytest.mark.parametrize(
    "table", ["replies", "callbacks", "send_windows", "openids", "rule_firings", "pgqueuer_log"]
)
async def test_whatever_step_the_job_dies_in_the_next_run_finishes_it(
    table: str, service: Service, jobs: Jobs, database_url: str, connection: asyncpg.Connection
) -> None:
    job = await cancelled(service, connection)

    async with locked(database_url, table):
        dying = asyncio.create_task(jobs.erase(job))
        (pid,) = await eventually(backend_waits(connection))
        await connection.execute("SELECT pg_terminate_backend($1)", pid)
        with pytest.raises((DBAPIError, InterfaceError)):
            await dying
    unfinished = await column(connection, "SELECT finished_at FROM erasures")
    await connection.execute("DELETE FROM pgqueuer WHERE entrypoint LIKE 'privacy.%'")
    service.clock.advance(timedelta(minutes=2))
    await jobs.sweep()
    await work(jobs, connection)

    assert unfinished == [None]
    await nothing_is_left(connection)
    (certificate,) = await rows(connection, CERTIFICATE)
    assert (certificate["scope"], certificate["people"]) == ("person", 2)
    # 1200, four pushes, the one that names the person, and the event itself.
    assert '"callbacks": 1206' in certificate["counts"]


async def test_a_worker_that_is_killed_leaves_the_rest_to_the_next(
    service: Service, database_url: str, connection: asyncpg.Connection, tmp_path: Path
) -> None:
    await cancelled(service, connection)
    await connection.execute("UPDATE pgqueuer SET execute_after = now()")
    settings = {
        "DATABASE_URL": database_url,
        "WECHAT_APPID": APPID,
        "WECHAT_TOKEN": ACCOUNT.token,
        "WECHAT_ENCODING_AES_KEY": ACCOUNT.encoding_aes_key,
    }
    first = Child("first", oa_bridge("worker"), tmp_path, settings)
    second = Child("second", oa_bridge("worker"), tmp_path, settings)

    async def all_done() -> bool:
        return await column(connection, UNDONE) == [0]

    holder = await connect(database_url)
    async with holder.transaction():
        await holder.execute("SELECT FROM consents FOR UPDATE")
        first.start()
        await eventually(backend_waits(connection, "%FROM consents%"))
        first.kill()
        left = await column(
            connection,
            "SELECT count(*) FROM callbacks WHERE openid = $1 "
            "UNION ALL SELECT count(*) FROM openids WHERE openid = $1",
            OPENID,
        )
    await holder.close()
    second.start()
    await eventually(all_done)
    second.kill()

    assert left == [0, 1]
    await nothing_is_left(connection)


async def test_two_workers_at_once_erase_and_count_once(
    service: Service, jobs: Jobs, wechat: WeChat, settings: Settings, connection: asyncpg.Connection
) -> None:
    job = await cancelled(service, connection)
    other = open_database(settings.database_url)

    await asyncio.gather(jobs.erase(job), jobs_of(settings, other, wechat).erase(job))

    await other.close()
    await nothing_is_left(connection)
    (certificate,) = await rows(connection, CERTIFICATE)
    assert '"callbacks": 1206' in certificate["counts"]


async def test_two_erasures_of_one_person_at_once_both_end(
    service: Service, jobs: Jobs, wechat: WeChat, settings: Settings, connection: asyncpg.Connection
) -> None:
    first = await cancelled(service, connection)
    answer = await service.api("DELETE", f"users/{UNIONID}")
    other = open_database(settings.database_url)

    await asyncio.gather(
        jobs.erase(first),
        jobs_of(settings, other, wechat).erase({"erasure_id": answer.json()["id"]}),
    )

    await other.close()
    await nothing_is_left(connection)
    assert await column(connection, "SELECT count(*) FROM erasures WHERE finished_at IS NULL") == [
        0
    ]


async def test_pushes_that_come_while_somebody_is_erased_are_stored_or_erased_never_lost(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    job = await cancelled(service, connection)
    old = [message(service.clock, f"{TEXT} {number}") for number in range(40)]
    service.clock.advance(timedelta(seconds=5))
    new = [message(service.clock, f"afterwards {number}") for number in range(20)]
    others = [message(service.clock, f"other {n}", openid=OTHER_OPENID) for n in range(20)]

    erasing = asyncio.create_task(jobs.erase(job))
    answers = await asyncio.gather(*map(service.push, (*old, *new, *others)))
    await erasing
    await work(jobs, connection)

    assert {answer.status_code for answer in answers} == {200}
    assert await column(connection, "SELECT count(*) FROM callbacks WHERE payload <> '{}'") == [40]
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert (await found(connection, "afterwards")) == {"callbacks": 20}
