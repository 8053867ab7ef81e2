"""What a web process calls WeChat with, from its start to its end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.datastructures import State

from app.db.background_store import background_store
from app.secret_box import secret_box
from app.settings import Settings
from app.wechat.api import WeChatApi
from app.wechat_client.call_rates import rates_of
from app.wechat_client.problems import ApiProblems
from app.wechat_client.tokens import AccessTokens


@asynccontextmanager
async def calling_wechat(state: State, problems: ApiProblems) -> AsyncIterator[None]:
    """Set `wechat_api` and `access_tokens` of the state while the block runs.

    What the calls came to is stored for all processes, as a worker stores it. problems: of the
    process, which are read here for all that asks them.
    """
    settings: Settings = state.settings
    api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout)
    tokens = AccessTokens(
        state.database,
        api,
        settings.accounts,
        state.clock,
        secret_box(settings),
        problems=problems,
        rates=rates_of(settings),
    )
    state.wechat_api, state.access_tokens = api, tokens
    try:
        async with background_store(tokens):
            yield
    finally:
        await api.close()
