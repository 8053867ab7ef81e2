"""A call to WeChat's API with a token that works."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.wechat.errors import Action, ApiError
from app.wechat.ids import AppId
from app.wechat_client.errors import NoToken
from app.wechat_client.tokens import AccessTokens, Token

T = TypeVar("T")


async def with_token(tokens: AccessTokens, appid: AppId, call: Callable[[str], Awaitable[T]]) -> T:
    """Return what `call` returns for the account's access token.

    When WeChat refuses the token (40001, 40014, 42001): one refresh, one more try, no loop.
    Raises NoToken, before `call` or after the refusal, and what `call` raises.
    Source: protocol 7.2.
    """
    token = await _had(tokens.get(appid))
    try:
        return await call(token.value)
    except ApiError as error:
        if error.action is not Action.REFRESH_TOKEN:
            raise
    token = await _had(tokens.renew(appid, token))
    return await call(token.value)


async def _had(token: Awaitable[Token]) -> Token:
    try:
        return await token
    except ApiError as error:
        raise NoToken(error) from error
