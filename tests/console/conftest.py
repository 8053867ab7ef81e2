"""The console of a running service, and operators of each role."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from app.access.roles import Role
from tests.console.browser import ConsoleInBrowser, Stage, View, Visit, chromium, serving
from tests.console.operator import Operator, signed_in
from tests.service import (
    Service,
    WorldClock,
    clock,
    jobs,
    running,
    service,
    settings,
    settings_for,
    wechat,
)

__all__ = ["clock", "jobs", "service", "settings", "wechat"]


@pytest.fixture
async def owner(service: Service) -> AsyncIterator[Operator]:
    """An owner with English pages."""
    async with signed_in(service, Role.OWNER) as operator:
        yield operator


@pytest.fixture
async def viewer(service: Service) -> AsyncIterator[Operator]:
    """A viewer with English pages."""
    async with signed_in(service, Role.VIEWER, name="Viewer") as operator:
        yield operator


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser of this test process."""
    async with chromium() as browser:
        yield browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stage() -> AsyncIterator[Stage]:
    """The port behind which each test puts its service."""
    stage = Stage()
    async with serving(stage) as stage.origin:
        yield stage


@pytest.fixture(scope="session")
def windows() -> dict[View, Visit]:
    """The windows that stay from one test to the next."""
    return {}


@pytest_asyncio.fixture(loop_scope="session")
async def console_in_browser(
    browser: Browser,
    stage: Stage,
    windows: dict[View, Visit],
    database_url: str,
    tmp_path: Path,
) -> AsyncIterator[ConsoleInBrowser]:
    """A service of this test alone, with its console in the browser."""
    async with running(settings_for(database_url, tmp_path), WorldClock()) as service:
        stage.app = service.app
        yield ConsoleInBrowser(browser, service, stage.origin, windows)
        stage.app = None
