"""Unknown OpenIDs are asked about in few calls, and every row of theirs is keyed."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import asyncpg
import orjson
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.engine import Database, connect
from app.identity.models import UnionIdSource
from app.identity.store import pause
from app.identity.unionid_store import MAX_WOKEN, UnionIdResult
from app.unionid_resolution.jobs import RESOLVE, TURNS, next_resolve_job, resolve_job
from app.unionid_resolution.record import record_unionids as record_answers
from app.unionid_resolution.resolve import MAX_CALLS_A_RUN
from app.wechat_client.batchget import BATCHGET_LIMIT
from app.wechat_client.pauses import next_midnight
from app.worker import Jobs
from simulator.followers import Follower, unionid_of
from tests.callback.makers import record, running_inbox
from tests.lock_waits import backend_waits
from tests.service import (
    ACCOUNT,
    APPID,
    BATCHGET,
    OPENID,
    OTHER_OPENID,
    STABLE_TOKEN,
    THIRD_OPENID,
    Service,
    WeChat,
    WorldClock,
    column,
    event,
    jobs_of,
    message,
    rows,
)
from tests.waiting import eventually

STATES = "SELECT openid, unionid, resolve_state, resolve_reason FROM openids ORDER BY openid"


def person(number: int) -> str:
    return f"oPERSON{number:022d}"


def meet(wechat: WeChat, openid: str, *, following: bool = True) -> Follower:
    follower = wechat.state.meet(APPID, openid)
    if following:
        follower.follow(wechat.state.clock.now())
    return follower


async def learn(session: AsyncSession, unionid: str) -> None:
    answers = [UnionIdResult(APPID, OPENID, unionid)]
    await record_answers(session, answers, source=UnionIdSource.USER_INFO, now=datetime.now(UTC))


async def resolve(jobs: Jobs) -> None:
    await jobs.resolve({"appid": APPID})


@pytest.mark.parametrize("bound", [True, False])
async def test_what_operators_call_a_follower_comes_with_the_unionid(
    service: Service, jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection, bound: bool
) -> None:
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update={"bound": bound})
    meet(wechat, OPENID).remark = "老王"
    meet(wechat, OTHER_OPENID)
    for openid in (OPENID, OTHER_OPENID):
        await service.push(event(service.clock, "subscribe", openid=openid))
    await resolve(jobs)
    [person] = (await service.read("users", appid=APPID, openid=OPENID))["openids"]

    assert await rows(connection, "SELECT openid, remark FROM follower_remarks") == [
        {"openid": OPENID, "remark": "老王"}
    ]
    assert person["remark"] == "老王"


async def test_a_burst_of_new_followers_is_resolved_with_few_calls(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    people = [person(number) for number in range(250)]
    for openid in people:
        meet(wechat, openid)
    await asyncio.gather(
        *(service.push(event(service.clock, "subscribe", openid=openid)) for openid in people)
    )

    await resolve(jobs)

    assert len(wechat.calls(BATCHGET)) == 3
    assert await rows(connection, "SELECT openid, unionid FROM follow_events ORDER BY openid") == [
        {"openid": openid, "unionid": unionid_of(openid)} for openid in people
    ]
    assert await column(connection, "SELECT DISTINCT resolve_state FROM openids") == ["resolved"]


async def test_a_burst_enqueues_a_few_jobs_and_not_one_per_person(
    service: Service, connection: asyncpg.Connection
) -> None:
    for number in range(40):
        await service.push(event(service.clock, "subscribe", openid=person(number)))

    (rings,) = await column(
        connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", RESOLVE
    )
    assert 1 <= rings <= TURNS


async def test_a_run_stops_after_some_calls_and_leaves_the_rest_to_the_next(
    jobs: Jobs, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    people = [person(number) for number in range(MAX_CALLS_A_RUN * BATCHGET_LIMIT + 1)]
    for openid in people:
        meet(wechat, openid)
    await connection.execute(
        "INSERT INTO openids (appid, openid, first_seen_at, last_seen_at, resolve_next_at) "
        "SELECT $1, openid, $2, $2, $2 FROM unnest($3::text[]) AS openid",
        APPID,
        jobs.clock.now(),
        people,
    )
    await resolve(jobs)
    assert len(wechat.calls(BATCHGET)) == MAX_CALLS_A_RUN

    (going_on,) = await column(connection, "DELETE FROM pgqueuer RETURNING payload")
    await jobs.resolve(orjson.loads(going_on))

    assert len(wechat.calls(BATCHGET)) == MAX_CALLS_A_RUN + 1
    assert await column(connection, "SELECT payload FROM pgqueuer") == []
    assert await column(connection, "SELECT DISTINCT resolve_state FROM openids") == ["resolved"]


def test_an_account_has_few_jobs_however_long_they_go_on() -> None:
    job, keys = resolve_job(APPID), []
    for _ in range(20):
        keys.append(job.key)
        job = next_resolve_job(APPID, int(job.payload["turn"]))

    assert len(set(keys)) == TURNS
    assert all(key != following for key, following in pairwise(keys))


async def test_two_workers_at_once_ask_about_nobody_twice(
    service: Service, wechat: WeChat, jobs: Jobs, database: Database
) -> None:
    for number in range(250):
        meet(wechat, person(number))
    await asyncio.gather(
        *(
            service.push(event(service.clock, "subscribe", openid=person(number)))
            for number in range(250)
        )
    )

    await asyncio.gather(resolve(jobs), resolve(jobs_of(jobs.settings, database, wechat)))

    assert len(wechat.calls(BATCHGET)) <= 4
    assert len(wechat.calls(STABLE_TOKEN)) == 1
    asked = "".join(call["body"] for call in wechat.calls(BATCHGET))
    assert all(asked.count(person(number)) == 1 for number in range(250))


async def test_two_follows_of_an_unknown_person_ask_wechat_once(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    for name in ("subscribe", "unsubscribe", "subscribe"):
        await service.push(event(service.clock, name))
        service.clock.advance(timedelta(seconds=1))

    await resolve(jobs)
    await resolve(jobs)

    assert len(wechat.calls(BATCHGET)) == 1
    assert await column(connection, "SELECT unionid FROM follow_events") == [unionid_of(OPENID)] * 3


async def test_the_unionid_is_set_in_all_rows_of_the_person_alone(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    wechat.state.followers[APPID][OTHER_OPENID].person = None
    popup = {"List": {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"}}
    for openid in (OPENID, OTHER_OPENID):
        await service.push(event(service.clock, "subscribe", openid=openid))
        await service.push(
            event(
                service.clock,
                "subscribe_msg_popup_event",
                openid=openid,
                SubscribeMsgPopupEvent=popup,
            )
        )

    await resolve(jobs)

    keyed = [
        {"openid": OPENID, "unionid": unionid_of(OPENID)},
        {"openid": OTHER_OPENID, "unionid": None},
    ]
    for query in (
        "SELECT openid, unionid FROM openids ORDER BY openid",
        "SELECT openid, unionid FROM follow_events ORDER BY openid",
        "SELECT openid, unionid FROM subscription_events ORDER BY openid",
    ):
        assert await rows(connection, query) == keyed


HOW = "SELECT openid, how FROM followers ORDER BY openid"


async def test_subscribe_scene_is_stored_with_or_without_a_unionid(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    for openid in (OPENID, OTHER_OPENID, THIRD_OPENID):
        meet(wechat, openid)
    wechat.state.followers[APPID][OTHER_OPENID].person = None
    for openid in (OPENID, OTHER_OPENID):
        await service.push(event(service.clock, "subscribe", openid=openid))
    by_code = event(service.clock, "subscribe", openid=THIRD_OPENID, EventKey="qrscene_shop")
    await service.push(by_code)

    await resolve(jobs)

    assert {row["openid"]: row["how"] for row in await rows(connection, HOW)} == {
        OPENID: "ADD_SCENE_SEARCH",
        OTHER_OPENID: "ADD_SCENE_SEARCH",
        THIRD_OPENID: "ADD_SCENE_QR_CODE",
    }


async def test_subscribe_scene_of_erased_contents_is_not_stored_again(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    meet(wechat, OPENID)
    await service.push(event(service.clock, "subscribe"))
    await connection.execute("UPDATE openids SET erased_until = $1", service.clock.now())

    await resolve(jobs)

    assert await column(connection, "SELECT how FROM followers") == [None]


async def test_an_account_that_is_bound_to_nothing_is_a_normal_state_and_asked_again_tomorrow(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    wechat.state.accounts[APPID] = ACCOUNT.model_copy(update={"bound": False})
    await service.push(event(service.clock, "subscribe"))
    await resolve(jobs)
    unbound = await rows(connection, STATES)
    await resolve(jobs)
    calls = len(wechat.calls(BATCHGET))
    wechat.state.accounts[APPID] = ACCOUNT
    service.clock.advance(timedelta(days=1))

    await resolve(jobs)

    assert unbound == [
        {
            "openid": OPENID,
            "unionid": None,
            "resolve_state": "pending",
            "resolve_reason": "not_bound",
        }
    ]
    assert calls == 1
    assert await rows(connection, STATES) == [
        {
            "openid": OPENID,
            "unionid": unionid_of(OPENID),
            "resolve_state": "resolved",
            "resolve_reason": None,
        }
    ]


async def test_a_first_unionid_wakes_no_more_people_than_it_may(
    service: Service, database: Database, connection: asyncpg.Connection
) -> None:
    """Whatever the planner does: read twice, a subquery passes over the rows that it locked."""
    now = service.clock.now()
    await connection.execute(
        "INSERT INTO openids (appid, openid, first_seen_at, last_seen_at, resolve_reason, "
        "resolve_next_at) SELECT $1, 'oUNBOUND' || n, $2, $2, 'not_bound', $2::timestamptz "
        "+ interval '1 hour' FROM generate_series(1, 5000) n",
        APPID,
        now,
    )
    await connection.execute(
        "INSERT INTO openids (appid, openid, first_seen_at, last_seen_at) VALUES ($1, $2, $3, $3)",
        APPID,
        OPENID,
        now,
    )
    await connection.execute("ANALYZE openids")

    async with database.sessions.begin() as session:
        for way in ("hashjoin", "mergejoin", "material", "memoize", "hashagg", "sort"):
            await session.execute(text(f"SET LOCAL enable_{way} = off"))
        answers = [UnionIdResult(APPID, OPENID, "oUNION")]
        await record_answers(session, answers, source=UnionIdSource.USER_INFO, now=now)

    assert await column(
        connection, "SELECT count(*) FROM openids WHERE resolve_next_at <= $1", now
    ) == [MAX_WOKEN]


async def test_a_person_who_does_not_follow_is_not_asked_about_until_the_follow(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    follower = meet(wechat, person(1), following=False)
    await service.push(event(service.clock, "unsubscribe", openid=follower.openid))
    await resolve(jobs)
    gone = await column(connection, "SELECT resolve_reason FROM openids")
    service.clock.advance(timedelta(days=30))
    await jobs.sweep()
    await resolve(jobs)
    calls = len(wechat.calls(BATCHGET))
    follower.follow(service.clock.now())

    await service.push(event(service.clock, "subscribe", openid=follower.openid))
    await resolve(jobs)

    assert (gone, calls) == (["not_following"], 1)
    assert await column(connection, "SELECT unionid FROM openids") == [unionid_of(follower.openid)]


async def test_one_bad_openid_does_not_cost_the_others_their_answer(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    good = [person(number) for number in range(20)]
    for openid in good:
        meet(wechat, openid)
    for openid in (*good, "oNOBODY1", "oNOBODY2"):
        await service.push(event(service.clock, "subscribe", openid=openid))

    await resolve(jobs)

    states = {row["openid"]: row for row in await rows(connection, STATES)}
    assert {openid: states[openid]["unionid"] for openid in good} == {
        openid: unionid_of(openid) for openid in good
    }
    for openid in ("oNOBODY1", "oNOBODY2"):
        assert (states[openid]["resolve_state"], states[openid]["resolve_reason"]) == (
            "unavailable",
            "bad_openid",
        )


async def test_a_bad_openid_is_asked_about_again_when_they_follow(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    """WeChat may have known nothing of them for a moment."""
    await service.push(event(service.clock, "subscribe", openid="oSOMEBODY"))
    await resolve(jobs)
    bad = await column(connection, "SELECT resolve_reason FROM openids")
    meet(wechat, "oSOMEBODY")
    service.clock.advance(timedelta(days=1))

    await service.push(event(service.clock, "subscribe", openid="oSOMEBODY"))
    (again,) = await rows(connection, STATES)
    await resolve(jobs)

    assert bad == ["bad_openid"]
    assert (again["resolve_state"], again["resolve_reason"]) == ("pending", None)
    assert await column(connection, "SELECT unionid FROM openids") == [unionid_of("oSOMEBODY")]


@pytest.mark.parametrize(
    ("path", "effect", "pause"),
    [
        (BATCHGET, {"errcode": -1}, 30),
        (BATCHGET, {"status": 502}, 30),
        (BATCHGET, {"drop": "before"}, 30),
        (BATCHGET, {"errcode": 48001}, 600),
        (BATCHGET, {"errcode": 45009}, 600),
        (STABLE_TOKEN, {"errcode": 40125}, 600),
    ],
    ids=str,
)
async def test_a_wechat_that_does_not_answer_costs_time_and_nothing_else(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    path: str,
    effect: dict[str, object],
    pause: int,
) -> None:
    await service.push(event(service.clock, "subscribe"))
    wechat.strike(path, count=1, **effect)

    await resolve(jobs)
    service.clock.advance(timedelta(seconds=pause - 1))
    await resolve(jobs)
    early = await column(connection, "SELECT unionid FROM openids")
    service.clock.advance(timedelta(seconds=61))
    if effect.get("errcode") == 45009:
        service.clock.advance(next_midnight(service.clock.now()) - service.clock.now())
    await jobs.sweep()
    await resolve(jobs)

    assert early == [None]
    assert await column(connection, "SELECT unionid FROM follow_events") == [unionid_of(OPENID)]


async def test_a_used_up_quota_rests_the_whole_account_and_no_other_call_is_made_for_it(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    for number in range(250):
        meet(wechat, person(number))
        await service.push(event(service.clock, "subscribe", openid=person(number)))
    wechat.strike(BATCHGET, errcode=45009)
    await resolve(jobs)
    refused = len(wechat.calls(BATCHGET))
    await connection.execute("DELETE FROM pgqueuer")

    service.clock.advance(timedelta(minutes=9))
    await service.push(event(service.clock, "subscribe", openid=person(0)))
    await jobs.sweep()
    rings = await column(connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", RESOLVE)
    await resolve(jobs)
    meanwhile = len(wechat.calls(BATCHGET))
    wechat.state.faults.clear()
    service.clock.advance(next_midnight(service.clock.now()) - service.clock.now())
    service.clock.advance(timedelta(minutes=2))
    await jobs.sweep()
    await resolve(jobs)

    assert (refused, rings, meanwhile) == (1, [0], 1)
    assert len(wechat.calls(BATCHGET)) == 1 + 3
    assert await column(connection, "SELECT DISTINCT resolve_state FROM openids") == ["resolved"]


async def test_an_account_that_rests_holds_up_no_other(
    service: Service, wechat: WeChat, jobs: Jobs, database: Database
) -> None:
    now = service.clock.now()
    async with database.sessions.begin() as session:
        await pause(session, "wx00000000000000bb", now, now + timedelta(hours=1), by_token=False)
    await service.push(event(service.clock, "subscribe"))

    await resolve(jobs)

    assert len(wechat.calls(BATCHGET)) == 1


async def test_a_worker_that_died_while_asking_leaves_its_share_to_the_next_sweep(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    wechat.strike(BATCHGET, latency_seconds=60, count=1)
    dying = asyncio.create_task(resolve(jobs))
    await eventually(wechat.has_struck)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    await resolve(jobs)
    leased = await column(connection, "SELECT unionid FROM openids")
    service.clock.advance(timedelta(seconds=61))
    await connection.execute("DELETE FROM pgqueuer")

    await jobs.sweep()
    rings = await column(connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", RESOLVE)
    await resolve(jobs)

    assert (leased, rings) == ([None], [1])
    assert await column(connection, "SELECT unionid FROM openids") == [unionid_of(OPENID)]


async def test_the_sweep_enqueues_nothing_when_nothing_is_due(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    await resolve(jobs)
    await connection.execute("DELETE FROM pgqueuer")

    await jobs.sweep()

    assert await column(connection, "SELECT count(*) FROM pgqueuer") == [0]


async def test_a_follow_stored_during_resolution_gets_the_unionid(
    database_url: str, database: Database, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    """The inbox waits for the row that is being resolved, and then sees the UnionID."""
    async with running_inbox(database_url) as inbox:
        await inbox.keep(record(clock))
        clock.advance(timedelta(seconds=1))
        async with database.sessions.begin() as session:
            await learn(session, "oUNION")
            keeping = asyncio.create_task(inbox.keep(record(clock, event(clock, "subscribe"))))
            await eventually(backend_waits(connection))
        await keeping

    assert await column(connection, "SELECT unionid FROM follow_events") == ["oUNION"]


async def test_resolution_sets_the_unionid_of_a_follow_that_is_being_stored(
    database_url: str, database: Database, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    """The other way round: the follow is in, uncommitted, and the resolution waits for it."""
    async with running_inbox(database_url) as inbox:
        await inbox.keep(record(clock))
    storing = await connect(database_url)
    transaction = storing.transaction()
    await transaction.start()
    await storing.execute("UPDATE openids SET last_seen_at = last_seen_at")
    await storing.execute(
        "INSERT INTO follow_events (id, callback_id, appid, openid, action, occurred_at) "
        "VALUES (gen_random_uuid(), gen_random_uuid(), $1, $2, 'follow', now())",
        APPID,
        OPENID,
    )

    async def resolved() -> None:
        async with database.sessions.begin() as session:
            await learn(session, "oUNION")

    resolving = asyncio.create_task(resolved())
    await eventually(backend_waits(connection))
    await transaction.commit()
    await resolving
    await storing.close()

    assert await column(connection, "SELECT unionid FROM follow_events") == ["oUNION"]


async def test_a_failure_in_the_middle_sets_no_unionid(
    service: Service, database: Database, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))

    async with database.sessions() as session:
        await learn(session, "oUNION")
        await session.rollback()

    assert await column(connection, "SELECT unionid FROM openids") == [None]
    assert await column(connection, "SELECT unionid FROM follow_events") == [None]


async def test_an_answer_is_matched_by_openid_and_not_by_place(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    for openid in (OPENID, OTHER_OPENID, THIRD_OPENID):
        await service.push(message(service.clock, openid=openid))

    await resolve(jobs)

    assert await rows(connection, "SELECT openid, unionid FROM openids ORDER BY openid") == [
        {"openid": openid, "unionid": unionid_of(openid)}
        for openid in (OPENID, OTHER_OPENID, THIRD_OPENID)
    ]
