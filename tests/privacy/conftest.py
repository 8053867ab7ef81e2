"""Fixtures of this room: the service, under either policy, and WeChat."""

from collections.abc import AsyncIterator
from dataclasses import replace
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
    jobs_of,
    running,
    settings_for,
    wechat,
    without_appsecret,
)

__all__ = ["clock", "jobs", "service", "settings", "strict", "strict_jobs", "wechat"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of this test's service, with mini-programs whose backends report."""
    listed = (CARD_APPID, *MINI_PROGRAMS)
    return settings_for(database_url, tmp_path, mini_program_appids=listed)


@pytest.fixture
async def service(settings: Settings, clock: WorldClock, patience: None) -> AsyncIterator[Service]:
    """The service, which holds no AppSecret: reports may speak for the account, too."""
    del patience
    async with running(without_appsecret(settings), clock) as service:
        yield service


@pytest.fixture
def jobs(settings: Settings, database: Database, wechat: WeChat) -> Jobs:
    """The jobs of one worker; those that ask WeChat have the AppSecret, erasures know of none."""
    eraser = jobs_of(without_appsecret(settings), database, wechat).eraser
    return replace(jobs_of(settings, database, wechat), eraser=eraser)


@pytest.fixture
async def strict(settings: Settings, clock: WorldClock) -> AsyncIterator[Service]:
    """The service with ON_UNFOLLOW=everything."""
    everything = without_appsecret(settings).model_copy(update={"on_unfollow": "everything"})
    async with running(everything, clock) as service:
        yield service


@pytest.fixture
def strict_jobs(strict: Service, database: Database, wechat: WeChat) -> Jobs:
    """The jobs of one worker under that policy."""
    return jobs_of(strict.settings, database, wechat)
