"""Erasures: a code names nobody any more, and its person still gets no second one."""

from dataclasses import replace
from datetime import datetime, timedelta

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns.give_code import CampaignCodes
from app.replies.models import Reply
from app.tombstones.erasure_secret import erasure_secret
from app.worker import Jobs
from tests.campaigns.makers import CODED_CARD, code_of, given, running, write
from tests.service import OPENID, OTHER_OPENID, Service, WeChat, column, message, wechat_names


async def erased(service: Service, jobs: Jobs, connection: asyncpg.Connection, path: str) -> None:
    """Erase a person on request, and let the worker do it."""
    answer = await service.api("DELETE", path)
    assert answer.status_code == 202, answer.text
    for erasure_id in await column(connection, "SELECT id FROM erasures WHERE finished_at IS NULL"):
        await jobs.erase({"erasure_id": str(erasure_id)})
    assert await column(connection, "SELECT id FROM erasures WHERE finished_at IS NULL") == []


async def test_somebody_who_is_erased_and_comes_back_has_the_same_code(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await running(service, jobs, CODED_CARD)
    for openid in (OPENID, OTHER_OPENID):
        await write(service, wechat, jobs, connection, openid=openid)
    await wechat_names(service, OPENID, "u-1")
    service.clock.advance(timedelta(minutes=1))

    await erased(service, jobs, connection, "users/u-1")

    first, other = await given(connection)
    assert first["openid"].startswith("erased:")
    assert first["unionid"].startswith("erased:")
    assert other["openid"] == OTHER_OPENID
    assert await column(connection, "SELECT counts->>'campaign_codes' FROM erasures") == ["1"]

    service.clock.advance(timedelta(minutes=1))
    assert code_of(await write(service, wechat, jobs, connection)) == first["code"]
    again = (await given(connection))[0]
    assert (again["openid"], again["unionid"]) == (OPENID, None)
    await wechat_names(service, OPENID, "u-1")
    assert (await given(connection))[0]["unionid"] == "u-1"
    service.clock.advance(timedelta(minutes=1))
    await erased(service, jobs, connection, "users/u-1")
    assert (await given(connection))[0]["openid"] == first["openid"]


async def test_a_unionid_that_came_back_elsewhere_finds_the_code(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await running(service, jobs, CODED_CARD)
    code = code_of(await write(service, wechat, jobs, connection))
    await wechat_names(service, OPENID, "u-1")
    service.clock.advance(timedelta(minutes=1))
    await erased(service, jobs, connection, "users/u-1")
    service.clock.advance(timedelta(minutes=1))
    await service.push(message(service.clock, "hello", openid=OTHER_OPENID))
    await wechat_names(service, OTHER_OPENID, "u-1")

    sent = await write(service, wechat, jobs, connection, openid=OTHER_OPENID)

    assert code_of(sent) == code
    (owned,) = await given(connection)
    assert (owned["openid"], owned["unionid"]) == (OTHER_OPENID, "u-1")


async def test_a_content_that_is_erased_while_it_is_sent_stays_so(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await running(service, jobs, CODED_CARD)

    class Erasing(CampaignCodes):
        async def code_for(self, session: AsyncSession, reply: Reply, now: datetime) -> str:
            await connection.execute("UPDATE replies SET content = '{}'")
            return await super().code_for(session, reply, now)

    jobs = replace(
        jobs, delivery=replace(jobs.delivery, codes=Erasing(erasure_secret(service.settings)))
    )
    sent = await write(service, wechat, jobs, connection)

    assert code_of(sent) == "CODE-0"
    assert await column(connection, "SELECT content FROM replies") == ["{}"]
