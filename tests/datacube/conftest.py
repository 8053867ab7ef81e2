"""A service with an Official Account and a mini-program, both known to WeChat."""

from pathlib import Path

import pytest

from app.settings import Settings
from tests.datacube.makers import MINI_PROGRAM, accounts_file
from tests.service import (
    WeChat,
    clock,
    jobs,
    service,
    settings_for,
)
from tests.service import wechat as official_account

__all__ = ["clock", "jobs", "official_account", "service"]


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings with a mini-program beside the Official Account."""
    return settings_for(database_url, tmp_path, accounts_file=accounts_file(tmp_path))


@pytest.fixture
def wechat(official_account: WeChat) -> WeChat:
    """WeChat, which knows the mini-program, too."""
    official_account.state.accounts[MINI_PROGRAM.appid] = MINI_PROGRAM
    return official_account
