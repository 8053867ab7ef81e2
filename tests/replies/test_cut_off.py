"""A message whose worker died while it was sending: `UNCERTAIN_SENDS` decides."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from app.db.engine import Database
from app.replies import send_batches, store
from app.replies.deliver import UncertainSends
from app.replies.errors import TryLater
from app.settings import Settings
from app.worker import Jobs
from tests.lock_waits import waiting_backends
from tests.replies.makers import deliver, owed
from tests.service import SEND, Service, WeChat, card, column, counted, jobs_of, rows
from tests.waiting import eventually

DIED = "UPDATE replies SET status = 'sending', attempts = attempts + 1"
STATE = "SELECT status, attempts, uncertain_attempts AS uncertain FROM replies"


@pytest.fixture
def impatient(jobs: Jobs) -> Jobs:
    """A worker that takes over at once."""
    return replace(jobs, delivery=replace(jobs.delivery, takeover_seconds=0))


def under(jobs: Jobs, policy: UncertainSends) -> Jobs:
    """The same worker under another policy."""
    return replace(jobs, delivery=replace(jobs.delivery, uncertain_sends=policy))


async def test_it_is_sent_once_more_and_shown_as_uncertain(
    service: Service, wechat: WeChat, impatient: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    before = counted("cut_off_sends_total", action="resent")
    await connection.execute(DIED)

    with capture_logs() as logged:
        await deliver(impatient, callback)

    assert await rows(connection, STATE) == [{"status": "sent", "attempts": 2, "uncertain": 1}]
    assert len(wechat.sent()) == 1
    assert counted("cut_off_sends_total", action="resent") == before + 1
    assert [line["action"] for line in logged if line["event"] == "replies.cut_off"] == ["resent"]
    (listed,) = (await service.read("replies"))["items"]
    assert listed["uncertain_attempts"] == 1


async def test_of_two_workers_that_take_it_over_one_sends_it(
    service: Service,
    settings: Settings,
    database: Database,
    wechat: WeChat,
    impatient: Jobs,
    connection: asyncpg.Connection,
) -> None:
    callback = await owed(service, wechat, card())
    await connection.execute(DIED)
    second = jobs_of(settings, database, wechat)
    other = replace(second, delivery=replace(second.delivery, takeover_seconds=0))

    async def both_wait() -> bool:
        return len(await waiting_backends(connection, "%replies%")) == 2

    async with connection.transaction():
        await connection.execute("SELECT FROM replies FOR UPDATE")
        taking_over = [asyncio.create_task(deliver(jobs, callback)) for jobs in (impatient, other)]
        await eventually(both_wait)
    await asyncio.gather(*taking_over)

    assert await rows(connection, STATE) == [{"status": "sent", "attempts": 2, "uncertain": 1}]
    assert len(wechat.sent()) == 1


async def test_a_result_that_comes_after_the_takeover_leaves_the_next_attempt_alone(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    wechat.strike(SEND, errcode=-1, latency_seconds=1, count=1)
    cut_off = asyncio.create_task(deliver(jobs, callback))
    await eventually(wechat.has_struck)
    await connection.execute("UPDATE replies SET attempts = attempts + 1")

    with pytest.raises(TryLater, match="errcode -1"):
        await cut_off

    assert await rows(connection, STATE) == [{"status": "sending", "attempts": 2, "uncertain": 0}]
    assert await column(connection, "SELECT sends_left FROM send_windows") == [4]


async def test_it_is_not_sent_a_third_time(
    service: Service, wechat: WeChat, impatient: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    await connection.execute(DIED)
    wechat.strike(SEND, errcode=-1, count=1)
    with pytest.raises(Exception, match="errcode -1"):
        await deliver(impatient, callback)
    await connection.execute(DIED)

    await deliver(impatient, callback)

    assert await rows(connection, STATE) == [{"status": "failed", "attempts": 3, "uncertain": 2}]
    (listed,) = (await service.read("replies"))["items"]
    assert listed["errmsg"].startswith("outcome unknown")
    assert wechat.sent() == []


@pytest.mark.parametrize("where", ["send_batches", "store"])
@pytest.mark.parametrize("policy", ["resend_once", "hold"])
async def test_a_claim_that_failed_does_not_hide_the_send_of_a_worker_that_died(
    service: Service,
    wechat: WeChat,
    impatient: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    policy: UncertainSends,
) -> None:
    """The database took too long for the claim of the next worker, and did nothing."""
    callback = await owed(service, wechat, card())
    jobs = under(impatient, policy)
    await connection.execute(DIED)

    async def claim(*_: object, **__: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as slow:
        slow.setattr({"send_batches": send_batches, "store": store}[where], "claim", claim)
        with pytest.raises(TimeoutError):
            await deliver(jobs, callback)
    await deliver(jobs, callback)

    (reply,) = await rows(connection, STATE)
    assert reply["uncertain"] == 1
    assert len(wechat.sent()) == (policy == "resend_once")


@pytest.mark.parametrize(
    ("whose", "before", "uncertain"),
    [
        pytest.param("other/1", 0, 1, id="of another worker"),
        pytest.param(None, 1, 1, id="of this one, before the claim"),
        pytest.param(None, 0, 0, id="of the claim itself"),
    ],
)
async def test_after_a_claim_that_failed_only_its_own_attempt_is_known_to_have_sent_nothing(
    service: Service,
    wechat: WeChat,
    impatient: Jobs,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    whose: str | None,
    before: int,
    uncertain: int,
) -> None:
    callback = await owed(service, wechat, card())
    await connection.execute(DIED)
    await connection.execute(
        "INSERT INTO reply_attempts (reply_id, number, began_at, worker) "
        "SELECT id, attempts, $1, $2 FROM replies",
        service.clock.now() - timedelta(seconds=before),
        whose or impatient.delivery.worker,
    )

    async def claim(*_: object, **__: object) -> None:
        raise TimeoutError

    with monkeypatch.context() as slow:
        slow.setattr(send_batches, "claim", claim)
        with pytest.raises(TimeoutError):
            await deliver(impatient, callback)
    await deliver(impatient, callback)

    assert await rows(connection, STATE) == [
        {"status": "sent", "attempts": 2, "uncertain": uncertain}
    ]
    assert len(wechat.sent()) == 1


async def test_under_hold_nothing_is_sent_and_an_operator_may_send_it(
    service: Service, wechat: WeChat, impatient: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    holding = under(impatient, "hold")
    before = counted("cut_off_sends_total", action="held")
    await connection.execute(DIED)

    await deliver(holding, callback)

    assert await rows(connection, STATE) == [{"status": "failed", "attempts": 1, "uncertain": 1}]
    assert wechat.calls(SEND) == []
    assert counted("cut_off_sends_total", action="held") == before + 1
    (listed,) = (await service.read("replies"))["items"]
    assert (await service.api("POST", f"replies/{listed['id']}/retry")).status_code == 202
    await deliver(holding, callback)
    assert await rows(connection, STATE) == [{"status": "sent", "attempts": 2, "uncertain": 1}]


async def test_without_a_send_left_it_waits_and_is_counted_all_the_same(
    service: Service, wechat: WeChat, impatient: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    before = counted("cut_off_sends_total", action="held")
    await connection.execute(DIED)
    await connection.execute("UPDATE send_windows SET sends_left = 1")

    await deliver(impatient, callback)

    assert await rows(connection, STATE) == [{"status": "held", "attempts": 1, "uncertain": 1}]
    assert counted("cut_off_sends_total", action="held") == before + 1


async def test_an_attempt_that_was_answered_is_not_uncertain(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    wechat.strike(SEND, errcode=40003, count=1)

    await deliver(jobs, callback)

    assert await rows(connection, STATE) == [{"status": "failed", "attempts": 1, "uncertain": 0}]


async def test_a_connection_that_breaks_after_the_message_counts_too(
    service: Service, wechat: WeChat, jobs: Jobs, connection: asyncpg.Connection
) -> None:
    callback = await owed(service, wechat, card())
    wechat.strike(SEND, drop="after", count=1)

    await deliver(jobs, callback)

    assert await rows(connection, STATE) == [{"status": "failed", "attempts": 1, "uncertain": 1}]


def test_the_setting_reaches_the_worker(
    settings: Settings, database: Database, wechat: WeChat
) -> None:
    holding = settings.model_copy(update={"uncertain_sends": "hold"})

    assert jobs_of(settings, database, wechat).delivery.uncertain_sends == "resend_once"
    assert jobs_of(holding, database, wechat).delivery.uncertain_sends == "hold"
