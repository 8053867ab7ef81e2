"""Fixtures of this room: the service, under either policy, and WeChat."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.db.engine import Database
from app.settings import Settings
from app.worker import Jobs
from tests.privacy.makers import MINI_PROGRAMS
from tests.service import (
    CARD_APPID,
    Service,
    WeChat,
    WorldClock,
    clock,
    jobs,
    jobs_of,
    running,
    service,
    settings_for,
    wechat,
)

__all__ = ["clock", "jobs", "service", "settings", "strict", "strict_jobs", "wechat"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of this test's service, with mini-programs whose backends report."""
    listed = (CARD_APPID, *MINI_PROGRAMS)
    return settings_for(database_url, tmp_path, mini_program_appids=listed)


@pytest.fixture
async def strict(settings: Settings, clock: WorldClock) -> AsyncIterator[Service]:
    """The service with ON_UNFOLLOW=everything."""
    async with running(settings.model_copy(update={"on_unfollow": "everything"}), clock) as service:
        yield service


@pytest.fixture
def strict_jobs(strict: Service, database: Database, wechat: WeChat) -> Jobs:
    """The jobs of one worker under that policy."""
    return jobs_of(strict.settings, database, wechat)
