"""Webhooks hear that somebody has left and is erased, however long they were away."""

from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from starlette.responses import Response

from app.settings import Settings
from app.worker import Jobs
from simulator.followers import unionid_of
from tests.privacy.makers import TEXT, UNIONID, found, leave, live, privacy, work
from tests.privacy.test_from_operator import run
from tests.service import APPID, OPENID, Service, column, message, rows, settings_for
from tests.webhooks.conftest import receiver
from tests.webhooks.makers import follow, hook
from tests.webhooks.makers import work as tell
from tests.webhooks.receiver import Receiver

__all__ = ["receiver"]

MINUTES = timedelta(minutes=6)
FINISHED = "SELECT finished_at IS NOT NULL FROM erasures"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of a strict service whose webhooks may lead to this machine."""
    return settings_for(
        database_url,
        tmp_path,
        webhook_allow_http=True,
        webhook_allow_private=True,
        on_unfollow="everything",
    )


async def later(
    service: Service, jobs: Jobs, connection: asyncpg.Connection, step: timedelta = MINUTES
) -> None:
    """Let some time go by, with the sweep at its end."""
    service.clock.advance(step)
    await tell(jobs, connection)
    await jobs.sweep()
    await work(jobs, connection)


async def test_an_unfollow_is_sent_to_webhooks_before_it_is_erased(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver, types=["follow.*"])
    await follow(service)
    await service.push(leave(service))
    waits = await column(
        connection,
        "SELECT execute_after > created FROM pgqueuer WHERE entrypoint = 'privacy.erase'",
    )

    await tell(jobs, connection)
    await work(jobs, connection)

    assert waits == [True]
    assert [one.json["data"]["openid"] for one in receiver.received] == [OPENID, OPENID]
    assert await found(connection, OPENID) == {}


async def test_ids_are_erased_once_an_unavailable_endpoint_has_been_notified(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await hook(service, receiver, types=["follow.deleted", "identity.erased"])
    receiver.always = Response(status_code=500)
    service.clock.advance(timedelta(seconds=5))
    await service.push(leave(service))
    await tell(jobs, connection)
    await work(jobs, connection)
    await later(service, jobs, connection, timedelta(minutes=2))
    meanwhile = await found(connection, TEXT)
    unfinished = await column(connection, FINISHED)

    receiver.always = Response()
    receiver.received.clear()
    await later(service, jobs, connection)

    assert meanwhile.keys() == {"rules", "rule_revisions"}  # contents do not wait
    assert unfinished == [False]
    assert receiver.types == ["follow.deleted", "identity.erased"]
    assert {one.json["data"]["openid"] for one in receiver.received} == {OPENID}
    assert receiver.received[1].json["data"]["unionid"] == UNIONID
    assert receiver.received[0].json["data"]["scene"] is None
    for word in (OPENID, UNIONID):
        assert await found(connection, word) == {}
    assert await column(connection, FINISHED) == [True]


async def test_no_erasure_is_sent_for_a_person_who_follows_again_before_it(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    """Who deleted them then would delete a follower."""
    await live(service, connection)
    await hook(service, receiver, types=["follow.*", "identity.erased"])
    service.clock.advance(timedelta(seconds=5))
    await service.push(leave(service))
    service.clock.advance(timedelta(seconds=5))
    await follow(service)

    await work(jobs, connection)
    await tell(jobs, connection)
    await later(service, jobs, connection)

    assert receiver.types == ["follow.deleted", "follow.created"]
    assert await column(connection, FINISHED) == [True]
    assert await column(connection, "SELECT following FROM followers") == [True]


async def test_after_a_day_ids_are_erased_without_notice_and_the_certificate_says_so(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await hook(service, receiver)
    receiver.always = Response(status_code=500)
    service.clock.advance(timedelta(seconds=5))
    await service.push(leave(service))
    await tell(jobs, connection)
    await work(jobs, connection)
    await later(service, jobs, connection, timedelta(hours=23))
    held = await found(connection, OPENID)

    await later(service, jobs, connection, timedelta(hours=2))

    assert "openids" in held
    assert await found(connection, OPENID) == {}
    (certificate,) = await rows(connection, "SELECT finished_at, counts FROM erasures")
    assert certificate["finished_at"] is not None
    assert '"webhooks_not_told": 1' in certificate["counts"]
    receiver.always = Response()
    receiver.received.clear()
    await later(service, jobs, connection, timedelta(days=2))
    assert receiver.received == []


async def test_an_erasure_on_request_is_sent_once(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await hook(service, receiver, types=["identity.erased"])

    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)
    waiting = await column(connection, FINISHED)
    for _ in range(2):
        await later(service, jobs, connection)

    assert waiting == [False]
    assert [one.json["data"] | {"id": None} for one in receiver.received] == [
        {"id": None, "appid": APPID, "openid": OPENID, "unionid": UNIONID}
    ]
    assert await column(connection, FINISHED) == [True]
    assert await found(connection, OPENID) == {}


async def test_the_erasure_of_a_linked_openid_is_sent_as_well(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver, types=["identity.erased"])
    await follow(service)
    service.clock.advance(timedelta(seconds=5))
    closed = privacy(service, "user_authorization_cancellation", "", UnionID=unionid_of(OPENID))
    await service.push(closed)
    await work(jobs, connection)

    await jobs.resolve({"appid": APPID})
    for _ in range(3):
        await later(service, jobs, connection)

    assert [one.json["data"]["openid"] for one in receiver.received] == [OPENID]
    for word in (OPENID, unionid_of(OPENID)):
        assert await found(connection, word) == {}


async def test_a_second_erasure_of_a_person_who_returned_is_sent_again(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await live(service, connection)
    await hook(service, receiver, types=["identity.erased"])

    for words in ("first", "second"):
        await service.api("DELETE", "users", params={"appid": APPID, "openid": OPENID})
        service.clock.advance(timedelta(seconds=5))
        await service.push(message(service.clock, words))
        await work(jobs, connection)
        await later(service, jobs, connection)

    assert receiver.types == ["identity.erased"] * 2
    assert await column(
        connection, "SELECT count(*) FROM identity_events WHERE action = 'erased'"
    ) == [0]


async def test_the_command_says_that_webhooks_are_notified_first(
    service: Service,
    receiver: Receiver,
    database_url: str,
    tmp_path: Path,
    connection: asyncpg.Connection,
) -> None:
    await live(service, connection)
    await hook(service, receiver)

    status, said = await run(database_url, tmp_path, UNIONID, "--yes")

    assert status == 0, said
    assert "once the webhooks are notified" in said
    assert (await found(connection, TEXT)).keys() == {"rules", "rule_revisions"}
    assert await column(connection, FINISHED) == [False]


async def test_an_erasure_that_waits_is_looked_at_less_and_less_often(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    """Thousands that wait for one endpoint must not keep others from being rung for."""
    await live(service, connection)
    await hook(service, receiver, types=["identity.erased"])
    await service.api("DELETE", f"users/{UNIONID}")
    await work(jobs, connection)
    rings: list[int] = []
    for minutes in (1, 1, 58, 9, 2):
        service.clock.advance(timedelta(minutes=minutes, seconds=1))
        await jobs.sweep()
        rings += await column(
            connection, "SELECT count(*) FROM pgqueuer WHERE entrypoint = 'privacy.erase'"
        )
        await work(jobs, connection)

    assert rings == [1, 1, 1, 0, 1]


@pytest.mark.parametrize("types", [["subscription.*"], ["*"]])
async def test_nobody_waits_for_a_webhook_that_does_not_listen_or_is_switched_off(
    service: Service,
    jobs: Jobs,
    receiver: Receiver,
    connection: asyncpg.Connection,
    types: list[str],
) -> None:
    await hook(service, receiver, types=types, enabled=types != ["*"])
    await follow(service)
    await service.push(leave(service))

    await work(jobs, connection)

    assert await found(connection, OPENID) == {}


async def test_erased_data_is_not_sent(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    """No delivery is made of it either: a replay goes past any number of such events."""
    await hook(service, receiver, types=["follow.created", "subscription.*"])
    await follow(service)
    await service.push(leave(service))

    await work(jobs, connection)
    await tell(jobs, connection)

    assert receiver.received == []
    assert await column(connection, "SELECT status FROM webhook_deliveries") == []
    (shown,) = (await service.read("webhooks"))["items"]
    assert shown["cursor"] > 1
