"""A wrong report about one person must not let the erasure of another cross to them."""

from datetime import timedelta

import asyncpg
import orjson
import pytest

from app.db.engine import Database
from app.privacy.from_operator import erase_unionid
from app.settings import Settings
from app.worker import Jobs
from simulator.followers import unionid_of
from tests.access.conftest import ACTOR
from tests.privacy.makers import found, privacy, work
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    Service,
    WeChat,
    column,
    event,
    jobs_of,
    message,
    rows,
    wechat_names,
)

ONE, OTHER = "oUNIONID-OF-ONE", "oUNIONID-OF-THE-OTHER"
HISTORY = "SELECT openid, unionid FROM follow_events ORDER BY openid"


@pytest.fixture
async def mixed_up(service: Service) -> None:
    """Two people; the first was once reported with the UnionID of the second."""
    reports = [(OPENID, OTHER), (OTHER_OPENID, OTHER), (OPENID, ONE)]
    for openid in (OPENID, OTHER_OPENID):
        await service.push(event(service.clock, "subscribe", openid=openid))
    for openid, unionid in reports:
        told = [{"appid": APPID, "openid": openid, "unionid": unionid}]
        await service.api("PUT", "identities", json={"identities": told})
    for openid in (OPENID, OTHER_OPENID):
        await service.push(message(service.clock, f"words of {openid}", openid=openid))
    service.clock.advance(timedelta(minutes=1))


@pytest.mark.usefixtures("mixed_up")
@pytest.mark.parametrize("how", ["unionid", "openid", "wechat"])
async def test_erasing_the_other_leaves_the_one_whole_but_for_the_wrong_key(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, how: str
) -> None:
    if how == "unionid":
        await service.api("DELETE", f"users/{OTHER}")
    elif how == "openid":
        await service.api("DELETE", "users", params={"appid": APPID, "openid": OTHER_OPENID})
    else:
        closed = privacy(service, "user_authorization_cancellation", OTHER_OPENID, UnionID=OTHER)
        await service.push(closed)
    await work(jobs, connection)

    for word in (OTHER_OPENID, OTHER):
        assert await found(connection, word) == {}
    assert await column(connection, "SELECT openid FROM openids") == [OPENID]
    assert (await found(connection, f"words of {OPENID}")).keys() == {"callbacks"}
    # The follow of the one was keyed with the wrong UnionID.
    assert {"openid": OPENID, "unionid": ONE} in await rows(connection, HISTORY)
    (certificate,) = await column(connection, "SELECT jsonb_array_length(erased) FROM erasures")
    assert certificate == 1


@pytest.mark.usefixtures("mixed_up")
async def test_erasing_the_one_leaves_the_other_whole(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.api("DELETE", f"users/{ONE}")
    await work(jobs, connection)

    for word in (OPENID, ONE):
        assert await found(connection, word) == {}
    assert await column(connection, "SELECT openid FROM openids") == [OTHER_OPENID]
    assert {"openid": OTHER_OPENID, "unionid": OTHER} in await rows(connection, HISTORY)
    assert (await found(connection, f"words of {OTHER_OPENID}")).keys() == {"callbacks"}


async def test_a_unionid_that_no_openid_has_any_more_is_only_removed_from_events(
    service: Service, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.push(event(service.clock, "subscribe"))
    for unionid in (OTHER, ONE):
        told = [{"appid": APPID, "openid": OPENID, "unionid": unionid}]
        await service.api("PUT", "identities", json={"identities": told})

    answer = await service.api("DELETE", f"users/{OTHER}")
    await work(jobs, connection)

    assert answer.status_code == 202
    assert await found(connection, OTHER) == {}
    assert await rows(connection, HISTORY) == [{"openid": OPENID, "unionid": ONE}]
    assert (await service.api("DELETE", f"users/{OTHER}")).status_code == 404


@pytest.mark.parametrize("how", ["unionid", "openid", "wechat"])
async def test_an_erasure_leaves_out_whom_only_a_report_ties_to_the_unionid(
    service: Service,
    settings: Settings,
    database: Database,
    wechat: WeChat,
    connection: asyncpg.Connection,
    how: str,
) -> None:
    """The AppSecret came later: what was reported before is another party's word."""
    jobs = jobs_of(settings, database, wechat)
    for openid in (OPENID, OTHER_OPENID):
        wechat.state.meet(APPID, openid).follow(service.clock.now())
        await service.push(event(service.clock, "subscribe", openid=openid))
    await wechat_names(service, OTHER_OPENID, OTHER)
    told = [{"appid": APPID, "openid": OPENID, "unionid": OTHER}]
    await service.api("PUT", "identities", json={"identities": told})
    service.clock.advance(timedelta(minutes=1))

    if how == "unionid":
        await service.api("DELETE", f"users/{OTHER}")
        # What the service without the AppSecret opened names both; one that has it names one.
        await connection.execute(
            "UPDATE erasures SET subject = jsonb_set(subject, '{people}', $1::jsonb)",
            f'[["{APPID}", "{OTHER_OPENID}"]]',
        )
    elif how == "openid":
        await service.api("DELETE", "users", params={"appid": APPID, "openid": OTHER_OPENID})
    else:
        await service.push(
            privacy(service, "user_authorization_cancellation", OTHER_OPENID, UnionID=OTHER)
        )
    await work(jobs, connection)
    detached = await rows(connection, "SELECT openid, unionid FROM openids")
    await jobs.resolve({"appid": APPID})

    assert detached == [{"openid": OPENID, "unionid": None}]
    for word in (OTHER_OPENID, OTHER):
        assert await found(connection, word) == {}
    assert {"openid": OPENID, "unionid": unionid_of(OPENID)} in await rows(connection, HISTORY)


async def test_erasing_somebody_whom_a_report_tied_to_a_unionid_leaves_its_owner_whole(
    service: Service,
    settings: Settings,
    database: Database,
    wechat: WeChat,
    connection: asyncpg.Connection,
) -> None:
    await service.push(event(service.clock, "subscribe", openid=OPENID))
    await service.push(event(service.clock, "subscribe", openid=OTHER_OPENID))
    await wechat_names(service, OTHER_OPENID, OTHER)
    told = [{"appid": APPID, "openid": OPENID, "unionid": OTHER}]
    await service.api("PUT", "identities", json={"identities": told})
    service.clock.advance(timedelta(minutes=1))

    await service.api("DELETE", "users", params={"appid": APPID, "openid": OPENID})
    await work(jobs_of(settings, database, wechat), connection)

    assert {"openid": OTHER_OPENID, "unionid": OTHER} in await rows(connection, HISTORY)
    assert await column(connection, "SELECT openid FROM openids") == [OTHER_OPENID]


async def test_an_operator_names_by_unionid_only_whom_wechat_ties_to_it(
    service: Service, settings: Settings, database: Database, connection: asyncpg.Connection
) -> None:
    for openid in (OPENID, OTHER_OPENID):
        await service.push(event(service.clock, "subscribe", openid=openid))
    await wechat_names(service, OTHER_OPENID, OTHER)
    told = [{"appid": APPID, "openid": OPENID, "unionid": OTHER}]
    await service.api("PUT", "identities", json={"identities": told})

    async with database.sessions.begin() as session:
        await erase_unionid(
            session,
            OTHER,
            asked=settings.asked_accounts,
            actor=ACTOR,
            now=service.clock.now(),
        )

    (people,) = await column(connection, "SELECT subject->'people' FROM erasures")
    assert orjson.loads(people) == [[APPID, OTHER_OPENID]]
