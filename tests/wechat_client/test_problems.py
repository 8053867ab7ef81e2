"""What WeChat refuses is logged once with its meaning, and readiness says what to do."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.replies.errors import TryLater
from app.worker import Jobs
from tests.replies.makers import deliver, owed
from tests.service import (
    APPID,
    SEND,
    STABLE_TOKEN,
    Service,
    WeChat,
    column,
    jobs_of,
    rows,
    text_reply,
)

TEXT = text_reply("my words", via="customer_service")


async def problems_of(service: Service) -> list[dict[str, Any]]:
    """Return the problems that readiness shows."""
    part = (await service.look("/readyz")).json()["parts"]["wechat"]
    assert (part["status"] == "degraded") == bool(part["problems"])
    found: list[dict[str, Any]] = part["problems"]
    return found


def refusals(logs: list[Any]) -> list[Any]:
    return [line for line in logs if line["event"].startswith("wechat.call_")]


async def attempts(jobs: Jobs, callback: Any, times: int = 3) -> None:  # noqa: ANN401
    for _ in range(times):
        try:
            await deliver(jobs, callback)
        except TryLater:
            continue


@pytest.mark.parametrize("errcode", [45009, 45011, 48001, 50002])
async def test_a_refused_send_is_logged_once_with_its_meaning_and_rid(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, errcode: int
) -> None:
    callback = await owed(service, wechat, TEXT, TEXT)
    wechat.strike(SEND, errcode=errcode)

    with capture_logs() as logs:
        await attempts(jobs, callback)
        await jobs.tokens.problems.store()

    (line,) = refusals(logs)
    assert (line["appid"], line["api"], line["errcode"]) == (APPID, "message/custom/send", errcode)
    assert line["meaning"].endswith(".")
    assert line["fix"].endswith(".")
    assert "my words" not in str(logs)
    (problem,) = await problems_of(service)
    assert (problem["errcode"], problem["meaning"]) == (errcode, line["meaning"])
    detail = (await service.look("/readyz")).json()["parts"]["wechat"]["detail"]
    assert line["fix"] in detail
    assert problem["rid"] in detail
    assert line["rid"]
    kept = await rows(connection, "SELECT errcode, rid FROM replies WHERE rid IS NOT NULL")
    assert {row["errcode"] for row in kept} == {errcode}


@pytest.mark.parametrize("errcode", [40013, 40125, 40164, 40243, 45009, 50004, 50007, 89503, -1])
async def test_a_refused_token_is_logged_once_and_shown(
    service: Service, wechat: WeChat, jobs: Jobs, errcode: int
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(STABLE_TOKEN, errcode=errcode)

    with capture_logs() as logs:
        await attempts(jobs, callback)
        await jobs.tokens.problems.store()

    (line,) = refusals(logs)
    assert (line["api"], line["errcode"]) == ("stable_token", errcode)
    (problem,) = await problems_of(service)
    assert (problem["api"], problem["errcode"]) == ("stable_token", errcode)
    assert problem["rid"]
    assert line["rid"]


async def test_a_success_ends_a_problem(service: Service, wechat: WeChat, jobs: Jobs) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(STABLE_TOKEN, errcode=40164, count=1)
    await attempts(jobs, callback, 1)
    await jobs.tokens.problems.store()
    during = await problems_of(service)
    service.clock.advance(timedelta(seconds=61))

    await deliver(jobs, callback)
    await jobs.tokens.problems.store()

    assert [problem["errcode"] for problem in during] == [40164]
    assert await problems_of(service) == []


async def test_the_success_of_a_worker_that_starts_ends_what_another_one_met(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=45011, count=1)
    await attempts(jobs, callback, 1)
    await jobs.tokens.problems.store()
    service.clock.advance(timedelta(seconds=61))
    started = jobs_of(jobs.settings, jobs.database, wechat)

    await deliver(started, callback)
    await started.tokens.problems.store()

    assert await rows(connection, "SELECT * FROM api_problems") == []


async def test_a_refusal_that_concerns_one_follower_is_no_problem_of_the_account(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=45015)

    with capture_logs() as logs:
        await attempts(jobs, callback)
    await jobs.tokens.problems.store()

    assert refusals(logs) == []
    assert await problems_of(service) == []


async def test_a_wechat_that_can_not_be_reached_is_shown_in_a_sentence(
    service: Service, wechat: WeChat, jobs: Jobs
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(STABLE_TOKEN, status=302, location="https://portal.example/login?a=b")

    with capture_logs() as logs:
        await attempts(jobs, callback)
    await jobs.tokens.problems.store()

    (line,) = refusals(logs)
    (problem,) = await problems_of(service)
    assert (problem["errcode"], problem["meaning"]) == (None, None)
    assert problem["errmsg"] == line["errmsg"]
    assert "redirects to https://portal.example," in problem["errmsg"]


async def test_a_problem_that_goes_on_is_logged_again_after_an_hour(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=44990)
    with capture_logs() as logs:
        await attempts(jobs, callback)
        await jobs.tokens.problems.store()
        service.clock.advance(timedelta(hours=1))
        await attempts(jobs, callback)
        await jobs.tokens.problems.store()

    assert len(refusals(logs)) == 2
    (row,) = await rows(connection, "SELECT since, seen_at FROM api_problems")
    assert row["seen_at"] - row["since"] == timedelta(hours=1)


async def test_what_can_not_be_stored_is_stored_later(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=48001)
    await attempts(jobs, callback)
    await connection.execute("ALTER TABLE api_problems RENAME TO away")
    await jobs.tokens.problems.store()
    await connection.execute("ALTER TABLE away RENAME TO api_problems")

    await jobs.tokens.problems.store()

    assert await column(connection, "SELECT errcode FROM api_problems") == [48001]
