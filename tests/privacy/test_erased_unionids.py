"""A UnionID that is erased does not come back through an OpenID that nobody knew to be theirs."""

from datetime import timedelta

import asyncpg
import pytest

from app.worker import Jobs
from simulator.followers import unionid_of
from tests.follower_sync.conftest import Here, sync_here
from tests.privacy.makers import OTHER_APPID, THIRD_APPID, found, leave, privacy, work
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    Json,
    Service,
    WeChat,
    column,
    event,
    message,
    rows,
)

__all__ = ["sync_here"]

MINUTE = timedelta(minutes=1)
# As WeChat tells it of OPENID.
UNIONID = unionid_of(OPENID)
MINI, ELSEWHERE = "oOF-THE-MINI-PROGRAM", "oOF-ANOTHER-MINI-PROGRAM"


async def report(service: Service, openid: str, appid: str = OTHER_APPID, **more: str) -> Json:
    told = {"appid": appid, "openid": openid, "unionid": UNIONID} | more
    answer = await service.api("PUT", "identities", json={"identities": [told]})
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


async def erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, how: str = "request"
) -> None:
    """Let somebody be erased who was known to a mini-program alone, a minute ago."""
    await report(service, MINI)
    service.clock.advance(MINUTE)
    if how == "request":
        await service.api("DELETE", f"users/{UNIONID}")
    else:
        await service.push(
            privacy(service, "user_authorization_cancellation", "oANY", UnionID=UNIONID)
        )
    await work(jobs, connection)
    assert await found(connection, UNIONID) == {}
    service.clock.advance(MINUTE)


@pytest.mark.parametrize("how", ["request", "wechat"])
async def test_a_report_of_another_openid_does_not_bring_it_back(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, how: str
) -> None:
    await erased(service, jobs, connection, how)

    told = await report(service, ELSEWHERE)

    assert told == {"received": 1, "changed": 0, "conflicts": 0, "erased": 1}
    for word in (UNIONID, ELSEWHERE):
        assert await found(connection, word) == {}
    assert (await service.api("GET", f"users/{UNIONID}")).status_code == 404


