"""Calls WeChat's API with a valid access token."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.wechat.errcodes import Action
from app.wechat.errors import ApiError, TransportError
from app.wechat.ids import AppId
from app.wechat_client.errors import NoToken, Paused
from app.wechat_client.pauses import TOO_MANY_THIS_MINUTE
from app.wechat_client.problems import Api
from app.wechat_client.token_store import Token
from app.wechat_client.tokens import AccessTokens

T = TypeVar("T")


async def with_token(
    tokens: AccessTokens,
    appid: AppId,
    call: Callable[[str], Awaitable[T]],
    *,
    api: Api,
    mini_program: str | None = None,
    has_turn: bool = False,
) -> T:
    """Run `call` with the account's access token and return its result.

    api: which one `call` calls; problems with it are logged once and shown by readiness.
    mini_program: that the card opens which `call` sends. has_turn: the caller has waited for the
    call's turn (`CallRates`).

    When WeChat refuses the token (40001, 40014, 42001), it is renewed and `call` runs once more.
    Raises Paused, NoToken, before the first or the second run, and the errors of `call`.
    Source: protocol 7.2.
    """
    problems = tokens.problems
    await problems.admit(appid, api, mini_program)
    if not has_turn:
        await tokens.rates.admit(appid, api)
    began = tokens.clock.now()
    try:
        result = await _call(tokens, appid, call, api)
    except NoToken:  # noted where the token is requested
        raise
    except ApiError as error:
        if error.errcode == TOO_MANY_THIS_MINUTE:
            tokens.counts.refused(appid, api)
            tokens.rates.learned.refused(appid, api, began)
        until = problems.failed(appid, api, error, mini_program)
        # What WeChat may have carried out is not to be repeated as what only waits.
        may_be_done = isinstance(error, TransportError) and error.outcome_unknown
        if until is not None and not may_be_done:
            raise Paused(error, until) from error
        raise
    problems.succeeded(appid, api, began, mini_program)
    return result


async def require_token(tokens: AccessTokens, appid: AppId) -> None:
    """Have the account's token at hand, so that `with_token` need not wait for one.

    Call it before something scarce is taken for the call. Raises NoToken.
    """
    await _or_no_token(tokens.get(appid))


async def _call(
    tokens: AccessTokens, appid: AppId, call: Callable[[str], Awaitable[T]], api: Api
) -> T:
    token = await _or_no_token(tokens.get(appid))
    tokens.counts.add(appid, api)
    try:
        return await call(token.value)
    except ApiError as error:
        if error.action is not Action.REFRESH_TOKEN:
            raise
    token = await _or_no_token(tokens.renew(appid, token))
    tokens.counts.add(appid, api)
    return await call(token.value)


async def _or_no_token(token: Awaitable[Token]) -> Token:
    try:
        return await token
    except ApiError as error:
        raise NoToken(error) from error
