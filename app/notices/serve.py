"""What a web process needs for notices, from its start to its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import State

from app.clock import Clock
from app.db.engine import Database
from app.notices.list_templates import TemplateLister
from app.secret_box import secret_box
from app.settings import Settings
from app.wechat.api import WeChatApi
from app.wechat_client.tokens import AccessTokens


@asynccontextmanager
async def serving_notices(state: State) -> AsyncIterator[None]:
    """Set `template_lister` of the state while the block runs."""
    settings: Settings = state.settings
    clock: Clock = state.clock
    database: Database = state.database
    api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout)
    tokens = AccessTokens(database, api, settings.accounts, clock, secret_box(settings))
    state.template_lister = TemplateLister(database.sessions, api, tokens, clock)
    try:
        yield
    finally:
        await api.close()
