"""What the spool set aside is forgotten like any other push: with its sender, or in time."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.callback import dead_letters
from app.callback.dead_letters import DeadLetterPurge, purge
from app.callback.record import Record
from app.callback.spool import Spool
from app.db.engine import Database
from app.secret_box import SecretBox
from app.tombstones.erasure_secret import ErasureSecret
from app.worker import Jobs
from tests.callback.makers import poisoned, record, running_inbox
from tests.privacy.conftest import jobs, service, wechat
from tests.privacy.makers import leave, privacy, work
from tests.service import APPID, OPENID, OTHER_OPENID, Service, WorldClock, message
from tests.waiting import eventually

__all__ = ["jobs", "service", "wechat"]

SECRET = ErasureSecret(None, SecretBox(None))
MONTH = timedelta(days=30)


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    spool = Spool(tmp_path / "another", limit=100)
    yield spool
    await spool.close()


async def dead_letter(spool: Spool, *records: Record) -> None:
    await spool.append(records)
    for item in await spool.oldest(100):
        await spool.dead_letter(item.number)


async def forgotten(spool: Spool, database: Database, clock: WorldClock) -> int:
    async with running_inbox(database.url) as inbox:
        return await purge(DeadLetterPurge(inbox, spool, database.sessions, clock, SECRET, MONTH))


def of(clock: WorldClock, openid: str, text: str = "shop") -> Record:
    return replace(
        record(clock, message(clock, text, openid=openid)), payload='{"Content": "\\u0000"}'
    )


@pytest.mark.parametrize("how", ["request", "leaving", "class"])
async def test_it_goes_with_its_sender_and_nobody_elses_does(
    service: Service,
    jobs: Jobs,
    database: Database,
    connection: asyncpg.Connection,
    clock: WorldClock,
    spool: Spool,
    how: str,
) -> None:
    await service.push(message(clock, openid=OPENID))
    await dead_letter(spool, of(clock, OPENID), of(clock, OTHER_OPENID))
    clock.advance(timedelta(seconds=5))
    if how == "request":
        await service.api("DELETE", "users", params={"appid": APPID, "openid": OPENID})
    elif how == "leaving":
        await service.push(leave(service))
    else:
        await service.push(privacy(service, "user_authorization_revoke", RevokeInfo="206"))
    await work(jobs, connection)
    clock.advance(timedelta(seconds=5))
    await dead_letter(spool, of(clock, OPENID, "since then"))

    assert await forgotten(spool, database, clock) == 1

    left = b"".join(item.data for item in await spool.dead_letters())
    assert left.count(OPENID.encode()) == 1
    assert left.count(OTHER_OPENID.encode()) == 1


async def test_it_goes_after_the_days_of_retention(
    database: Database, clock: WorldClock, spool: Spool
) -> None:
    await dead_letter(spool, poisoned(clock))
    clock.advance(MONTH)
    kept = await forgotten(spool, database, clock)
    clock.advance(timedelta(seconds=1))

    assert (kept, await forgotten(spool, database, clock)) == (0, 1)
    assert await spool.count_dead_letters() == 0


async def test_what_nobody_can_read_goes(
    database: Database, clock: WorldClock, spool: Spool, tmp_path: Path
) -> None:
    await dead_letter(spool, poisoned(clock))
    with sqlite3.connect(tmp_path / "another" / "spool.sqlite3") as file:
        file.execute("UPDATE spooled SET record = X'FF00'")

    assert await forgotten(spool, database, clock) == 1


async def test_the_web_process_looks_by_itself_and_counts_anew(
    database: Database, clock: WorldClock, spool: Spool, tmp_path: Path
) -> None:
    await dead_letter(spool, poisoned(clock))
    clock.advance(2 * MONTH)
    async with running_inbox(database.url, tmp_path / "another") as inbox:
        before = inbox.spool_status().dead_letters
        looking = asyncio.create_task(
            dead_letters.run(DeadLetterPurge(inbox, spool, database.sessions, clock, SECRET, MONTH))
        )

        async def none_left() -> bool:
            return inbox.spool_status().dead_letters == 0

        await eventually(none_left)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)

    assert before == 1


async def test_a_wrong_key_ends_neither_the_purge_nor_a_letter(
    database: Database,
    connection: asyncpg.Connection,
    clock: WorldClock,
    spool: Spool,
    tmp_path: Path,
) -> None:
    """Whoever is erased can't be recognised, so that nothing may be taken for not erased either."""
    await connection.execute(
        "INSERT INTO service_secrets (name, encrypted) VALUES ('erasure', 'sealed:AAAA')"
    )
    await connection.execute("INSERT INTO erased_people VALUES ('wx1', 'p', now(), 'everything')")
    await dead_letter(spool, of(clock, OPENID))
    async with running_inbox(database.url, tmp_path / "another") as inbox:
        with capture_logs() as lines:
            looking = asyncio.create_task(
                dead_letters.run(
                    DeadLetterPurge(inbox, spool, database.sessions, clock, SECRET, MONTH)
                )
            )

            async def has_failed() -> bool:
                return any(line["event"] == "inbox.set_aside_not_looked_at" for line in lines)

            await eventually(has_failed)
            ended = looking.done()
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)

    assert not ended
    assert len(await spool.dead_letters()) == 1
