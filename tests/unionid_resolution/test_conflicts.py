"""A UnionID that is stored is replaced only after WeChat confirms it for this one person."""

from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest

from app.settings import Settings
from app.worker import Jobs
from simulator.followers import Follower, unionid_of
from tests.follower_sync.conftest import Here, sync_here
from tests.service import (
    ACCOUNT,
    APPID,
    OPENID,
    USER_INFO,
    Json,
    Service,
    WeChat,
    WorldClock,
    column,
    counted,
    event,
    message,
    rows,
    running,
    wechat_names,
)
from tests.unionid_resolution.conftest import MINI_PROGRAM

__all__ = ["sync_here"]

STORED = """
SELECT openid, unionid, unionid_source, resolve_state, resolve_reason FROM openids
WHERE openid NOT IN ('oDEMO1aBcDeFgHiJkLmNoPqRsTuV', 'oDEMO2aBcDeFgHiJkLmNoPqRsTuV')
"""
CHANGES = "SELECT openid, old_unionid, new_unionid, source FROM unionid_changes ORDER BY id"
CONFLICTS = "unionid_conflicts_total"
STRANGERS = "oUNIONID-OF-A-STRANGER"


@pytest.fixture
async def asking(settings: Settings, clock: WorldClock) -> AsyncIterator[Service]:
    """The service with the AppSecret of the Official Account."""
    async with running(settings, clock) as service:
        yield service


def row(unionid: str, **changes: str | None) -> Json:
    return {
        "openid": OPENID,
        "unionid": unionid,
        "unionid_source": "user_info",
        "resolve_state": "resolved",
        "resolve_reason": None,
    } | changes


def identity(appid: str = APPID) -> Json:
    return {"appid": appid, "openid": OPENID, "unionid": STRANGERS}


def follows(wechat: WeChat) -> Follower:
    follower = wechat.state.meet(APPID, OPENID)
    follower.follow(wechat.state.clock.now())
    return follower


async def test_nobody_but_wechat_names_a_unionid_of_an_account_whose_appsecret_is_held(
    asking: Service, connection: asyncpg.Connection
) -> None:
    answer = await asking.api(
        "PUT", "identities", json={"identities": [identity(MINI_PROGRAM), identity()]}
    )

    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert problem["loc"] == ["body", "identities", 1, "appid"]
    assert "AppSecret is configured" in problem["msg"]
    assert await column(connection, "SELECT count(*) FROM openids") == [0]


async def test_a_report_never_replaces_what_wechat_named(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    follows(wechat)
    await service.push(event(service.clock, "subscribe"))
    await jobs.resolve({"appid": APPID})
    before = counted(CONFLICTS, source="report")

    answer = await service.api("PUT", "identities", json={"identities": [identity()]})
    noted = await rows(connection, STORED)
    (known,) = (await service.read("users", appid=APPID, openid=OPENID))["openids"]
    await jobs.sweep()
    queued = await column(
        connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'identity.resolve'"
    )
    await jobs.resolve({"appid": APPID})

    assert answer.json() == {"received": 1, "changed": 0, "conflicts": 1, "erased": 0}
    assert noted == [row(unionid_of(OPENID), resolve_reason="unionid_conflict")]
    assert (known["state"], known["reason"]) == ("resolved", "unionid_conflict")
    assert counted(CONFLICTS, source="report") == before + 1
    assert await column(connection, "SELECT DISTINCT unionid FROM follow_events") == [
        unionid_of(OPENID)
    ]
    assert queued != [0]
    assert len(wechat.calls(USER_INFO)) == 1
    assert await rows(connection, STORED) == [row(unionid_of(OPENID))]
    assert await rows(connection, CHANGES) == []


async def test_a_report_of_a_mini_program_may_be_replaced_by_a_later_one(
    asking: Service, connection: asyncpg.Connection
) -> None:
    for unionid in ("oOLD", "oNEW"):
        told = identity(MINI_PROGRAM) | {"unionid": unionid}
        answer = await asking.api("PUT", "identities", json={"identities": [told]})

    assert answer.json() == {"received": 1, "changed": 1, "conflicts": 0, "erased": 0}
    assert await rows(connection, STORED) == [row("oNEW", unionid_source="report")]


@pytest.mark.parametrize("person", ["oSOMEBODY", OPENID], ids=["rebound", "shifted"])
async def test_another_unionid_in_a_batch_counts_only_if_one_call_about_them_names_it_too(
    asking: Service,
    wechat: WeChat,
    jobs: Jobs,
    sync_here: Here,
    connection: asyncpg.Connection,
    person: str,
) -> None:
    """A batch answer may be shifted by one row: the sync saw a stranger's UnionID in the row."""
    follower = follows(wechat)
    await asking.push(event(asking.clock, "subscribe"))
    await wechat_names(asking, OPENID, "oSTORED")
    before = counted(CONFLICTS, source="user_info")
    follower.person = "oSOMEBODY-ELSE"

    await sync_here()
    noted = await rows(connection, STORED)
    keyed = await column(connection, "SELECT unionid FROM followers WHERE openid = $1", OPENID)
    follower.person = None if person == OPENID else person
    await jobs.resolve({"appid": APPID})

    assert (noted, keyed) == ([row("oSTORED", resolve_reason="unionid_conflict")], ["oSTORED"])
    assert counted(CONFLICTS, source="user_info") == before + 1
    settled = "oSTORED" if person == OPENID else unionid_of(person)
    assert await rows(connection, STORED) == [row(settled)]
    assert await column(connection, "SELECT unionid FROM followers WHERE openid = $1", OPENID) == [
        settled
    ]
    assert len(await rows(connection, CHANGES)) == (person != OPENID)


@pytest.mark.parametrize("source", ["report", None], ids=str)
async def test_a_batch_replaces_no_unionid_whoever_named_it(
    asking: Service,
    wechat: WeChat,
    sync_here: Here,
    connection: asyncpg.Connection,
    source: str | None,
) -> None:
    follows(wechat)
    await asking.push(event(asking.clock, "subscribe"))
    await wechat_names(asking, OPENID, "oSTORED")
    await connection.execute("UPDATE openids SET unionid_source = $1", source)

    await sync_here()

    assert await rows(connection, STORED) == [
        row("oSTORED", unionid_source=source, resolve_reason="unionid_conflict")
    ]


async def test_a_call_that_fails_leaves_the_conflict_for_later(
    asking: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, sync_here: Here
) -> None:
    follows(wechat)
    await asking.push(event(asking.clock, "subscribe"))
    await wechat_names(asking, OPENID, "oSTORED")
    await sync_here()
    wechat.strike(USER_INFO, count=1, errcode=-1)

    await jobs.resolve({"appid": APPID})
    failed = await rows(connection, STORED)
    asking.clock.advance(timedelta(minutes=2))
    await jobs.resolve({"appid": APPID})

    assert failed == [row("oSTORED", resolve_reason="unionid_conflict")]
    assert await rows(connection, STORED) == [row(unionid_of(OPENID))]


async def test_an_openid_without_a_unionid_needs_no_call_of_its_own(
    asking: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    wechat.state.accounts[APPID] = ACCOUNT
    follows(wechat)
    await asking.push(message(asking.clock))

    await jobs.resolve({"appid": APPID})

    assert wechat.calls(USER_INFO) == []
    assert await rows(connection, STORED) == [row(unionid_of(OPENID))]
