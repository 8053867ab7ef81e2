"""What an endpoint is sent, and how it can tell that it comes from us."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from standardwebhooks import WebhookVerificationError

from app.webhooks import send
from app.webhooks.fan_out import MAX_STRIDES, STRIDE
from app.worker import Jobs
from simulator.followers import unionid_of
from tests.service import APPID, OPENID, Service, column, event
from tests.waiting import PATIENCE_SECONDS
from tests.webhooks.makers import deliveries, follow, followers, hook, statuses, work
from tests.webhooks.receiver import Receiver

POPUP = {
    "List": [
        {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "1"},
        {"TemplateId": "B", "SubscribeStatusString": "reject", "PopupScene": "1"},
    ]
}


async def test_a_follow_arrives_signed(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    await follow(service, EventKey="qrscene_7")

    await work(jobs, connection)

    (got,) = receiver.received
    payload = got.verified_with(webhook["secret"])
    assert payload["type"] == "follow.created"
    assert payload["timestamp"] == service.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert payload["cursor"] > webhook["cursor"]
    assert payload["data"] | {"id": None} == {
        "id": None,
        "appid": APPID,
        "openid": OPENID,
        "unionid": None,
        "scene": "7",
        "source": "event",
    }
    assert got.id == "msg_" + payload["data"]["id"].replace("-", "")
    assert got.headers["content-type"] == "application/json"


async def test_a_changed_body_or_another_secret_does_not_verify(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    other = await hook(service, receiver, enabled=False)
    await follow(service)
    await work(jobs, connection)

    (got,) = receiver.received
    with pytest.raises(WebhookVerificationError):
        got.verified_with(other["secret"])


async def test_everything_that_happens_is_told_in_the_order_of_arrival(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    sent = {"List": {"TemplateId": "A", "MsgID": "17", "ErrorCode": "0", "ErrorStatus": "success"}}
    change = {"List": {"TemplateId": "A", "SubscribeStatusString": "reject"}}
    await follow(service)
    await jobs.resolve({"appid": APPID})
    for name, more in (
        ("SCAN", {"EventKey": "9", "Ticket": "t"}),
        ("subscribe_msg_popup_event", {"SubscribeMsgPopupEvent": POPUP}),
        ("subscribe_msg_change_event", {"SubscribeMsgChangeEvent": change}),
        ("subscribe_msg_sent_event", {"SubscribeMsgSentEvent": sent}),
    ):
        await service.push(event(service.clock, name, **more))
    service.clock.advance(timedelta(minutes=1))
    await service.push(event(service.clock, "unsubscribe"))

    await work(jobs, connection)

    assert receiver.types == [
        "follow.created",
        "identity.resolved",
        "scan.created",
        "subscription.popup",
        "subscription.popup",
        "subscription.change",
        "subscription.sent",
        "follow.deleted",
    ]
    assert receiver.received[1].json["data"]["unionid"] == unionid_of(OPENID)
    assert [one.json["data"]["template_id"] for one in receiver.received[3:7]] == list("ABAA")
    cursors = [one.json["cursor"] for one in receiver.received]
    assert cursors == sorted(cursors)
    assert set(await statuses(connection)) == {"delivered"}


@pytest.mark.parametrize(
    ("types", "heard"),
    [
        (["*"], ["follow.created", "identity.resolved", "follow.deleted"]),
        (["follow.*"], ["follow.created", "follow.deleted"]),
        (["follow.deleted"], ["follow.deleted"]),
        (["identity.*", "follow.created"], ["follow.created", "identity.resolved"]),
        (["subscription.*"], []),
    ],
    ids=str,
)
async def test_a_webhook_hears_only_of_the_types_it_wants(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    connection: asyncpg.Connection,
    types: list[str],
    heard: list[str],
) -> None:
    webhook = await hook(service, receiver, types=types)
    await follow(service)
    await jobs.resolve({"appid": APPID})
    service.clock.advance(timedelta(seconds=2))
    await service.push(event(service.clock, "unsubscribe"))

    await work(jobs, connection)

    assert receiver.types == heard
    assert (await service.read(f"webhooks/{webhook['id']}"))["cursor"] > webhook["cursor"]


async def test_a_new_webhook_hears_nothing_of_what_was_before(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await followers(service, 2)
    await hook(service, receiver)
    (after,) = await followers(service, 1, first=7)

    await work(jobs, connection)

    assert [one.json["data"]["openid"] for one in receiver.received] == [after]


async def test_more_events_than_a_run_takes_all_arrive_in_order(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    openids = await followers(service, 230)

    await work(jobs, connection)

    assert [one.json["data"]["openid"] for one in receiver.received] == openids


async def test_an_event_that_was_erased_is_passed_over(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    openids = await followers(service, 3)
    await jobs.dispatch_webhooks()
    await connection.execute("DELETE FROM follow_events WHERE openid = $1", openids[1])

    await work(jobs, connection)

    assert [one.json["data"]["openid"] for one in receiver.received] == [openids[0], openids[2]]
    assert await statuses(connection) == ["delivered", "skipped", "delivered"]


async def test_thousands_of_erased_events_are_passed_over_without_a_delivery(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    webhook = await hook(service, receiver)
    await connection.execute(
        "INSERT INTO follow_events (id, appid, openid, action, occurred_at) "
        "SELECT gen_random_uuid(), $1, 'erased:' || n, 'follow', now() "
        "FROM generate_series(1, 3000) n",
        APPID,
    )
    await follow(service)

    await work(jobs, connection)

    assert [one.json["data"]["openid"] for one in receiver.received] == [OPENID]
    assert await statuses(connection) == ["delivered"]
    assert (await service.read(f"webhooks/{webhook['id']}"))["cursor"] > 3000


async def test_one_look_at_the_history_has_a_bound_and_the_next_goes_on(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    """Millions of positions without anything to tell: the webhook is locked while it is read."""
    webhook = await hook(service, receiver)
    await connection.execute(
        "SELECT setval('history_position', $1)", webhook["cursor"] + MAX_STRIDES * STRIDE + 5
    )
    await follow(service)

    await work(jobs, connection)
    first = await column(connection, "SELECT cursor FROM webhooks")
    received = len(receiver.received)
    await work(jobs, connection)

    assert first == [webhook["cursor"] + MAX_STRIDES * STRIDE]
    assert received == 0
    assert [one.json["data"]["openid"] for one in receiver.received] == [OPENID]


async def test_nothing_personal_is_copied_into_deliveries_and_jobs(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    await follow(service)
    await jobs.dispatch_webhooks()

    held = await column(
        connection,
        "SELECT d::text FROM webhook_deliveries d UNION ALL SELECT w::text FROM webhooks w "
        "UNION ALL SELECT convert_from(payload, 'UTF8') || COALESCE(dedupe_key, '') "
        "FROM pgqueuer WHERE entrypoint = 'feed.deliver'",
    )
    assert len(held) == 3
    assert [one for one in held if OPENID in one] == []


async def test_an_event_that_commits_late_behind_others_is_not_lost(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    late = connection.transaction()
    await late.start()
    await connection.execute(
        "INSERT INTO follow_events (id, appid, openid, action, occurred_at, source) "
        "VALUES (gen_random_uuid(), $1, 'oLATE', 'follow', now(), 'sync')",
        APPID,
    )
    await follow(service)
    await jobs.dispatch_webhooks()
    before = await service.read("webhooks")
    await late.commit()

    await work(jobs, connection)

    assert before["items"][0]["cursor"] < receiver.received[0].json["cursor"]
    assert [one.json["data"]["openid"] for one in receiver.received] == ["oLATE", OPENID]


async def test_a_success_with_a_huge_body_is_a_success(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    receiver.always = type(receiver.always)(b"x" * 1_000_000)
    await followers(service, 2)

    await work(jobs, connection)

    assert len(receiver.received) == 2
    assert [one["status_code"] for one in await deliveries(connection)] == [200, 200]


async def test_an_attempt_that_gets_no_answer_in_time_fails(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    connection: asyncpg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(send, "ATTEMPT_TIMEOUT_SECONDS", 0.2)
    receiver.holding = asyncio.Event()
    await hook(service, receiver)
    await follow(service)

    async with asyncio.timeout(PATIENCE_SECONDS):
        await work(jobs, connection)

    (delivery,) = await deliveries(connection)
    assert (delivery["status"], delivery["attempts"]) == ("waiting", 1)
    assert (delivery["status_code"], delivery["error"]) == (None, "no answer in time")
