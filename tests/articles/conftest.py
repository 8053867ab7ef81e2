"""A service that knows a mini-program, and whose calls of WeChat's API reach the simulator."""

import pytest

from tests.links.conftest import clock, jobs, linked, mini_program, service, settings, wechat
from tests.links.makers import added
from tests.service import Json, Service

__all__ = ["clock", "jobs", "linked", "mini_program", "service", "settings", "wechat"]


@pytest.fixture
async def link(linked: Service) -> Json:
    """A link with the slug summer26."""
    return await added(linked)
