"""A service whose own calls about templates, tags and drafts reach the simulator."""

from collections.abc import AsyncIterator

import pytest

from app.settings import Settings
from tests.links.conftest import clock, jobs, mini_program, settings, wechat
from tests.links.makers import know_mini_program
from tests.notices.makers import know_recipients
from tests.service import Service, WeChat, WorldClock, running
from tests.tags.makers import reach_wechat

__all__ = ["clock", "jobs", "mini_program", "settings", "wechat"]


@pytest.fixture
async def service(settings: Settings, clock: WorldClock, wechat: WeChat) -> AsyncIterator[Service]:
    """The web application."""
    async with running(settings, clock) as found:
        await know_recipients(found, wechat)
        know_mini_program(found, wechat)
        reach_wechat(found, wechat)
        yield found
