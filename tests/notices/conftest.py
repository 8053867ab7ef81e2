"""Fixtures of this room: the service and WeChat with templates."""

from collections.abc import AsyncIterator

import pytest

from app.settings import Settings
from tests.notices.makers import TEMPLATES, know_templates
from tests.service import APPID, Service, WeChat, WorldClock, clock, jobs, running, settings, wechat

__all__ = ["clock", "jobs", "settings", "wechat"]


@pytest.fixture
async def service(settings: Settings, clock: WorldClock, wechat: WeChat) -> AsyncIterator[Service]:
    """The web application, which knows the templates of the account."""
    wechat.state.notices.templates[APPID] = {one.template_id: one for one in TEMPLATES}
    async with running(settings, clock) as found:
        know_templates(found, wechat)
        answer = await found.api("POST", "templates/refresh", json={"appid": APPID})
        assert answer.status_code == 200, answer.text
        yield found
