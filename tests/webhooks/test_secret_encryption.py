"""Signing secrets are sealed in the database when the settings have a key."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from pydantic import SecretStr

from app.cli.secrets import rewrite_all
from app.db.engine import Database
from app.secret_box import ENCRYPTED_PREFIX, SecretBox
from app.settings import Settings
from app.worker import Jobs
from tests.service import (
    OPENID,
    THIRD_OPENID,
    Service,
    WeChat,
    WorldClock,
    column,
    jobs_of,
    running,
)
from tests.webhooks.makers import follow, followers, hook, work
from tests.webhooks.receiver import Receiver

KEY = SecretStr("a key of sixteen characters or more")
OTHER_KEY = SecretStr("another key of sixteen characters")
STORED = "SELECT secret FROM webhooks UNION SELECT secret_previous FROM webhooks"


@pytest.fixture
async def sealing(settings: Settings, clock: WorldClock) -> AsyncIterator[Service]:
    """The service with a key."""
    async with running(settings.model_copy(update={"webhook_secret_key": KEY}), clock) as service:
        yield service


def jobs_with(key: SecretStr | None, service: Service, database: Database, wechat: WeChat) -> Jobs:
    settings = service.settings.model_copy(update={"webhook_secret_key": key})
    return jobs_of(settings, database, wechat)


async def test_the_database_does_not_hold_what_signs(
    sealing: Service,
    database: Database,
    wechat: WeChat,
    receiver: Receiver,
    connection: asyncpg.Connection,
) -> None:
    webhook = await hook(sealing, receiver)
    rotated = (await sealing.api("POST", f"webhooks/{webhook['id']}/secret", json={})).json()
    await follow(sealing)

    await work(jobs_with(KEY, sealing, database, wechat), connection)

    stored = await column(connection, STORED)
    assert len(stored) == 2
    assert all(one.startswith(ENCRYPTED_PREFIX) for one in stored)
    (got,) = receiver.received
    for secret in (webhook["secret"], rotated["secret"]):
        assert got.verified_with(secret)["data"]["openid"] == OPENID
    assert "secret" not in await sealing.read(f"webhooks/{webhook['id']}")


@pytest.mark.parametrize("key", [None, OTHER_KEY])
async def test_without_the_right_key_nothing_is_sent_and_nothing_lost(
    sealing: Service,
    database: Database,
    wechat: WeChat,
    receiver: Receiver,
    connection: asyncpg.Connection,
    key: SecretStr | None,
) -> None:
    webhook = await hook(sealing, receiver)
    openids = await followers(sealing, 3)
    await work(jobs_with(key, sealing, database, wechat), connection)
    sent = len(receiver.received)
    shown = await sealing.read(f"webhooks/{webhook['id']}")

    sealing.clock.advance(timedelta(minutes=5))
    await work(jobs_with(KEY, sealing, database, wechat), connection)

    assert sent == 0
    assert shown["enabled"]
    assert shown["rests_until"] is not None
    assert [one.json["data"]["openid"] for one in receiver.received] == openids
    assert receiver.received[0].verified_with(webhook["secret"])


async def test_a_previous_secret_of_another_key_does_not_stop_what_the_new_one_signs(
    sealing: Service,
    database: Database,
    wechat: WeChat,
    receiver: Receiver,
    connection: asyncpg.Connection,
) -> None:
    webhook = await hook(sealing, receiver)
    purpose = UUID(webhook["id"]).bytes
    await connection.execute(
        "UPDATE webhooks SET secret = $1", SecretBox(OTHER_KEY).encrypt(webhook["secret"], purpose)
    )
    rotated = (await sealing.api("POST", f"webhooks/{webhook['id']}/secret", json={})).json()
    await follow(sealing)

    await work(jobs_with(KEY, sealing, database, wechat), connection)

    (got,) = receiver.received
    assert got.verified_with(rotated["secret"])["data"]["openid"] == OPENID
    assert len(got.headers["webhook-signature"].split()) == 1


async def test_a_secret_from_before_the_key_goes_on_and_is_sealed_once_it_is_changed(
    service: Service,
    sealing: Service,
    database: Database,
    wechat: WeChat,
    receiver: Receiver,
    connection: asyncpg.Connection,
) -> None:
    webhook = await hook(service, receiver)
    await follow(service)
    await work(jobs_with(KEY, sealing, database, wechat), connection)
    before = await column(connection, "SELECT secret FROM webhooks")

    await sealing.api("POST", f"webhooks/{webhook['id']}/secret", json={"overlap_hours": 0})

    assert before == [webhook["secret"]]
    assert receiver.received[0].verified_with(webhook["secret"])
    assert all(
        one.startswith(ENCRYPTED_PREFIX)
        for one in await column(connection, "SELECT secret FROM webhooks")
    )


async def test_what_the_former_setting_encrypted_goes_on_under_secret_key(
    sealing: Service,
    database: Database,
    wechat: WeChat,
    receiver: Receiver,
    connection: asyncpg.Connection,
) -> None:
    webhook = await hook(sealing, receiver)
    await follow(sealing)
    keys = {"secret_key": OTHER_KEY, "webhook_secret_key": KEY}
    both = sealing.settings.model_copy(update=keys)

    await work(jobs_of(both, database, wechat), connection)
    assert await rewrite_all(both) == 0
    await follow(sealing, THIRD_OPENID)
    only_new = both.model_copy(update={"webhook_secret_key": None})
    await work(jobs_of(only_new, database, wechat), connection)

    assert [one.verified_with(webhook["secret"])["type"] for one in receiver.received] == [
        "follow.created",
        "follow.created",
    ]
