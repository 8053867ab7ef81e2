"""A service that knows a mini-program with its AppSecret, and WeChat that knows it, too."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.links.makers import MINI_PROGRAM, accounts_file, know_mini_program
from tests.service import (
    Service,
    WeChat,
    WorldClock,
    clock,
    jobs,
    running,
    service,
    settings_for,
    wechat,
)

__all__ = ["clock", "jobs", "service", "wechat"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with a mini-program."""
    return settings_for(
        database_url,
        tmp_path,
        accounts_file=accounts_file(tmp_path),
        public_url="https://oa.example.com",
    )


@pytest.fixture(autouse=True)
def mini_program(wechat: WeChat) -> None:
    """Let WeChat know the mini-program."""
    wechat.state.accounts[MINI_PROGRAM.appid] = MINI_PROGRAM


@pytest.fixture
async def linked(settings: Settings, clock: WorldClock, wechat: WeChat) -> AsyncIterator[Service]:
    """The web application, whose calls for single links reach the simulator."""
    async with running(settings, clock) as found:
        know_mini_program(found, wechat)
        yield found
