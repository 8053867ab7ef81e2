"""Whoever a synchronisation finds to have left, has left: the policy holds for them, too."""

from datetime import timedelta

import asyncpg
import pytest

from app.db.engine import Database
from app.settings import Settings
from tests.follower_sync.conftest import Here, sync_here
from tests.privacy.makers import TEXT, found, live, work
from tests.service import (
    APPID,
    OPENID,
    WeChat,
    WorldClock,
    column,
    jobs_of,
    message,
    of_answers,
    rows,
    running,
)

__all__ = ["sync_here"]


@pytest.mark.parametrize("policy", ["content", "everything"])
async def test_contents_or_everything_go_and_windows_close(
    policy: str,
    settings: Settings,
    clock: WorldClock,
    database: Database,
    wechat: WeChat,
    sync_here: Here,
    connection: asyncpg.Connection,
) -> None:
    settings = settings.model_copy(update={"on_unfollow": policy})
    jobs = jobs_of(settings, database, wechat)
    async with running(settings, clock) as service:
        await live(service, connection)
        await connection.execute("TRUNCATE follower_marks, follower_syncs")
        clock.advance(timedelta(hours=1))
        wechat.state.followers[APPID][OPENID].unfollow()

        done = await sync_here()
        await work(jobs, connection)

    assert done.gone == 1
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert await column(connection, "SELECT count(*) FROM send_windows") == [0]
    assert set(await column(connection, of_answers("SELECT status FROM answers"))) == {
        "sent",
        "skipped",
    }
    assert await rows(connection, "SELECT trigger, scope, requested_by, appid FROM erasures") == [
        {"trigger": "unsubscribe", "scope": policy, "requested_by": "sync", "appid": APPID}
    ]
    assert bool(await found(connection, OPENID)) == (policy == "content")
    assert await column(
        connection,
        "SELECT action FROM follow_events WHERE source = 'sync' AND scene IS NULL "
        "AND action = 'unfollow'",
    ) == ["unfollow"]


async def test_a_person_who_returned_unseen_keeps_the_later_events(
    settings: Settings,
    clock: WorldClock,
    database: Database,
    wechat: WeChat,
    sync_here: Here,
    connection: asyncpg.Connection,
) -> None:
    jobs = jobs_of(settings, database, wechat)
    async with running(settings, clock) as service:
        await live(service, connection)
        await connection.execute("TRUNCATE follower_marks, follower_syncs")
        clock.advance(timedelta(hours=1))
        wechat.state.followers[APPID][OPENID].follow(clock.now())
        clock.advance(timedelta(hours=1))
        await service.push(message(clock, "since then"))

        await sync_here()
        await work(jobs, connection)

    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert (await found(connection, "since then")).keys() == {"callbacks"}
    assert await column(
        connection, "SELECT following FROM followers WHERE openid = $1", OPENID
    ) == [True]
