"""A pause of an account ends as soon as what WeChat refused may be corrected."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from app.wechat.ids import AppId
from app.worker import Jobs
from tests.service import (
    APPID,
    BATCHGET,
    OPENID,
    STABLE_TOKEN,
    Service,
    WeChat,
    column,
    event,
    jobs_of,
)


async def resolve(jobs: Jobs) -> None:
    await jobs.resolve({"appid": APPID})


async def known(service: Service) -> dict[str, Any]:
    """Return what `/api/users` tells about the follower."""
    person = await service.read("users", appid=APPID, openid=OPENID)
    found: dict[str, Any] = person["openids"][0]
    return found


async def refused(service: Service, wechat: WeChat, jobs: Jobs, path: str, errcode: int) -> None:
    """Let a follower come whose UnionID WeChat refuses to tell."""
    await service.push(event(service.clock, "subscribe"))
    wechat.strike(path, errcode=errcode)
    await resolve(jobs)
    wechat.state.faults.clear()


@pytest.mark.parametrize("errcode", [40125, 40164, 40243])
async def test_a_token_that_is_got_ends_a_pause_of_a_refused_token(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, errcode: int
) -> None:
    await refused(service, wechat, jobs, STABLE_TOKEN, errcode)
    service.clock.advance(timedelta(seconds=61))
    await resolve(jobs)
    paused = len(wechat.calls(BATCHGET))

    await jobs.tokens.get(AppId(APPID))
    await jobs.sweep()
    await resolve(jobs)

    assert paused == 0
    assert await column(connection, "SELECT resolve_state FROM openids") == ["resolved"]


async def test_a_token_does_not_end_a_pause_that_has_another_cause(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await refused(service, wechat, jobs, BATCHGET, 48001)
    wechat.state.clock.advance(timedelta(seconds=61))
    await connection.execute("UPDATE access_tokens SET obtained_at = $1", service.clock.now())
    asked = len(wechat.calls(BATCHGET))

    await resolve(jobs)

    assert len(wechat.calls(BATCHGET)) == asked


@pytest.mark.parametrize(("path", "errcode"), [(STABLE_TOKEN, 40125), (BATCHGET, 48001)])
async def test_a_worker_that_starts_with_corrected_settings_asks_at_once(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    path: str,
    errcode: int,
) -> None:
    await refused(service, wechat, jobs, path, errcode)
    started = jobs_of(jobs.settings, jobs.database, wechat)

    await started.begin()
    await started.sweep()
    await resolve(started)

    assert await column(connection, "SELECT resolve_state FROM openids") == ["resolved"]


async def test_api_users_tells_that_there_was_no_answer_and_when_wechat_is_asked_again(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    await service.push(event(service.clock, "subscribe"))
    before = await known(service)
    wechat.strike(STABLE_TOKEN, errcode=40125)
    refused_at = service.clock.now()
    await resolve(jobs)
    service.clock.advance(timedelta(seconds=61))

    during = await known(service)
    wechat.state.faults.clear()
    await jobs.tokens.get(AppId(APPID))
    await jobs.sweep()
    after = await known(service)

    assert before["reason"] == "not_yet_asked"
    assert (during["state"], during["reason"]) == ("pending", "no_answer")
    assert during["next_try_at"] == f"{refused_at + timedelta(minutes=10):%Y-%m-%dT%H:%M:%SZ}"
    assert after["next_try_at"] == f"{service.clock.now():%Y-%m-%dT%H:%M:%SZ}", "it is due"
