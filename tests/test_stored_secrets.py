"""With SECRET_KEY no secret stands in the database in clear, whoever wrote it and whenever."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from app.cli.secrets import rewrite_all
from app.settings import Settings
from app.tombstones.erasure_secret import ErasureSecretUnreadable, erasure_secret, read_secret
from app.wechat.ids import AppId
from app.worker import Jobs
from tests.privacy import makers as privacy
from tests.replies.makers import deliver, owed, statuses
from tests.service import (
    APPID,
    OPENID,
    OTHER_OPENID,
    STABLE_TOKEN,
    Json,
    Service,
    WeChat,
    WorldClock,
    card,
    clock,
    column,
    event,
    jobs_of,
    running,
    settings_for,
    wechat,
)
from tests.webhooks import makers as webhooks
from tests.webhooks.receiver import Receiver, receiving

__all__ = ["clock", "wechat"]

KEY = SecretStr("a key of sixteen characters or more")
OTHER_KEY = SecretStr("another key of sixteen characters")
ID = AppId(APPID)
ERASED = "SELECT pseudonym FROM erased_people ORDER BY pseudonym"
STORED = """
SELECT token FROM access_tokens UNION ALL SELECT secret FROM webhooks
UNION ALL SELECT encrypted FROM service_secrets
"""


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings without a key."""
    return settings_for(
        database_url,
        tmp_path,
        webhook_allow_http=True,
        webhook_allow_private=True,
        operations_public=True,
        on_unfollow="everything",
    )


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """An endpoint that accepts everything."""
    async with receiving() as receiver:
        yield receiver


@dataclass(frozen=True)
class World:
    """The service and a worker with the same keys."""

    service: Service
    jobs: Jobs
    wechat: WeChat
    connection: asyncpg.Connection

    async def erase(self, openid: str) -> Sequence[str]:
        """Let somebody follow, leave and be erased; return the pseudonyms of all who are erased."""
        clock = self.service.clock
        await self.service.push(event(clock, "subscribe", openid=openid))
        clock.advance(timedelta(seconds=1))
        await self.service.push(event(clock, "unsubscribe", openid=openid))
        await privacy.work(self.jobs, self.connection)
        return await column(self.connection, ERASED)

    async def send_card(self) -> list[str]:
        """Let somebody get a card; return the statuses of all cards so far."""
        await deliver(self.jobs, await owed(self.service, self.wechat, card()))
        return await statuses(self.connection)

    async def erasure_secret(self) -> bytes:
        """Return the secret of the pseudonyms."""
        async with self.jobs.database.sessions() as session:
            return await read_secret(session, erasure_secret(self.service.settings))

    async def secrets(self) -> Json:
        """Return what `/readyz` says of secrets."""
        part: Json = (await self.service.http.get("/readyz")).json()["parts"]["secrets"]
        return part


@asynccontextmanager
async def world(
    settings: Settings,
    clock: WorldClock,
    wechat: WeChat,
    connection: asyncpg.Connection,
    *,
    key: SecretStr | None = None,
    previous: SecretStr | None = None,
    erasure_hmac_secret: SecretStr | None = None,
) -> AsyncIterator[World]:
    keys = {
        "secret_key": key,
        "secret_key_previous": previous,
        "erasure_hmac_secret": erasure_hmac_secret,
    }
    settings = settings.model_copy(update=keys)
    async with running(settings, clock) as service:
        jobs = jobs_of(settings, service.app.state.database, wechat)
        yield World(service, jobs, wechat, connection)


Start = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def start(
    settings: Settings, clock: WorldClock, wechat: WeChat, connection: asyncpg.Connection
) -> Start:
    """Starts the service and a worker: `async with start(key=…, previous=…) as world:`."""
    return partial(world, settings, clock, wechat, connection)


async def secrets_in_use(world: World, webhook: Json) -> dict[str, str]:
    """Return every secret that the database has to hold, by what it is."""
    (token,) = [await world.jobs.tokens.get(ID)]
    return {
        "access token": token.value,
        "webhook": webhook["secret"].removeprefix("whsec_"),
        "erasure": (await world.erasure_secret()).hex(),
    }


async def use_every_secret(world: World, receiver: Receiver) -> Json:
    """Erase somebody, send a card, send and rotate a webhook; return the webhook."""
    await world.erase(OTHER_OPENID)
    webhook = await webhooks.hook(world.service, receiver)
    assert await world.send_card() == ["sent"]
    await webhooks.follow(world.service)
    await webhooks.work(world.jobs, world.connection)
    assert receiver.received[-1].verified_with(webhook["secret"])
    return webhook


@pytest.mark.parametrize("key", [KEY, None])
async def test_no_table_holds_a_secret_in_clear_if_there_is_a_key(
    start: Start, receiver: Receiver, key: SecretStr | None
) -> None:
    async with start(key=key) as world:
        webhook = await use_every_secret(world, receiver)
        await world.service.api("POST", f"webhooks/{webhook['id']}/secret", json={})

        tables = {
            name: set(await privacy.found(world.connection, secret))
            for name, secret in (await secrets_in_use(world, webhook)).items()
        }
        part = await world.secrets()

    in_clear = {
        "access token": {"access_tokens"},
        "webhook": {"webhooks"},
        "erasure": {"service_secrets"},
    }
    assert tables == ({name: set() for name in in_clear} if key else in_clear)
    assert part["status"] == "ok"
    assert part["detail"] == (
        "encrypted with SECRET_KEY" if key else "stand in the database in clear: set SECRET_KEY"
    )


