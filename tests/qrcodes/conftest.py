"""A service with one Official Account, and WeChat that makes its codes."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.service import clock, jobs, service, settings_for, wechat

__all__ = ["clock", "jobs", "service", "wechat"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with the address of the service."""
    return settings_for(database_url, tmp_path, public_url="https://oa.example.com")
