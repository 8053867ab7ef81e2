"""A reply that expires says why, in its row, in the log and in the metrics."""

from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.replies.errors import TryLater
from app.worker import Jobs
from tests.replies.makers import deliver, owed
from tests.service import (
    APPID,
    SEND,
    Service,
    WeChat,
    column,
    counted,
    event,
    rows,
    text_reply,
)

TEXT = text_reply("hello", via="customer_service")


def expired() -> float:
    return counted("sends_total", msgtype="text", outcome="expired")


def late(reason: str) -> tuple[float, float]:
    """Return how many replies expired for a reason, and how late they were together."""
    name = "expired_reply_lateness_seconds"
    return counted(f"{name}_count", reason=reason), counted(f"{name}_sum", reason=reason)


async def fate(connection: asyncpg.Connection) -> tuple[str, str]:
    ((status, errmsg),) = [
        tuple(row.values()) for row in await rows(connection, "SELECT status, errmsg FROM replies")
    ]
    return status, errmsg


async def test_a_follow_that_was_pushed_late_says_how_late_and_by_whose_clock(
    service: Service, connection: asyncpg.Connection
) -> None:
    await service.add_rule(TEXT, trigger={"on": "subscribe"})
    push = event(service.clock, "subscribe")
    service.clock.advance(timedelta(seconds=70))
    before, late_before = expired(), late("push_late")

    with capture_logs() as logs:
        await service.push(push)

    assert await fate(connection) == (
        "expired",
        "the push arrived 70 s after it happened (CreateTime by WeChat's clock, arrival by the "
        "database's): its send window had ended 15 s before",
    )
    (line,) = [line for line in logs if line["event"] == "replies.expired"]
    assert (line["log_level"], line["replies"]) == ("warning", 1)
    assert (line["reason"], line["late_seconds"]) == ("push_late", 70)
    assert "70 s" in line["errmsg"]
    assert expired() == before + 1
    number, seconds = late("push_late")
    assert (number - late_before[0], round(seconds - late_before[1])) == (1, 70)
    jobs = await column(connection, "SELECT 1 FROM pgqueuer WHERE entrypoint = 'replies.deliver'")
    assert jobs == []
    with capture_logs() as again:
        await service.push(push)
    assert [line for line in again if line["event"] == "replies.expired"] == []


async def test_a_follow_that_is_late_but_in_time_is_answered(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    await service.add_rule(TEXT, trigger={"on": "subscribe"})
    push = event(service.clock, "subscribe")
    wechat.open_window()
    service.clock.advance(timedelta(seconds=54))
    await service.push(push)
    (callback,) = await column(connection, "SELECT id FROM callbacks")

    await deliver(jobs, callback)

    assert await column(connection, "SELECT status FROM replies") == ["sent"]


@pytest.mark.parametrize("by", ["job", "sweep"])
async def test_a_reply_that_no_worker_sent_in_time_says_so(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, by: str
) -> None:
    callback = await owed(service, wechat, TEXT)
    (ends,) = await column(connection, "SELECT expires_at FROM replies")
    service.clock.advance(ends - service.clock.now() + timedelta(seconds=90))
    before, late_before = expired(), late("not_tried")

    with capture_logs() as logs:
        await (deliver(jobs, callback) if by == "job" else jobs.sweep())

    assert await fate(connection) == (
        "expired",
        f"its send window ended at {ends:%Y-%m-%dT%H:%M:%SZ} by the database's clock, 90 s "
        "before a worker found it unsent: no worker had tried to send it",
    )
    (line,) = [line for line in logs if line["event"] == "replies.expired"]
    assert (line["reason"], line["late_seconds"], line["replies"]) == ("not_tried", 90, 1)
    assert expired() == before + 1
    number, seconds = late("not_tried")
    assert (number - late_before[0], round(seconds - late_before[1])) == (1, 90)


@pytest.mark.parametrize("by", ["job", "sweep"])
async def test_a_reply_that_wechat_refused_until_the_end_keeps_the_refusal(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection, by: str
) -> None:
    callback = await owed(service, wechat, TEXT)
    wechat.strike(SEND, errcode=-1)
    with pytest.raises(TryLater):
        await deliver(jobs, callback)
    service.clock.advance(timedelta(hours=48))
    before = late("not_accepted")[0]

    await (deliver(jobs, callback) if by == "job" else jobs.sweep())

    status, errmsg = await fate(connection)
    assert status == "expired"
    assert errmsg.endswith(" s before a worker found it unsent: system error")
    assert late("not_accepted")[0] == before + 1
    (row,) = await rows(connection, "SELECT errcode, rid FROM replies")
    assert (row["errcode"], row["rid"] is None) == (-1, False)


@pytest.mark.parametrize(
    ("errcode", "said"),
    [
        (48001, "WeChat refuses the account's sends: api unauthorized"),
        (None, "WeChat answers none of the account's sends: api unauthorized"),
    ],
)
async def test_a_reply_of_an_account_whose_sends_wait_says_why(
    service: Service,
    wechat: WeChat,
    jobs: Jobs,
    connection: asyncpg.Connection,
    errcode: int | None,
    said: str,
) -> None:
    await owed(service, wechat, TEXT)
    (ends,) = await column(connection, "SELECT expires_at FROM replies")
    await connection.execute(
        "INSERT INTO api_problems (appid, api, errcode, errmsg, since, seen_at, probe_at) "
        "VALUES ($1, 'message/custom/send', $3, 'api unauthorized', $2, $2, $2)",
        APPID,
        service.clock.now(),
        errcode,
    )
    service.clock.advance(ends - service.clock.now() + timedelta(seconds=90))

    await jobs.sweep()

    status, errmsg = await fate(connection)
    assert status == "expired"
    assert errmsg.endswith(f": {said}")
