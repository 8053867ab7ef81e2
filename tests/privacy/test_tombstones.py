"""Whoever is erased is not learnt of again by a synchronisation or a report of what was before."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from app.db.engine import Database, open_database
from app.follower_sync.apply import apply
from app.follower_sync.diff import UserInfoBatch
from app.privacy.from_sync import open_for_unfollows
from app.tombstones.erasure_secret import erasure_secret
from app.tombstones.people import erased_among
from app.wechat.errors import ApiError
from app.wechat.ids import AppId, OpenId
from app.wechat_client.with_token import with_token
from app.worker import Jobs
from tests.follower_sync.conftest import Here, sync_here
from tests.follower_sync.test_sync import let_quota_end_after
from tests.lock_waits import backend_waits
from tests.privacy.makers import UNIONID, found, leave, live, work
from tests.service import (
    APPID,
    BATCHGET,
    OPENID,
    OTHER_OPENID,
    THIRD_OPENID,
    Json,
    Service,
    WeChat,
    column,
    event,
    message,
    rows,
)
from tests.waiting import eventually

__all__ = ["sync_here"]

MINUTE = timedelta(minutes=1)
REPORT = {"appid": APPID, "openid": OPENID, "unionid": UNIONID}


async def erased(service: Service, jobs: Jobs, connection: asyncpg.Connection) -> None:
    """Let a person who still follows be erased on request, a minute ago."""
    await live(service, connection)
    await connection.execute("TRUNCATE follower_marks, follower_syncs")
    await connection.execute("DELETE FROM openids WHERE openid <> $1", OPENID)
    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)
    service.clock.advance(MINUTE)


async def report(service: Service, **more: str) -> Json:
    answer = await service.api("PUT", "identities", json={"identities": [REPORT | more]})
    assert answer.status_code == 200, answer.text
    told: Json = answer.json()
    return told


async def test_a_sync_skips_an_erased_person_who_still_follows(
    service: Service, jobs: Jobs, sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await erased(service, jobs, connection)
    assert wechat.state.followers[APPID][OPENID].following

    await sync_here()
    await sync_here()

    assert await found(connection, OPENID) == {}
    assert await column(connection, "SELECT openid FROM openids ORDER BY 1") == sorted(
        [OTHER_OPENID, THIRD_OPENID]
    )


async def test_not_even_the_marks_of_a_run_that_was_stopped_name_them(
    service: Service, jobs: Jobs, sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    """The quota ends when all are listed, and somebody who is not is asked about."""
    await erased(service, jobs, connection)
    await connection.execute(
        "INSERT INTO followers (appid, openid, following, last_at, last_id) "
        "VALUES ($1, 'oUNSEEN', true, '2026-01-01', gen_random_uuid())",
        APPID,
    )
    let_quota_end_after(wechat, 1)

    with pytest.raises(ApiError):
        await sync_here()

    assert await column(connection, "SELECT openid FROM follower_marks ORDER BY 1") == sorted(
        [OTHER_OPENID, THIRD_OPENID]
    )
    assert await found(connection, OPENID) == {}


async def test_an_answer_from_before_an_erasure_adds_no_openid_after_it(
    service: Service, jobs: Jobs, database: Database, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    infos = await with_token(
        jobs.tokens,
        AppId(APPID),
        lambda token: jobs.resolver.api.batchget(token, [OpenId(OPENID)]),
        api="user/info/batchget",
    )
    asked = UserInfoBatch([OPENID], service.clock.now(), [uuid7(), uuid7()], infos)
    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)

    async with database.sessions.begin() as session:
        forgotten = await erased_among(session, erasure_secret(service.settings), [(APPID, OPENID)])
        told = await apply(
            session,
            APPID,
            [asked],
            service.clock.now(),
            tombstones={openid: one for (_, openid), one in forgotten.items()},
            on_unfollows=open_for_unfollows,
        )

    assert told == (0, 0)
    assert await found(connection, OPENID) == {}


async def test_an_erasure_waits_for_a_writer_who_asked_before_it_and_finds_what_was_written(
    service: Service, jobs: Jobs, database: Database, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await service.api("DELETE", f"users/{UNIONID}")

    writer = open_database(database.url)  # another process
    async with writer.sessions.begin() as session:
        before = await erased_among(session, erasure_secret(service.settings), [(APPID, OPENID)])
        working = asyncio.create_task(work(jobs, connection_of := await opened(service)))
        await eventually(backend_waits(connection))
        not_yet = await column(connection, "SELECT count(*) FROM erased_people")
    await working
    await connection_of.close()
    await writer.close()

    assert (before, not_yet) == ({}, [0])
    assert await found(connection, OPENID) == {}


async def opened(service: Service) -> asyncpg.Connection:
    return await asyncpg.connect(service.settings.database_url)


async def test_a_sync_at_the_end_of_an_erasure_does_not_undo_it(
    service: Service, jobs: Jobs, sync_here: Here, connection: asyncpg.Connection
) -> None:
    """The person is there when it looks, and gone when it writes."""
    await erased(service, jobs, connection)
    await stranger(connection)
    ending = await opened(service)
    async with ending.transaction():
        await ending.execute("DELETE FROM openids WHERE openid = $1", OPENID)
        syncing = asyncio.create_task(sync_here())
        await eventually(backend_waits(connection))
    await syncing
    await ending.close()

    assert await found(connection, OPENID) == {}


async def test_a_report_at_the_end_of_an_erasure_does_not_undo_it(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await erased(service, jobs, connection)
    await stranger(connection)
    ending = await opened(service)
    async with ending.transaction():
        await ending.execute("DELETE FROM openids WHERE openid = $1", OPENID)
        reporting = asyncio.create_task(report(service, unionid="oOF-ANOTHER-PLATFORM"))
        await eventually(backend_waits(connection))
    told = await reporting
    await ending.close()

    assert told == {"received": 1, "changed": 0, "conflicts": 0, "erased": 1}
    assert await found(connection, OPENID) == {}


async def stranger(connection: asyncpg.Connection) -> None:
    """Let the erased person be there again, as a late push would make it."""
    await connection.execute(
        "INSERT INTO openids (appid, openid, first_seen_at, last_seen_at) "
        "VALUES ($1, $2, now(), now())",
        APPID,
        OPENID,
    )


async def test_a_follow_after_the_erasure_is_found_by_a_synchronisation(
    service: Service, jobs: Jobs, sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await erased(service, jobs, connection)
    wechat.state.followers[APPID][OPENID].follow(service.clock.now())
    service.clock.advance(MINUTE)

    await sync_here()

    assert await column(
        connection, "SELECT action FROM follow_events WHERE openid = $1", OPENID
    ) == ["follow"]
    # So that what comes late from before the erasure is known as such.
    assert await column(
        connection, "SELECT erased_until IS NOT NULL FROM openids WHERE openid = $1", OPENID
    ) == [True]


async def test_revoked_contents_are_not_stored_again(
    service: Service, jobs: Jobs, sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    """The scene of a follow is a content, and WeChat goes on telling it."""
    wechat.state.followers[APPID][OPENID].follow(service.clock.now(), "store_7")
    await service.push(event(service.clock, "subscribe", EventKey="qrscene_store_7"))
    service.clock.advance(MINUTE)
    revoked = event(service.clock, "user_authorization_revoke", openid="oP", OpenID=OPENID)
    await service.push(revoked)
    await work(jobs, connection)

    await sync_here()

    assert await rows(
        connection, "SELECT following, scene, how FROM followers WHERE openid = $1", OPENID
    ) == [{"following": True, "scene": None, "how": None}]


async def test_a_report_about_an_erased_person_is_skipped_and_counted(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await erased(service, jobs, connection)

    told = await report(service)

    assert told == {"received": 1, "changed": 0, "conflicts": 0, "erased": 1}
    assert await found(connection, OPENID) == {}
    assert await found(connection, UNIONID) == {}


async def test_the_others_in_a_report_are_taken_over(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await erased(service, jobs, connection)
    other = {"appid": APPID, "openid": OTHER_OPENID, "unionid": "oOTHER"}

    answer = await service.api("PUT", "identities", json={"identities": [REPORT, other]})

    assert answer.json() == {"received": 2, "changed": 0, "conflicts": 0, "erased": 1}
    assert await column(connection, "SELECT unionid FROM openids") == ["oOTHER"]


@pytest.mark.parametrize(("minutes", "known"), [(-2, False), (0, True)])
async def test_a_login_since_the_erasure_makes_them_known_again(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, minutes: int, known: bool
) -> None:
    await erased(service, jobs, connection)
    late = message(service.clock, "from before", CreateTime=service.clock.seconds - 70)

    told = await report(service, logged_in_at=(service.clock.now() + minutes * MINUTE).isoformat())
    await service.push(late)
    await work(jobs, connection)

    assert told["erased"] == (not known)
    assert bool(await found(connection, UNIONID)) == known
    assert await found(connection, "from before") == {}


@pytest.mark.parametrize("order", [1, -1])
async def test_of_an_openid_that_is_reported_twice_the_latest_login_counts(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, order: int
) -> None:
    await erased(service, jobs, connection)
    logged_in = REPORT | {"logged_in_at": service.clock.now().isoformat()}

    answer = await service.api(
        "PUT", "identities", json={"identities": [logged_in, REPORT][::order]}
    )

    assert answer.json() == {"received": 2, "changed": 0, "conflicts": 0, "erased": 0}
    assert await rows(
        connection, "SELECT unionid, logged_in_at IS NOT NULL AS logged_in FROM openids"
    ) == [{"unionid": UNIONID, "logged_in": True}]


async def test_a_person_who_was_active_since_the_erasure_may_be_reported(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await erased(service, jobs, connection)
    await service.push(message(service.clock, "hello again"))
    await work(jobs, connection)

    told = await report(service)

    assert told["erased"] == 0
    assert (await service.read("users", appid=APPID, openid=OPENID))["unionid"] == UNIONID


async def test_an_answer_to_an_earlier_call_adds_no_openid_after_an_unfollow(
    service: Service, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    """The UnionID was asked for, and comes when there is nobody any more to have it."""
    await service.push(event(service.clock, "subscribe"))
    wechat.strike(BATCHGET, latency_seconds=60, count=1)
    asking = asyncio.create_task(jobs.resolve({"appid": APPID}))
    await eventually(wechat.has_struck)
    service.clock.advance(MINUTE)
    await service.push(leave(service))
    await connection.execute("UPDATE erasures SET scope = 'everything'")
    await work(jobs, connection)

    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert await found(connection, OPENID) == {}
