"""What happens to deliveries and webhooks while an endpoint does not accept."""

from collections import Counter
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from starlette.responses import Response
from structlog.testing import capture_logs

from app.webhooks import deliver
from app.webhooks.fan_out import MAX_REFUSED
from app.webhooks.retry_policy import (
    MAX_JITTER,
    RETRY_DELAYS,
    DeliveryOutcome,
    EndpointResponse,
    evaluate_attempt,
)
from app.worker import Jobs
from tests.service import Service, counted, event
from tests.webhooks.makers import deliveries, follow, followers, hook, statuses, work
from tests.webhooks.receiver import Receiver

# So many events that came before, and were refused.
REFUSED = """
INSERT INTO webhook_deliveries (id, webhook_id, event_id, type, position, status, attempts,
                                next_at, status_code, created_at)
SELECT gen_random_uuid(), $1, gen_random_uuid(), 'scan.created', 1, 'waiting', 1,
       $3::timestamptz + interval '1 day', 400, $3
FROM generate_series(1, $2)
"""


def busy(retry_after: str) -> Response:
    return Response(status_code=429, headers={"retry-after": retry_after})


@pytest.mark.parametrize("status", [301, 400, 404, 500, 502])
async def test_an_event_that_is_not_accepted_comes_again_with_the_same_id(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    connection: asyncpg.Connection,
    status: int,
) -> None:
    webhook = await hook(service, receiver)
    receiver.answers.append(Response(status_code=status))
    await followers(service, 1)
    await work(jobs, connection)
    await work(jobs, connection)
    assert len(receiver.received) == 1

    service.clock.advance(timedelta(seconds=6))
    await work(jobs, connection)

    first, second = receiver.received
    assert first.id == second.id
    assert first.verified_with(webhook["secret"]) == second.verified_with(webhook["secret"])
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 6
    (fate,) = await deliveries(connection)
    assert (fate["status"], fate["attempts"], fate["status_code"]) == ("delivered", 2, 200)


@pytest.mark.parametrize(
    "retry_after",
    ["Mon, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 2026 00:00:00 +9" + "9" * 30],
)
async def test_a_retry_after_that_no_clock_shows_is_a_failed_attempt(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    connection: asyncpg.Connection,
    retry_after: str,
) -> None:
    await hook(service, receiver)
    receiver.answers.append(Response(status_code=503, headers={"retry-after": retry_after}))
    await followers(service, 1)
    await work(jobs, connection)

    (fate,) = await deliveries(connection)
    assert (fate["status"], fate["attempts"], fate["status_code"]) == ("waiting", 1, 503)


