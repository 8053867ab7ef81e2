"""WeChat's calls about menus, with the account's access token. No session may be open meanwhile.

All methods raise ApiError. Source: linkage 1.1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.menus.as_read import read_buttons
from app.wechat.api import WeChatApi
from app.wechat.ids import AppId
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WeChatMenus:
    """Calls WeChat."""

    api: WeChatApi
    tokens: AccessTokens

    async def get(self, appid: AppId) -> Json | None:
        """Return the answer of `menu/get`; None: the API made no menu."""
        return await with_token(self.tokens, appid, self.api.menu_get, api="menu/get")

    async def selfmenu(self, appid: AppId) -> Json:
        """Return the answer of `get_current_selfmenu_info`."""
        return await with_token(
            self.tokens,
            appid,
            self.api.current_selfmenu_info,
            api="get_current_selfmenu_info",
        )

    async def create(self, appid: AppId, button: Sequence[Mapping[str, Any]]) -> None:
        """Replace the default menu."""
        await with_token(
            self.tokens,
            appid,
            lambda token: self.api.menu_create(token, button),
            api="menu/create",
        )

    async def delete(self, appid: AppId) -> None:
        """Delete the default menu and all conditional ones."""
        await with_token(self.tokens, appid, self.api.menu_delete, api="menu/delete")

    async def add_conditional(self, appid: AppId, body: Mapping[str, Any]) -> str:
        """Add a conditional menu, the newest, and return its menuid."""
        return await with_token(
            self.tokens,
            appid,
            lambda token: self.api.menu_addconditional(token, body),
            api="menu/addconditional",
        )

    async def delete_conditional(self, appid: AppId, menuid: str) -> None:
        """Delete a conditional menu."""
        await with_token(
            self.tokens,
            appid,
            lambda token: self.api.menu_delconditional(token, menuid),
            api="menu/delconditional",
        )

    async def try_match(self, appid: AppId, openid: str) -> list[Json]:
        """Return the buttons that a follower sees."""
        answer = await with_token(
            self.tokens,
            appid,
            lambda token: self.api.menu_trymatch(token, openid),
            api="menu/trymatch",
        )
        inner = answer.get("menu")
        found = inner.get("button") if isinstance(inner, Mapping) else answer.get("button")
        return read_buttons(found)
