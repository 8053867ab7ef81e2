"""A service with one mini-program, and its worker."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.service import CARD_APPID, clock, jobs, service, settings_for, wechat

__all__ = ["clock", "jobs", "service", "wechat"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with a mini-program."""
    return settings_for(database_url, tmp_path, mini_program_appids=CARD_APPID)
