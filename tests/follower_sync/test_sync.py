"""What a synchronisation writes: who is new, who came back, who has gone, and nothing twice."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import asyncpg
import httpx
import pytest

from app.db.advisory_lock import LockLost, try_hold
from app.db.engine import Database
from app.follower_sync import page_tracker
from app.follower_sync.errors import AlreadyRunning, ListingRepeats
from app.follower_sync.sync import Progress, lock_name
from app.wechat.errors import ApiError
from simulator.followers import Follower, unionid_of
from tests.follower_sync.conftest import Here
from tests.service import (
    ACCOUNT,
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
    rows,
)
from tests.waiting import eventually

USER_GET = "/cgi-bin/user/get"
HISTORY = """
    SELECT openid, action, source, scene, occurred_at FROM follow_events ORDER BY openid, id
"""
STATES = """
    SELECT openid, unionid, following, followed_at, unfollowed_at, scene, how, source
    FROM followers ORDER BY openid
"""
CUT_THE_LOCKS = """
    SELECT pg_terminate_backend(l.pid, 1000)
    FROM pg_locks l JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND d.datname = current_database()
"""
EVERYTHING = "SELECT * FROM {table} t ORDER BY t::text"
WRITTEN = ("follow_events", "followers", "openids", "unionid_changes")


def person(number: int) -> str:
    return f"oPERSON{number:022d}"


def join(
    wechat: WeChat, count: int, *, since: timedelta = timedelta(days=30), scene: str = ""
) -> list[Follower]:
    """Let people follow while nobody listens."""
    everyone = []
    for number in range(count):
        follower = wechat.state.meet(APPID, person(number))
        follower.follow(wechat.state.clock.now() - since, scene)
        everyone.append(follower)
    return everyone


def only(wechat: WeChat, *openids: str) -> None:
    """Let the account have these followers alone."""
    people = wechat.state.followers[APPID]
    for openid in set(people) - set(openids):
        del people[openid]


def let_quota_end_after(wechat: WeChat, calls: int) -> None:
    """Let batchget answer 45009 from then on."""

    async def count(_: httpx.Response) -> None:
        if len(wechat.calls(BATCHGET)) == calls:
            wechat.strike(BATCHGET, errcode=45009)

    wechat.client.event_hooks = {"request": [], "response": [count]}


async def contents(connection: asyncpg.Connection) -> dict[str, list[Json]]:
    return {table: await rows(connection, EVERYTHING.format(table=table)) for table in WRITTEN}


async def history(connection: asyncpg.Connection) -> list[tuple[str, str, str]]:
    return [
        (row["openid"], row["action"], row["source"]) for row in await rows(connection, HISTORY)
    ]


async def test_followers_from_before_the_service_get_a_follow_of_their_time_and_scene(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat)
    (follower,) = join(wechat, 1, scene="store_0042")

    done = await sync_here()

    assert (done.asked, done.found, done.gone) == (1, 1, 0)
    assert await rows(connection, HISTORY) == [
        {
            "openid": person(0),
            "action": "follow",
            "source": "sync",
            "scene": "store_0042",
            "occurred_at": follower.subscribe_time,
        }
    ]
    assert await rows(connection, STATES) == [
        {
            "openid": person(0),
            "unionid": unionid_of(person(0)),
            "following": True,
            "followed_at": follower.subscribe_time,
            "unfollowed_at": None,
            "scene": "store_0042",
            "how": "ADD_SCENE_QR_CODE",
            "source": "sync",
        }
    ]


async def test_every_row_gets_its_unionid_and_nothing_stays_pending(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat)
    join(wechat, 250)

    await sync_here()

    assert await column(connection, "SELECT DISTINCT resolve_state FROM openids") == ["resolved"]
    assert await rows(connection, "SELECT openid, unionid FROM follow_events ORDER BY openid") == [
        {"openid": person(number), "unionid": unionid_of(person(number))} for number in range(250)
    ]
    assert len(wechat.calls(BATCHGET)) == 3


REMARKS = "SELECT openid, remark FROM follower_remarks ORDER BY openid"


async def test_what_operators_call_followers_is_learned_changed_and_forgotten(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat)
    named, renamed, nobody, gone = join(wechat, 4)
    named.remark, renamed.remark, gone.remark = "老王", "n" * 100, "left"
    await sync_here()
    first = await rows(connection, REMARKS)
    renamed.remark, gone.remark, nobody.remark = "\u0000 new ", "", " "
    await sync_here()

    assert [row["remark"] for row in first] == ["老王", "n" * 64, "left"]
    assert [tuple(row.values()) for row in await rows(connection, REMARKS)] == [
        (named.openid, "老王"),
        (renamed.openid, "new"),
    ]


async def test_remarks_that_are_the_same_write_nothing(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat)
    for follower in join(wechat, 3):
        follower.remark = "neighbour"
    await sync_here()
    written = "SELECT xmin::text FROM follower_remarks UNION ALL SELECT xmin::text FROM openids"
    before = await column(connection, written)
    await sync_here()

    assert await column(connection, written) == before


async def test_whoever_is_erased_gets_a_remark_after_following_again_alone(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat)
    erased, back = join(wechat, 2)
    await sync_here()
    await connection.execute("UPDATE openids SET erased_until = now() - interval '1 hour'")
    back.follow(wechat.state.clock.now())
    erased.remark = back.remark = "neighbour"
    await sync_here()

    assert await column(connection, "SELECT openid FROM follower_remarks") == [back.openid]


async def test_people_of_an_unbound_account_wait_for_its_binding(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update={"bound": False})
    await sync_here()
    assert await column(connection, "SELECT DISTINCT resolve_reason FROM openids") == ["not_bound"]

    wechat.state.accounts[APPID] = ACCOUNT
    await sync_here()

    assert await rows(connection, "SELECT openid, unionid FROM followers ORDER BY openid") == [
        {"openid": openid, "unionid": unionid_of(openid)}
        for openid in sorted((OPENID, OTHER_OPENID, THIRD_OPENID))
    ]
    assert None not in await column(connection, "SELECT unionid FROM follow_events")


async def test_a_second_run_changes_nothing(
    sync_here: Here, service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    join(wechat, 30)
    await service.push(event(service.clock, "subscribe", openid=person(1)))
    await sync_here()
    before = await contents(connection)
    service.clock.advance(timedelta(hours=1))

    done = await sync_here()

    assert (done.asked, done.found, done.gone) == (33, 0, 0)
    assert await contents(connection) == before


async def test_an_unfollow_during_an_outage_is_recorded_by_the_sync(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await sync_here()
    wechat.state.followers[APPID][OPENID].unfollow()
    wechat.state.clock.advance(timedelta(hours=1))

    done = await sync_here()

    assert (done.found, done.gone) == (0, 1)
    assert [row for row in await history(connection) if row[0] == OPENID] == [
        (OPENID, "follow", "sync"),
        (OPENID, "unfollow", "sync"),
    ]
    (state,) = await rows(
        connection,
        "SELECT following, unfollowed_at, source, scene FROM followers WHERE openid = $1",
        OPENID,
    )
    now = wechat.state.clock.now()
    assert state == {"following": False, "unfollowed_at": now, "source": "sync", "scene": None}


async def test_an_unfollow_that_was_pushed_is_not_recorded_again(
    sync_here: Here, service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    service.clock.advance(timedelta(hours=1))
    wechat.state.followers[APPID][OPENID].unfollow()
    await service.push(event(service.clock, "unsubscribe"))
    service.clock.advance(timedelta(hours=1))

    done = await sync_here()

    assert done.gone == 0
    assert [row for row in await history(connection) if row[0] == OPENID] == [
        (OPENID, "follow", "event"),
        (OPENID, "unfollow", "event"),
    ]


async def test_a_follow_that_was_pushed_gets_no_second_row_but_its_subscribe_scene(
    sync_here: Here, service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat, OPENID)
    wechat.state.followers[APPID][OPENID].follow(service.clock.now() + timedelta(seconds=1))
    await service.push(event(service.clock, "subscribe"))

    done = await sync_here()

    assert done.found == 0
    assert await history(connection) == [(OPENID, "follow", "event")]
    assert await column(connection, "SELECT how FROM followers") == ["ADD_SCENE_SEARCH"]


async def test_an_unfollow_and_a_follow_during_an_outage_are_both_recorded(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat, OPENID)
    await sync_here()
    wechat.state.clock.advance(timedelta(days=2))
    again = wechat.state.clock.now()
    wechat.state.followers[APPID][OPENID].follow(again, "store_7")
    wechat.state.clock.advance(timedelta(days=2))

    await sync_here()

    assert await history(connection) == [
        (OPENID, "follow", "sync"),
        (OPENID, "unfollow", "sync"),
        (OPENID, "follow", "sync"),
    ]
    assert await rows(
        connection, "SELECT following, followed_at, unfollowed_at, scene FROM followers"
    ) == [{"following": True, "followed_at": again, "unfollowed_at": again, "scene": "store_7"}]


async def test_people_missing_from_the_list_stay_followers(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await sync_here()
    wechat.state.clock.advance(timedelta(hours=1))
    hidden = wechat.state.followers[APPID].pop(OPENID)

    def found_again(_: Progress) -> None:
        wechat.state.followers[APPID].setdefault(OPENID, hidden)

    done = await sync_here(report=found_again)

    assert done.gone == 0
    assert await column(connection, "SELECT DISTINCT following FROM followers") == [True]


async def test_an_openid_that_wechat_does_not_know_any_more_has_unfollowed(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    join(wechat, 7)
    await sync_here()
    wechat.state.clock.advance(timedelta(hours=1))
    del wechat.state.followers[APPID][person(3)]
    wechat.state.followers[APPID][person(5)].unfollow()

    done = await sync_here()

    assert done.gone == 2
    assert await column(
        connection, "SELECT openid FROM followers WHERE NOT following ORDER BY openid"
    ) == [person(3), person(5)]


async def test_a_push_that_arrives_during_the_sync_wins(
    sync_here: Here, service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    """They follow again in the very second in which WeChat said that they do not."""
    await sync_here()
    wechat.state.clock.advance(timedelta(hours=1))
    wechat.state.followers[APPID][OPENID].unfollow()

    await sync_here()
    await service.push(event(service.clock, "subscribe"))

    assert await column(
        connection, "SELECT following FROM followers WHERE openid = $1", OPENID
    ) == [True]


async def test_a_person_who_followed_since_the_start_is_not_asked_about(
    sync_here: Here, service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    just_now = service.clock.seconds + 1
    await service.push(event(service.clock, "subscribe", openid=person(1), CreateTime=just_now))

    done = await sync_here()

    assert (done.asked, done.gone) == (3, 0)
    assert person(1) not in "".join(call["body"] for call in wechat.calls(BATCHGET))
    assert await column(
        connection, "SELECT following FROM followers WHERE openid = $1", person(1)
    ) == [True]


async def test_the_daily_quota_stops_a_sync_and_the_next_run_continues(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat)
    join(wechat, 1000)
    let_quota_end_after(wechat, 4)

    with pytest.raises(ApiError) as stopped:
        await sync_here()

    assert stopped.value.errcode == 45009
    wechat.client.event_hooks = {"request": [], "response": []}
    kept = await column(connection, "SELECT count(*) FROM follow_events")
    assert 0 < kept[0] < 1000
    wechat.state.faults.clear()
    calls = len(wechat.calls(BATCHGET))
    done = await sync_here()
    assert done.asked == 1000
    assert len(wechat.calls(BATCHGET)) - calls == (1000 - kept[0]) / 100
    assert await column(connection, "SELECT count(DISTINCT openid) FROM follow_events") == [1000]
    assert await column(connection, "SELECT count(*) FROM follow_events") == [1000]


async def test_a_busy_wechat_is_asked_again_after_growing_pauses(
    sync_here: Here, wechat: WeChat
) -> None:
    wechat.strike(BATCHGET, errcode=-1, count=1)
    wechat.strike(BATCHGET, drop="after", count=1)
    wechat.strike(BATCHGET, status=502, count=1)

    done = await sync_here(at_once=1)

    assert done.found == 3
    assert len(sync_here.pauses) == 3
    assert sync_here.pauses == sorted(sync_here.pauses)


async def test_a_refusal_that_no_retry_heals_ends_it_at_once(
    sync_here: Here, wechat: WeChat
) -> None:
    wechat.strike(USER_GET, errcode=48001)

    with pytest.raises(ApiError):
        await sync_here()

    assert len(wechat.calls(USER_GET)) == 1
    assert sync_here.pauses == []


async def test_a_second_synchronisation_at_the_same_time_says_so_and_stops(
    sync_here: Here, database: Database, wechat: WeChat
) -> None:
    async with try_hold(database.connect, lock_name(APPID)):
        with pytest.raises(AlreadyRunning):
            await sync_here()

    assert wechat.calls(USER_GET) == []
    await sync_here()


async def test_one_that_lost_its_lock_writes_nothing_more(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    """Another process may have taken the lock, and two at once would write past each other."""
    wechat.strike(BATCHGET, latency_seconds=2.5)
    running = asyncio.create_task(sync_here())

    async def cut() -> bool:
        return bool(await column(connection, CUT_THE_LOCKS))

    await eventually(cut)
    with pytest.raises(LockLost):
        await running

    assert await rows(connection, "SELECT * FROM follower_marks") == []
    assert (await sync_here()).asked == 3


async def test_no_more_calls_are_under_way_than_allowed(sync_here: Here, wechat: WeChat) -> None:
    only(wechat)
    join(wechat, 2000)
    wechat.strike(BATCHGET, latency_seconds=0.001)
    crowd = Crowd()
    wechat.client.event_hooks = {"request": [crowd.enter], "response": [crowd.leave]}

    await sync_here(at_once=3)

    assert crowd.most == 3


class Crowd:
    """Counts the calls of batchget that are under way at once."""

    def __init__(self) -> None:
        self.most = self._now = 0

    async def enter(self, request: httpx.Request) -> None:
        self._now += request.url.path == BATCHGET
        self.most = max(self.most, self._now)

    async def leave(self, response: httpx.Response) -> None:
        self._now -= response.request.url.path == BATCHGET


async def test_the_list_starts_at_the_first_page_when_wechat_rejects_the_cursor(
    sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat)
    people = join(wechat, 12_000)
    let_quota_end_after(wechat, 110)
    with pytest.raises(ApiError):
        await sync_here(at_once=1)
    wechat.client.event_hooks = {"request": [], "response": []}
    wechat.state.faults.clear()
    (cursor,) = await column(connection, "SELECT cursor FROM follower_syncs")
    del wechat.state.followers[APPID][cursor]

    await sync_here()

    assert await column(
        connection, "SELECT count(*) FROM follow_events WHERE action = 'follow'"
    ) == [len(people)]


class Listing(httpx.AsyncBaseTransport):
    """WeChat, but `user/get` answers as it is told, for each page by the cursor that asks."""

    def __init__(self, wechat: WeChat, answer: Callable[[str, int], Json]) -> None:
        self.asked: list[str] = []
        self._wechat = wechat.client
        self._answer = answer
        wechat.client = httpx.AsyncClient(transport=self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != USER_GET:
            return await self._wechat.send(request)
        cursor = request.url.params.get("next_openid", "")
        self.asked.append(cursor)
        assert len(self.asked) < 50, "each is a call of the day's quota"
        return httpx.Response(200, json=self._answer(cursor, len(self.asked)))


def listed(cursor: str, openids: Sequence[str] = (OPENID, OTHER_OPENID), total: int = 2) -> Json:
    data = {"openid": list(openids)}
    return {"total": total, "count": len(openids), "data": data, "next_openid": cursor}


@pytest.mark.parametrize(
    ("answer", "calls"),
    [
        (lambda _, __: listed("same"), 2),
        (lambda cursor, _: listed("b" if cursor == "a" else "a"), 3),
        (lambda cursor, _: listed(cursor or "a"), 2),
        (lambda _, call: listed(f"new-{call}"), 8),
        (lambda cursor, _: {"errcode": 40003, "errmsg": "invalid"} if cursor else listed("a"), 8),
    ],
    ids=["its own cursor", "two in turn", "the cursor that asked", "same people", "refused"],
)
async def test_a_listing_that_repeats_itself_ends_with_an_error(
    sync_here: Here,
    wechat: WeChat,
    connection: asyncpg.Connection,
    answer: Callable[[str, int], Json],
    calls: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It must not use up the quota of the day, and nobody is taken for gone."""
    monkeypatch.setattr(page_tracker, "PAGE_SIZE", 10)
    listing = Listing(wechat, answer)

    with pytest.raises(ListingRepeats, match="does not come to its end"):
        await sync_here()

    assert len(listing.asked) <= calls
    assert await column(connection, "SELECT listed_at FROM follower_syncs") == [None]
    assert await column(
        connection, "SELECT count(*) FROM follow_events WHERE action = 'unfollow'"
    ) == [0]


