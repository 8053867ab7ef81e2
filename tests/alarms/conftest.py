"""Fixtures of this room: the service, a worker, and the group robots of the simulator."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.settings import Settings
from simulator.group_robots import GroupRobots
from tests.alarms.makers import Group
from tests.alarms.served import served
from tests.service import WorldClock, clock, jobs, service, settings_for, wechat

__all__ = ["clock", "jobs", "service", "wechat"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings that let alarms reach this machine."""
    return settings_for(
        database_url,
        tmp_path,
        webhook_allow_http=True,
        webhook_allow_private=True,
        secret_key="a key of sixteen characters or more",
    )


@pytest.fixture
async def group(clock: WorldClock) -> AsyncIterator[Group]:
    """Groups with a robot each of 企业微信, 飞书 and 钉钉, on a real port."""
    robots = GroupRobots(now=lambda: clock.now().timestamp())
    async with served(robots.app()) as address:
        yield Group(robots, address)