async def test_a_report_of_an_openid_that_was_known_before_leaves_it_without_unionid(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    await erased(service, jobs, connection)

    told = await report(service, OPENID, APPID)

    assert told["erased"] == 1
    assert await found(connection, UNIONID) == {}
    assert (await found(connection, OPENID)).keys() >= {"openids", "followers"}


@pytest.mark.parametrize(("minutes", "known"), [(-2, False), (0, True)])
async def test_a_login_since_makes_it_known_again(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, minutes: int, known: bool
) -> None:
    await erased(service, jobs, connection)
    login = (service.clock.now() + minutes * MINUTE).isoformat()

    told = await report(service, ELSEWHERE, logged_in_at=login)

    assert told["erased"] == (not known)
    assert bool(await found(connection, UNIONID)) == known


async def test_once_it_is_known_again_other_openids_may_be_reported(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await erased(service, jobs, connection)
    await report(service, ELSEWHERE, logged_in_at=service.clock.now().isoformat())

    told = await report(service, "oOF-A-THIRD", THIRD_APPID)

    assert told["erased"] == 0
    person = await service.read(f"users/{UNIONID}")
    assert {one["openid"] for one in person["openids"]} == {ELSEWHERE, "oOF-A-THIRD"}


async def test_an_openid_that_wechat_links_to_an_erased_unionid_is_erased(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    await service.push(message(service.clock, "from before"))
    await erased(service, jobs, connection)
    assert "callbacks" in await found(connection, "from before")

    await jobs.resolve({"appid": APPID})
    told = (await service.read("users", appid=APPID, openid=OPENID))["openids"][0]
    keyed = await found(connection, UNIONID)
    for _ in range(2):
        await jobs.sweep()
        await work(jobs, connection)

    assert (told["unionid"], told["reason"], told["next_try_at"]) == (None, "erased", None)
    assert keyed == {}
    for word in (OPENID, UNIONID, "from before"):
        assert await found(connection, word) == {}
    assert await column(connection, "SELECT trigger FROM erasures ORDER BY requested_at") == [
        "request",
        "late",
    ]


async def test_an_openid_that_was_active_since_gets_the_unionid(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    await erased(service, jobs, connection)
    await service.push(message(service.clock, "since then"))

    await jobs.resolve({"appid": APPID})
    await jobs.sweep()
    await work(jobs, connection)

    assert (await service.read("users", appid=APPID, openid=OPENID))["unionid"] == UNIONID
    assert (await found(connection, "since then")).keys() == {"callbacks"}


async def test_a_person_who_acts_before_the_openid_is_erased_is_asked_about_again(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    await erased(service, jobs, connection)
    await jobs.resolve({"appid": APPID})
    await service.push(message(service.clock, "since then"))
    await jobs.sweep()
    await work(jobs, connection)

    await jobs.resolve({"appid": APPID})

    assert (await service.read("users", appid=APPID, openid=OPENID))["unionid"] == UNIONID
    assert (await found(connection, "since then")).keys() == {"callbacks"}


async def test_a_person_who_returns_in_time_gets_the_unionid_from_wechat(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    await jobs.resolve({"appid": APPID})
    service.clock.advance(MINUTE)
    await service.api("DELETE", f"users/{UNIONID}")
    service.clock.advance(timedelta(seconds=5))
    await service.push(event(service.clock, "SCAN", EventKey="since"))
    await work(jobs, connection)
    gone = await found(connection, UNIONID)

    await jobs.resolve({"appid": APPID})

    assert gone == {}
    assert await column(
        connection, "SELECT unionid FROM follow_events WHERE openid = $1", OPENID
    ) == [UNIONID]


@pytest.mark.parametrize("met", [False, True])
async def test_a_sync_adds_no_openid_of_an_erased_unionid_that_followed_before(
    service: Service,
    jobs: Jobs,
    sync_here: Here,
    wechat: WeChat,
    connection: asyncpg.Connection,
    met: bool,
) -> None:
    wechat.state.followers[APPID][OPENID].follow(service.clock.now())
    if met:
        await service.push(event(service.clock, "subscribe"))
    await erased(service, jobs, connection)

    await sync_here()
    await jobs.sweep()
    await work(jobs, connection)

    for word in (OPENID, UNIONID):
        assert await found(connection, word) == {}
    assert OTHER_OPENID in await column(connection, "SELECT openid FROM openids")


async def test_a_sync_adds_an_openid_that_followed_after_the_erasure(
    service: Service, jobs: Jobs, sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    await erased(service, jobs, connection)
    wechat.state.followers[APPID][OPENID].follow(service.clock.now())

    await sync_here()

    known = "SELECT unionid FROM followers WHERE openid = $1"
    assert await rows(connection, known, OPENID) == [{"unionid": UNIONID}]


async def test_a_late_push_that_names_it_beside_an_unknown_openid_is_cleared(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    late = event(service.clock, "guide_any_event", openid="oPLATFORM", UnionID=UNIONID, OpenID="oX")
    other = event(service.clock, "guide_any_event", openid="oPLATFORM", UnionID="oSOMEBODY-ELSES")
    await erased(service, jobs, connection)

    await service.push(late)
    await service.push(other)
    await work(jobs, connection)

    assert await found(connection, UNIONID) == {}
    assert await found(connection, "oSOMEBODY-ELSES") == {"callbacks": 1}


async def test_a_late_push_that_names_it_alone_is_cleared_where_nobody_was_known_by_it(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    late = event(service.clock, "user_get_card", openid=OPENID, UnionID=UNIONID, CardId="c")
    service.clock.advance(MINUTE)
    await service.push(privacy(service, "user_authorization_cancellation", "", UnionID=UNIONID))
    await work(jobs, connection)
    service.clock.advance(MINUTE)

    await service.push(late)
    await work(jobs, connection)

    assert await column(connection, "SELECT count(*) FROM erased_unionids") == [1]
    assert await found(connection, UNIONID) == {}


async def test_of_two_erasures_the_later_one_says_what_a_synchronisation_may_learn(
    strict: Service,
    strict_jobs: Jobs,
    sync_here: Here,
    wechat: WeChat,
    connection: asyncpg.Connection,
) -> None:
    """WeChat's answer is from before they left, and comes after."""
    await erased(strict, strict_jobs, connection)
    wechat.state.followers[APPID][OPENID].follow(strict.clock.now())
    await strict.push(event(strict.clock, "subscribe"))
    await strict_jobs.resolve({"appid": APPID})
    strict.clock.advance(MINUTE)
    await strict.push(leave(strict))
    await work(strict_jobs, connection)
    strict.clock.advance(MINUTE)

    await sync_here()

    assert await found(connection, OPENID) == {}


async def test_an_openid_that_was_somebody_elses_before_goes_with_it(
    service: Service, jobs: Jobs, sync_here: Here, wechat: WeChat, connection: asyncpg.Connection
) -> None:
    wechat.state.followers[APPID][OPENID].follow(service.clock.now())
    await service.push(event(service.clock, "subscribe"))
    told = {"appid": APPID, "openid": OPENID, "unionid": "oOLD-UNIONID"}
    await service.api("PUT", "identities", json={"identities": [told]})
    await erased(service, jobs, connection)

    await sync_here()
    await jobs.sweep()
    await work(jobs, connection)

    for word in (OPENID, "oOLD-UNIONID"):
        assert await found(connection, word) == {}


async def test_a_login_before_the_sweep_keeps_nothing_from_before(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    await service.push(message(service.clock, "from before"))
    await erased(service, jobs, connection)
    await jobs.resolve({"appid": APPID})
    await report(service, OPENID, APPID, logged_in_at=service.clock.now().isoformat())

    for _ in range(2):
        await jobs.sweep()
        await work(jobs, connection)

    assert await found(connection, "from before") == {}
