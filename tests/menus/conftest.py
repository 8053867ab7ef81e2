"""A service whose calls about menus reach the simulator."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.menus.publishing import know_wechat
from tests.service import (
    CARD_APPID,
    Service,
    WeChat,
    WorldClock,
    clock,
    jobs,
    running,
    settings_for,
    wechat,
)

__all__ = ["clock", "jobs", "wechat"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with a mini-program that menus may open."""
    return settings_for(database_url, tmp_path, mini_program_appids=CARD_APPID)


@pytest.fixture
async def service(
    settings: Settings, clock: WorldClock, wechat: WeChat, patience: None
) -> AsyncIterator[Service]:
    """The web application, whose calls about menus reach the simulator."""
    del patience
    async with running(settings, clock) as found:
        know_wechat(found, wechat)
        yield found
