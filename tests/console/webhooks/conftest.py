"""An endpoint of another system, and settings that let webhooks reach this machine."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.service import settings_for
from tests.webhooks.conftest import receiver

__all__ = ["receiver"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings that let webhooks reach this machine."""
    return settings_for(database_url, tmp_path, webhook_allow_http=True, webhook_allow_private=True)