async def test_an_error_while_a_response_is_judged_is_a_failed_attempt(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judge = evaluate_attempt

    def breaks(response: EndpointResponse, **more: Any) -> DeliveryOutcome:  # noqa: ANN401 - any
        if response.status_code is not None:
            raise OverflowError("a secret of the response")
        return judge(response, **more)

    monkeypatch.setattr(deliver, "evaluate_attempt", breaks)
    await hook(service, receiver)
    await followers(service, 1)

    with capture_logs() as logged:
        await work(jobs, connection)
        await work(jobs, connection)

    (fate,) = await deliveries(connection)
    assert (fate["status"], fate["attempts"]) == ("waiting", 1)
    assert len(receiver.received) == 1, "an event is sent again only when its attempt is due"
    assert [one["event"] for one in logged] == ["feed.response_not_evaluated"]
    assert "secret of" not in str(logged)


async def test_attempts_are_counted_by_what_became_of_them(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    outcomes = ("waiting", "delivered")
    before = [counted("webhook_attempts_total", outcome=outcome) for outcome in outcomes]
    await hook(service, receiver)
    receiver.answers.append(Response(status_code=500))
    await followers(service, 3)

    await work(jobs, connection)

    after = [counted("webhook_attempts_total", outcome=outcome) for outcome in outcomes]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 2]


async def test_an_event_that_is_not_accepted_holds_up_no_other(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    receiver.answers.append(Response(status_code=500))
    openids = await followers(service, 3)

    await work(jobs, connection)

    assert [one.json["data"]["openid"] for one in receiver.received] == openids
    assert await statuses(connection) == ["waiting", "delivered", "delivered"]


async def test_an_endpoint_that_asks_to_wait_is_left_alone_and_then_gets_all_in_order(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    receiver.answers.append(busy("600"))
    openids = await followers(service, 3)
    await work(jobs, connection)
    service.clock.advance(timedelta(seconds=599))
    await work(jobs, connection)
    assert len(receiver.received) == 1

    service.clock.advance(timedelta(seconds=1))
    await work(jobs, connection)

    assert [one.json["data"]["openid"] for one in receiver.received] == [openids[0], *openids]


async def test_an_endpoint_that_is_away_is_not_asked_for_each_event(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    receiver.port += 1
    await hook(service, receiver)
    await followers(service, 5)

    await work(jobs, connection)

    assert [one["attempts"] for one in await deliveries(connection)] == [1, 0, 0, 0, 0]
    assert (await deliveries(connection))[0]["error"] == "ConnectError"


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_events_of_one_type_that_are_refused_hold_up_no_other_type(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    connection: asyncpg.Connection,
    status: int,
) -> None:
    await hook(service, receiver)
    receiver.by_type["scan.created"] = Response(status_code=status)
    for number in range(60):
        await service.push(event(service.clock, "SCAN", openid=f"oS{number}", EventKey="shop"))
    await follow(service)

    await work(jobs, connection)

    assert receiver.types == ["scan.created"] * 60 + ["follow.created"]
    assert Counter(await statuses(connection)) == {"waiting": 60, "delivered": 1}


async def test_an_endpoint_that_is_away_holds_its_cursor(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    receiver.always = Response(status_code=503)
    openids = await followers(service, 60)
    await work(jobs, connection)
    assert await statuses(connection) == ["waiting"] * 50

    receiver.always = Response()
    service.clock.advance(timedelta(seconds=6))
    await work(jobs, connection)

    got = [one.json["data"]["openid"] for one in receiver.received[1:]]
    assert got == openids
    assert set(await statuses(connection)) == {"delivered"}


async def test_thousands_of_refused_events_hold_the_cursor_until_one_of_them_is_accepted(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    await connection.execute(REFUSED, webhook["id"], MAX_REFUSED, service.clock.now())
    await follow(service)
    await work(jobs, connection)
    assert receiver.received == []

    await connection.execute(
        "UPDATE webhook_deliveries SET status = 'delivered', next_at = NULL "
        "WHERE id = (SELECT min(id::text)::uuid FROM webhook_deliveries)"
    )
    await work(jobs, connection)

    assert receiver.types == ["follow.created"]


async def test_after_ten_attempts_an_event_is_given_up(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    receiver.always = Response(status_code=500)
    await followers(service, 1)
    for pause in (*RETRY_DELAYS, timedelta(days=1), timedelta(days=1)):
        await work(jobs, connection)
        service.clock.advance(pause * (1 + MAX_JITTER))

    (fate,) = await deliveries(connection)
    assert (fate["status"], fate["attempts"], fate["status_code"]) == ("failed", 10, 500)
    assert len(receiver.received) == 10
    shown = await service.read(f"webhooks/{webhook['id']}")
    assert shown["failing_since"] is not None


async def test_410_disables_at_once_and_nothing_more_is_sent(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    receiver.always = Response(status_code=410)
    await followers(service, 3)

    await work(jobs, connection)
    service.clock.advance(timedelta(days=1))
    await work(jobs, connection)

    assert len(receiver.received) == 1
    shown = await service.read(f"webhooks/{webhook['id']}")
    assert not shown["enabled"]
    assert "410" in shown["disabled_reason"]


async def test_five_days_of_failures_disable_and_switching_on_sends_what_was_missed(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    receiver.always = Response(status_code=500)
    missed = await followers(service, 1)
    await work(jobs, connection)
    service.clock.advance(timedelta(days=5))
    missed += await followers(service, 1, first=1)
    await work(jobs, connection)
    shown = await service.read(f"webhooks/{webhook['id']}")
    assert not shown["enabled"]
    assert "nothing has arrived since" in shown["disabled_reason"]
    missed += await followers(service, 1, first=2)
    receiver.received.clear()
    receiver.always = Response()
    await work(jobs, connection)
    assert receiver.received == []

    answer = await service.api("PUT", f"webhooks/{webhook['id']}", json={"url": receiver.url})
    await work(jobs, connection)

    assert answer.json()["disabled_reason"] is None
    assert [one.json["data"]["openid"] for one in receiver.received] == missed


async def test_one_success_ends_the_count_of_failing_days(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    receiver.answers.append(Response(status_code=500))
    await followers(service, 1)
    await work(jobs, connection)
    service.clock.advance(timedelta(days=4))
    await work(jobs, connection)
    receiver.answers.append(Response(status_code=500))
    service.clock.advance(timedelta(days=4))
    await followers(service, 1, first=1)
    await work(jobs, connection)

    shown = await service.read(f"webhooks/{webhook['id']}")

    assert shown["enabled"]
    assert shown["failing_since"] == service.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_one_webhook_that_fails_holds_up_no_other(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver, url="http://127.0.0.1:1/")
    await hook(service, receiver)
    await followers(service, 2)

    await work(jobs, connection)

    assert len(receiver.received) == 2
