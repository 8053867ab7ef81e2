"""Fixtures of this room: the service, WeChat, and an endpoint of another system."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.service import clock, jobs, service, settings_for, wechat
from tests.webhooks.receiver import Receiver, receiving

__all__ = ["clock", "jobs", "service", "wechat"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings that let webhooks reach this machine."""
    return settings_for(database_url, tmp_path, webhook_allow_http=True, webhook_allow_private=True)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """An endpoint that accepts everything, until it is told otherwise."""
    async with receiving() as receiver:
        yield receiver
