"""People who are erased: their tags, and what waits for them."""

from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from app.identity import erase as identity
from app.tags import erase, run_store
from app.tombstones.subject import ErasureSubject
from app.worker import Jobs
from tests.service import APPID, OPENID, Service, WeChat, column, event, message
from tests.tags.makers import TAGGING, ask, having, known, people, run, tag

pytestmark = pytest.mark.asyncio


async def test_an_unfollow_erases_the_tags_of_a_person_and_their_wait(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id, waiting = await tag(service, wechat), await tag(service, wechat, "新")
    await service.push(message(service.clock))
    (other,) = await people(service, wechat, connection, 1)
    await ask(service, tag_id, openids=[OPENID, other])
    await run(jobs)
    await ask(service, waiting, openids=[OPENID, other])
    service.clock.advance(timedelta(seconds=5))
    await service.push(event(service.clock, "unsubscribe"))
    (erasure_id,) = await column(connection, "SELECT id FROM erasures")
    await jobs.erase({"erasure_id": str(erasure_id)})

    assert await known(connection, tag_id) == [other]
    assert await column(connection, "SELECT openid FROM tag_run_people") == [other]
    (counts,) = await column(connection, "SELECT counts FROM erasures")
    assert '"tags": 2' in counts


async def test_who_is_erased_while_wechat_is_called_is_not_stored_again(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 2)
    await ask(service, tag_id, openids=openids)
    gone = ErasureSubject(APPID, openids[0], service.clock.now(), uuid4(), "erased:x", {})
    record = run_store.record

    async def erased_meanwhile(*arguments: object) -> object:
        async with jobs.database.sessions.begin() as session:
            await erase.erase(session, gone)
            await identity.erase(session, gone)
        monkeypatch.setattr(run_store, "record", record)
        return await record(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run_store, "record", erased_meanwhile)
    await run(jobs)
    assert having(wechat, tag_id) == openids
    assert await known(connection, tag_id) == openids[1:]


async def test_a_run_holds_no_erased_person_as_its_place(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 60, prefix="oABCDEFGHIJKLM")
    await ask(service, tag_id, filter={})
    record = run_store.record

    async def then_wechat_is_busy(*arguments: object) -> object:
        monkeypatch.setattr(run_store, "record", record)
        wechat.strike(TAGGING, errcode=-1, count=1)
        return await record(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(run_store, "record", then_wechat_is_busy)
    await run(jobs)
    assert await column(connection, "SELECT cursor FROM tag_runs") == [openids[49]]
    person = ErasureSubject(APPID, openids[49], service.clock.now(), uuid4(), "erased:x", {})
    async with jobs.database.sessions.begin() as session:
        await erase.erase(session, person)
    assert await column(connection, "SELECT cursor FROM tag_runs") == ["oABCDEFGHIJK"]
    service.clock.advance(timedelta(minutes=1))
    await run(jobs)
    assert having(wechat, tag_id) == openids


async def test_whom_wechat_refused_is_forgotten_when_it_is_old(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    tag_id = await tag(service, wechat)
    openids = await people(service, wechat, connection, 2)
    wechat.state.meet(APPID, openids[0]).unfollow()
    await ask(service, tag_id, openids=openids)
    await run(jobs)
    await jobs.retain()
    assert await column(connection, "SELECT openid FROM tag_run_people") == openids[:1]
    service.clock.advance(timedelta(days=jobs.settings.retention_days, seconds=1))
    await jobs.retain()
    assert await column(connection, "SELECT openid FROM tag_run_people") == []