async def test_after_a_listing_that_repeated_itself_the_next_run_goes_on(
    sync_here: Here, wechat: WeChat
) -> None:
    everyday = wechat.client
    Listing(wechat, lambda _, __: listed(OPENID))
    with pytest.raises(ListingRepeats):
        await sync_here()
    wechat.client = everyday

    await sync_here()

    assert (await sync_here()).asked == 3


async def test_nothing_of_a_finished_run_is_left_but_its_figures(
    sync_here: Here, connection: asyncpg.Connection
) -> None:
    await sync_here()

    assert await column(connection, "SELECT count(*) FROM follower_marks") == [0]
    (run,) = await rows(connection, "SELECT * FROM follower_syncs")
    assert isinstance(run["finished_at"], datetime)
    assert (run["cursor"], run["total"], run["asked"], run["found"], run["gone"]) == (
        None,
        3,
        3,
        3,
        0,
    )


async def test_pushes_and_a_synchronisation_at_once_leave_one_follow_each(
    sync_here: Here, service: Service, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    only(wechat)
    join(wechat, 400, since=timedelta(0))
    # One loop serves both here: with all pushes in hand it would have no time for the database.
    few = asyncio.Semaphore(20)

    async def follow(number: int) -> None:
        document = event(service.clock, "subscribe", openid=person(number))

        async def is_acknowledged() -> bool:
            return (await service.push(document)).status_code == httpx.codes.OK

        async with few:
            await eventually(is_acknowledged, "a busy service to take a push")

    await asyncio.gather(sync_here(), *(follow(number) for number in range(400)))

    async def are_stored() -> bool:
        # What a busy database did not take in time is on the spool first.
        pushed = "SELECT count(*) FROM follow_events WHERE source = 'event'"
        return await column(connection, pushed) == [400]

    await eventually(are_stored, "all pushes to be stored")
    assert await column(connection, "SELECT count(*) FROM followers WHERE following") == [400]
    assert (
        len(
            await column(
                connection,
                "SELECT openid FROM follow_events GROUP BY openid HAVING count(*) FILTER "
                "(WHERE source = 'sync') <= 1 AND count(*) FILTER (WHERE source = 'event') = 1",
            )
        )
        == 400
    )
