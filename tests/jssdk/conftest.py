"""A service whose account has JS-safe domains."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.service import clock, jobs, service, settings_for, wechat

__all__ = ["clock", "jobs", "service", "wechat"]

DOMAINS = "www.example.com, shop.example.org"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with two JS-safe domains."""
    return settings_for(database_url, tmp_path, wechat_js_safe_domains=DOMAINS)
