"""Fixtures of this room: the service, with a mini-program whose backend reports, and WeChat."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.service import (
    CARD_APPID,
    Service,
    WorldClock,
    clock,
    jobs,
    running,
    settings_for,
    wechat,
    without_appsecret,
)

__all__ = ["clock", "jobs", "service", "settings", "wechat"]

MINI_PROGRAM = "wx00000000000000ee"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of this test's service."""
    return settings_for(database_url, tmp_path, mini_program_appids=(CARD_APPID, MINI_PROGRAM))


@pytest.fixture
async def service(settings: Settings, clock: WorldClock, patience: None) -> AsyncIterator[Service]:
    """The service, which holds no AppSecret: reports may speak for the account, too."""
    del patience
    async with running(without_appsecret(settings), clock) as service:
        yield service
