"""Webhooks hear of a leaving before it is erased, and of nobody who is."""

from pathlib import Path

import asyncpg
import pytest

from app.settings import Settings
from app.worker import Jobs
from tests.feed.conftest import receiver
from tests.feed.makers import follow, hook
from tests.feed.makers import work as tell
from tests.feed.receiver import Receiver
from tests.privacy.makers import leave, work
from tests.service import OPENID, Service, column, settings_for

__all__ = ["receiver"]


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


async def test_a_leaving_is_told_in_the_moment_before_it_is_erased(
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


async def test_what_is_erased_is_not_told(
    service: Service, jobs: Jobs, receiver: Receiver, connection: asyncpg.Connection
) -> None:
    await hook(service, receiver)
    await follow(service)
    await service.push(leave(service))

    await work(jobs, connection)
    await tell(jobs, connection)

    assert receiver.received == []
    assert set(await column(connection, "SELECT status FROM webhook_deliveries")) == {"skipped"}