async def test_secrets_from_before_the_key_go_on_and_a_command_encrypts_them(
    start: Start,
    receiver: Receiver,
    wechat: WeChat,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keyed = settings.model_copy(update={"secret_key": KEY})
    async with start() as world:
        webhook = await use_every_secret(world, receiver)
        secrets = await secrets_in_use(world, webhook)
    async with start(key=KEY) as world:
        used = await secrets_in_use(world, webhook)
        before = await world.secrets()
        first = await rewrite_all(keyed)
        after = await world.secrets()
        again = await rewrite_all(keyed)
        noted = await column(
            world.connection, "SELECT after FROM audit_log WHERE action = 'secrets.rewritten'"
        )
        tables = [await privacy.found(world.connection, one) for one in secrets.values()]
        pseudonyms = await world.erase(OTHER_OPENID)
    async with start(key=KEY) as world:
        reused = await secrets_in_use(world, webhook)
        sent = await world.send_card()

    assert secrets == used == reused
    assert noted == ["encrypted", "encrypted"]
    assert tables == [{}, {}, {}]
    assert len(wechat.calls(STABLE_TOKEN)) == 1
    assert len(pseudonyms) == 1  # the same hash as before
    assert sent == ["sent", "sent"]
    assert before["detail"].startswith("2 are in clear")
    assert after["detail"] == "encrypted with SECRET_KEY"
    assert (first, again) == (0, 0)
    told = [line for line in capsys.readouterr().out.splitlines() if "stored anew" in line]
    assert told == [f"{number} secrets are stored anew, encrypted" for number in (3, 0)]


async def test_a_key_is_changed_with_the_one_before_beside_it(
    start: Start, receiver: Receiver, wechat: WeChat
) -> None:
    async with start(key=KEY) as world:
        webhook = await use_every_secret(world, receiver)
        secrets = await secrets_in_use(world, webhook)
    async with start(key=OTHER_KEY, previous=KEY) as world:
        during = await secrets_in_use(world, webhook)
        before = await world.secrets()
        assert await rewrite_all(world.service.settings) == 0
    async with start(key=OTHER_KEY) as world:
        after = await secrets_in_use(world, webhook)
        part = await world.secrets()
        await webhooks.follow(world.service, "oSOMEBODY-ELSE")
        await webhooks.work(world.jobs, world.connection)

    assert secrets == during == after
    assert receiver.received[-1].verified_with(webhook["secret"])
    assert before["detail"].startswith("2 are in clear, or encrypted with the key before")
    assert (part["status"], part["detail"]) == ("ok", "encrypted with SECRET_KEY")
    assert len(wechat.calls(STABLE_TOKEN)) == 1


async def test_without_a_key_the_command_stores_in_clear_again(
    start: Start, receiver: Receiver, settings: Settings
) -> None:
    """So that an earlier release can be used again."""
    async with start(key=KEY) as world:
        webhook = await use_every_secret(world, receiver)
        secrets = await secrets_in_use(world, webhook)
    assert await rewrite_all(settings.model_copy(update={"secret_key_previous": KEY})) == 0
    async with start() as world:
        assert await secrets_in_use(world, webhook) == secrets


@pytest.mark.parametrize("key", [OTHER_KEY, None], ids=["another", "none"])
async def test_a_wrong_key_costs_a_call_and_never_another_secret(
    start: Start,
    receiver: Receiver,
    wechat: WeChat,
    capsys: pytest.CaptureFixture[str],
    key: SecretStr | None,
) -> None:
    async with start(key=KEY) as world:
        webhook = await use_every_secret(world, receiver)
        stored = await column(world.connection, STORED)
    async with start(key=key) as world:
        part = await world.secrets()
        with pytest.raises(ErasureSecretUnreadable, match="SECRET_KEY"):
            await world.erase(OPENID)
        identity = {"appid": "wxabcdef0123456789", "openid": OTHER_OPENID, "unionid": "oU"}
        report = await world.service.api("PUT", "identities", json={"identities": [identity]})
        sent = await world.send_card()
        exit_code = await rewrite_all(world.service.settings)
        left = await column(world.connection, STORED)

    assert sent == ["sent", "sent"]
    assert len(wechat.calls(STABLE_TOKEN)) == 2  # in the stead of the token that can't be read
    assert left[1:] == stored[1:]
    assert part["status"] == "degraded"
    assert exit_code == 1
    for told in (part["detail"], capsys.readouterr().err):
        assert "the secret of erased people" in told
        assert f"the secret of webhook {webhook['id']}" in told
        assert "SECRET_KEY_PREVIOUS" in told
    assert (report.status_code, "SECRET_KEY" in report.json()["detail"]) == (503, True)


async def test_a_secret_of_the_settings_needs_no_key(start: Start) -> None:
    async with start(key=KEY) as world:
        await world.erase(OTHER_OPENID)
    async with start(erasure_hmac_secret=OTHER_KEY) as world:
        part = await world.secrets()
        pseudonyms = await world.erase(OPENID)

    assert part["status"] == "ok"
    assert len(pseudonyms) == 2


async def test_readiness_names_addresses_of_alarms_that_are_in_clear_or_unreadable(
    start: Start,
) -> None:
    receiver = {"kind": "wecom", "name": "Ops", "url": "https://qyapi.weixin.qq.com/?key=hidden"}
    async with start() as world:
        added = await world.service.api("POST", "alarms/receivers", json=receiver)
    async with start(key=KEY) as world:
        in_clear = await world.secrets()
        assert await rewrite_all(world.service.settings) == 0
        encrypted = await world.secrets()
    async with start(key=OTHER_KEY) as world:
        unreadable = await world.secrets()

    assert added.status_code == 201, added.text
    assert in_clear["detail"].startswith("1 are in clear")
    assert encrypted["detail"] == "encrypted with SECRET_KEY"
    assert unreadable["status"] == "degraded"
    assert f"the address of alarm receiver {added.json()['id']}" in unreadable["detail"]
