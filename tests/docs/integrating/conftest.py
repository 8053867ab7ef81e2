"""Fixtures of the pages: the service on a real port, WeChat, and the languages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.settings import Settings
from tests.docs.integrating.examples import LANGUAGES, Language, served
from tests.service import ADMIN_TOKEN, Service, clock, jobs, service, settings_for, wechat

__all__ = ["clock", "jobs", "service", "wechat"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings that let webhooks reach this machine."""
    return settings_for(database_url, tmp_path, webhook_allow_http=True, webhook_allow_private=True)


@pytest.fixture(params=LANGUAGES, ids=lambda language: language.name)
def language(request: pytest.FixtureRequest) -> Language:
    """Each language that is at hand."""
    found: Language = request.param
    found.require()
    return found


@pytest.fixture
async def api(service: Service) -> AsyncIterator[dict[str, str]]:
    """Where the service listens, as an example's environment names it."""
    async with served(service.app) as url:
        yield {"OA_BRIDGE_URL": url, "OA_BRIDGE_TOKEN": ADMIN_TOKEN}
