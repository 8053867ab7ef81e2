"""In plain mode a captured signature carries no other push than the one that it came with."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from uuid_utils.compat import uuid7

from app.callback import inbox
from app.callback.plain_signatures import KEPT_FOR, sweep
from app.db.engine import Database
from app.settings import MessageMode, Settings
from app.wechat.inbound.dedupe import digest_of
from simulator.accounts import Mode
from simulator.envelopes import Stamp, new_stamp
from tests.callback.makers import drained, locked, record, running_inbox
from tests.service import (
    ACCOUNT,
    Service,
    WorldClock,
    column,
    counted,
    event,
    message,
    running,
    settings_for,
)
from tests.waiting import eventually

PLAIN = ACCOUNT.model_copy(update={"mode": Mode.PLAIN})
COUNT = "SELECT count(*) FROM callbacks"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path, wechat_message_mode=MessageMode.PLAIN)


@pytest.fixture
async def other(settings: Settings, clock: WorldClock, tmp_path: Path) -> AsyncIterator[Service]:
    """A second process, of another machine."""
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "other"})
    async with running(elsewhere, clock) as service:
        yield service


async def status(service: Service, document: dict[str, object], stamp: Stamp) -> int:
    return (await service.push(document, account=PLAIN, stamp=stamp)).status_code


async def test_another_push_under_the_same_signature_is_refused_in_every_process(
    service: Service, other: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    stamp = new_stamp(clock.now())
    before = counted("refusals_total", reason="signature_used")
    assert await status(service, message(clock, "seen"), stamp) == 200

    forged = [message(clock, "forged"), event(clock, "unsubscribe")]
    answers = [await status(one, push, stamp) for one in (service, other) for push in forged]

    assert answers == [403] * 4
    assert counted("refusals_total", reason="signature_used") == before + 4
    assert await column(connection, COUNT) == [1]


async def test_a_retry_is_the_same_push_under_the_same_or_another_signature(
    service: Service, other: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    pushed, stamp = message(clock), new_stamp(clock.now())

    answers = [
        await status(service, pushed, stamp),
        await status(other, pushed, stamp),
        await status(service, pushed, new_stamp(clock.now() + timedelta(seconds=5))),
    ]

    assert answers == [200] * 3
    assert await column(connection, COUNT) == [1]


async def test_the_version_before_knows_the_push_that_a_signature_came_with(
    service: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await status(service, message(clock), new_stamp(clock.now()))

    [key] = await column(connection, "SELECT dedupe_key FROM callbacks")
    # Its keys had no time, and it refuses a push whose key is not the one that is noted.
    assert await column(connection, "SELECT dedupe_key FROM plain_signatures") == [digest_of(key)]


async def test_a_push_that_the_version_before_has_spooled_came_with_its_signature(
    database_url: str, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    pushed = replace(record(clock), signature=b"s" * 20)
    spooled = replace(pushed, id=uuid7(), dedupe_key=digest_of(pushed.dedupe_key))

    async with running_inbox(database_url) as inbox:
        results = [await inbox.keep(one) for one in (pushed, spooled)]

    assert [one.duplicate for one in results] == [False, True]
    assert await column(connection, COUNT) == [1]


async def test_of_two_pushes_at_once_under_one_signature_one_is_stored(
    service: Service, other: Service, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    stamp = new_stamp(clock.now())

    answers = await asyncio.gather(
        *(
            status(one, message(clock, f"text {n}"), stamp)
            for n in range(5)
            for one in (service, other)
        )
    )

    assert sorted(answers) == [200, *[403] * 9]
    assert await column(connection, COUNT) == [1]


async def test_what_was_spooled_under_a_used_signature_is_a_dead_letter(
    service: Service,
    settings: Settings,
    connection: asyncpg.Connection,
    clock: WorldClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(inbox, "FLUSH_SECONDS", 0.2)
    stamp = new_stamp(clock.now())
    async with locked(settings.database_url):
        answers = [await status(service, message(clock, words), stamp) for words in ("one", "two")]
    await eventually(drained(service.inbox))

    assert answers == [200, 200]
    assert await column(connection, COUNT) == [1]
    assert service.inbox.spool_status().dead_letters == 1


async def test_signatures_go_once_they_are_too_old_to_be_used(
    service: Service, database: Database, connection: asyncpg.Connection, clock: WorldClock
) -> None:
    await status(service, message(clock, "old"), new_stamp(clock.now()))
    clock.advance(KEPT_FOR - timedelta(seconds=1))
    await status(service, message(clock, "new"), new_stamp(clock.now()))

    await sweep(database.sessions, clock)
    assert await column(connection, "SELECT count(*) FROM plain_signatures") == [2]
    clock.advance(timedelta(seconds=1))
    await sweep(database.sessions, clock)
    assert await column(connection, "SELECT count(*) FROM plain_signatures") == [1]
