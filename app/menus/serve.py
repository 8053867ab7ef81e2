"""What a web process needs for menus, from its start to its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import State

from app.menus.wechat_menus import WeChatMenus
from app.secret_box import secret_box
from app.settings import Settings
from app.wechat.api import WeChatApi
from app.wechat_client.tokens import AccessTokens


@asynccontextmanager
async def serving_menus(state: State) -> AsyncIterator[None]:
    """Set `wechat_menus` of the state while the block runs."""
    settings: Settings = state.settings
    api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout)
    tokens = AccessTokens(state.database, api, settings.accounts, state.clock, secret_box(settings))
    state.wechat_menus = WeChatMenus(api, tokens)
    try:
        yield
    finally:
        await api.close()
