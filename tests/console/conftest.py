"""The console of a running service, and operators of each role."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from app.access.roles import Role
from tests.console.browser import ConsoleInBrowser, chromium, serving
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


@pytest_asyncio.fixture(loop_scope="session")
async def console_in_browser(
    browser: Browser, database_url: str, tmp_path: Path
) -> AsyncIterator[ConsoleInBrowser]:
    """A service of this test alone, with its console in the browser."""
    async with (
        running(settings_for(database_url, tmp_path), WorldClock()) as service,
        serving(service) as origin,
    ):
        yield ConsoleInBrowser(browser, service, origin)
