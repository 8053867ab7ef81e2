"""Fixtures of this room: the service, with a mini-program whose backend reports, and WeChat."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.service import CARD_APPID, clock, jobs, service, settings_for, wechat

__all__ = ["clock", "jobs", "service", "settings", "wechat"]

MINI_PROGRAM = "wx00000000000000ee"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings of this test's service."""
    return settings_for(database_url, tmp_path, mini_program_appids=(CARD_APPID, MINI_PROGRAM))
