"""What a spool still holds of somebody who is erased meanwhile."""

from datetime import timedelta

import asyncpg
import pytest

from app.callback.spool import Spool
from app.db.engine import Database
from app.settings import Settings
from tests.callback.makers import drained, record
from tests.privacy.makers import TEXT, UNIONID, found, leave, live, work
from tests.service import (
    OPENID,
    WeChat,
    WorldClock,
    column,
    jobs_of,
    message,
    running,
    without_appsecret,
)
from tests.waiting import eventually

SPOOLED = "words from the spool"


@pytest.mark.parametrize("policy", ["content", "everything"])
async def test_a_callback_that_was_spooled_before_the_erasure_is_erased_when_it_is_recorded(
    policy: str,
    settings: Settings,
    clock: WorldClock,
    database: Database,
    wechat: WeChat,
    connection: asyncpg.Connection,
) -> None:
    settings = settings.model_copy(update={"on_unfollow": policy})
    jobs = jobs_of(settings, database, wechat)
    spooled = record(clock, message(clock, SPOOLED, openid=OPENID))
    async with running(without_appsecret(settings), clock) as service:
        await live(service, connection)
        await service.push(leave(service))
        await work(jobs, connection)
    spool = Spool(settings.data_dir, limit=10)
    await spool.append([spooled])
    await spool.close()
    clock.advance(timedelta(hours=3))

    async with running(settings, clock) as service:
        await eventually(drained(service.inbox))
        recorded = await found(connection, SPOOLED)
        await work(jobs, connection)
        on_disk = [
            path.name
            for path in settings.data_dir.glob("spool.sqlite3*")
            if SPOOLED.encode() in path.read_bytes()
        ]

    assert recorded == {"callbacks": 1}
    assert await found(connection, SPOOLED) == {}
    assert on_disk == []
    if policy == "everything":
        assert await found(connection, OPENID) == {}


async def test_an_unfollow_during_a_database_outage_erases_afterwards(
    settings: Settings,
    clock: WorldClock,
    database: Database,
    wechat: WeChat,
    connection: asyncpg.Connection,
) -> None:
    jobs = jobs_of(settings, database, wechat)
    async with running(without_appsecret(settings), clock) as service:
        await live(service, connection)
        left = record(clock, leave(service))
    spool = Spool(settings.data_dir, limit=10)
    await spool.append([left])
    await spool.close()

    async with running(settings, clock) as service:
        await eventually(drained(service.inbox))
        await work(jobs, connection)

    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert await column(connection, "SELECT scope FROM erasures") == ["content"]
    assert "follow_events" in await found(connection, UNIONID)
