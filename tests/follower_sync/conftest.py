"""Fixtures of this room: the service, WeChat, and synchronisations against it."""

from collections.abc import Callable

import pytest

from app.db.engine import Database
from app.follower_sync.sync import Privacy, Progress, sync
from app.follower_sync.wechat_users import UserInfoClient
from app.privacy.from_sync import open_for_unfollows
from app.secret_box import secret_box
from app.settings import Settings
from app.tombstones.erasure_secret import erasure_secret
from app.wechat.api import WeChatApi
from app.wechat.ids import AppId
from app.wechat_client.tokens import AccessTokens
from tests.httpx_client import HttpxClient
from tests.service import APPID, WeChat, clock, jobs, service, settings, wechat

__all__ = ["clock", "jobs", "service", "settings", "sync_here", "wechat"]


class Here:
    """Synchronisations of the account by this process. pauses: seconds that were waited."""

    def __init__(self, settings: Settings, database: Database, wechat: WeChat) -> None:
        self.pauses: list[float] = []
        self.reports: list[Progress] = []
        self._settings = settings
        self._database = database
        self._wechat = wechat

    async def __call__(
        self, *, at_once: int = 4, report: Callable[[Progress], None] | None = None
    ) -> Progress:
        """Synchronise once."""
        api = WeChatApi(
            "http://wechat", self._settings.api_timeout, HttpxClient(self._wechat.client)
        )
        clock = self._wechat.state.clock
        tokens = AccessTokens(
            self._database, api, self._settings.accounts, clock, secret_box(self._settings)
        )
        asker = UserInfoClient(AppId(APPID), api, tokens, clock, self._pause)
        return await sync(
            asker,
            self._database,
            at_once=at_once,
            report=report or self.reports.append,
            privacy=Privacy(erasure_secret(self._settings), open_for_unfollows),
        )

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.fixture
def sync_here(settings: Settings, database: Database, wechat: WeChat) -> Here:
    """Synchronise the account's followers."""
    return Here(settings, database, wechat)
