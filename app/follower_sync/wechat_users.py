"""Calls of WeChat's user API, with retries."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from uuid_utils.compat import uuid7

from app.clock import Clock
from app.follower_sync.diff import UserInfoBatch
from app.wechat.api import WeChatApi
from app.wechat.api_responses import FollowerPage, UserInfo
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.ids import AppId, OpenId
from app.wechat_client.batchget import batchget_halving
from app.wechat_client.problems import Api
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

# Both calls only read, so they may be repeated after any failure. Source: protocol 11.
RETRY_DELAYS_SECONDS = (1.0, 4.0, 15.0, 60.0, 60.0)

T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class UserInfoClient:
    """Reads the followers of one account. pause: waits for so many seconds."""

    appid: AppId
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock
    pause: Pause = asyncio.sleep

    async def page(self, cursor: str | None) -> FollowerPage:
        """Return the page of `user/get` after the cursor. Raises ApiError."""
        return await self._with_retries(
            lambda token: self.api.user_get(token, cursor), api="user/get"
        )

    async def people(self, openids: Sequence[str]) -> UserInfoBatch:
        """Return the data of up to 100 people. Raises ApiError."""
        # The time and the ids are taken before the call: see `UserInfoBatch`.
        at = self.clock.now().replace(microsecond=0)
        ids = [uuid7() for _ in range(2 * len(openids))]
        infos, missing = await batchget_halving(
            self._batchget, [OpenId(openid) for openid in openids]
        )
        return UserInfoBatch(openids, at, ids, infos, missing)

    async def _batchget(self, openids: Sequence[OpenId]) -> list[UserInfo]:
        return await self._with_retries(
            lambda token: self.api.batchget(token, openids), api="user/info/batchget"
        )

    async def _with_retries(self, call: Callable[[str], Awaitable[T]], *, api: Api) -> T:
        for seconds in RETRY_DELAYS_SECONDS:
            try:
                return await with_token(self.tokens, self.appid, call, api=api)
            except ApiError as error:
                if error.action is not Action.RETRY:
                    raise
            await self.pause(seconds * random.uniform(0.8, 1.2))  # noqa: S311 - spreads load, hides nothing
        return await with_token(self.tokens, self.appid, call, api=api)
