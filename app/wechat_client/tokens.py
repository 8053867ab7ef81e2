"""The access token of each account: one refresh, however many processes need it.

Source: protocol 7.1 and 7.2.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app.clock import Clock
from app.db import advisory_lock
from app.db.engine import Database
from app.settings import Account
from app.wechat.api import WeChatApi
from app.wechat.errors import Action, ApiError
from app.wechat.ids import AppId
from app.wechat_client.models import AccessToken
from app.wechat_client.single_flight import SingleFlight

# WeChat hands out a new token in the last five minutes of the old one, and both work then.
REFRESH_AHEAD = timedelta(seconds=300)
JITTER_SECONDS = 60
PAUSE_AFTER_REFUSAL = timedelta(seconds=60)
# While the old token still works, not every message need wait for a WeChat that does not answer.
PAUSE_AFTER_FAILURE = timedelta(seconds=10)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and when it ends."""

    value: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Refusal:
    until: datetime
    error: ApiError


class AccessTokens:
    """Hands out access tokens; they live in `access_tokens`, shared by all processes."""

    def __init__(
        self, database: Database, api: WeChatApi, accounts: Mapping[str, Account], clock: Clock
    ) -> None:
        self._database = database
        self._api = api
        self._accounts = accounts
        self._clock = clock
        self._known: dict[AppId, Token] = {}
        self._refusals: dict[AppId, _Refusal] = {}
        # One task a process queues for the lock of all processes, not every one of them.
        self._single_flight = SingleFlight()
        # Processes that started together must not refresh together.
        self._ahead = REFRESH_AHEAD - timedelta(seconds=random.uniform(0, JITTER_SECONDS))  # noqa: S311 - spreads load, hides nothing

    async def get(self, appid: AppId) -> Token:
        """Return a token that lasts, from memory, the table or WeChat.

        Raises ApiError. A refusal that only an operator can end (wrong AppSecret, IP whitelist)
        is repeated for a minute without another call.
        """
        known = self._known.get(appid)
        if known is not None and self._lasts(known):
            return known
        async with self._single_flight.run(appid):
            return await self._shared(appid, unlike=None)

    async def renew(self, appid: AppId, refused: Token) -> Token:
        """Return another token than the one that WeChat has just refused.

        Somebody else's newer one, or else one refresh. Raises ApiError; with action RETRY when
        WeChat hands out the refused token again: then wait, since forcing a new one would break
        it for everybody. Source: protocol 7.2.
        """
        async with self._single_flight.run(appid):
            if self._known.get(appid) == refused:
                del self._known[appid]
            return await self._shared(appid, unlike=refused)

    async def refresh_due(self) -> None:
        """Refresh every token in use that is about to end; one account's trouble is its own."""
        async with self._database.sessions() as session:
            appids = await session.scalars(select(AccessToken.appid))
        for appid in appids:
            if appid not in self._accounts:
                continue
            try:
                await self.get(AppId(appid))
            except ApiError as error:
                log.warning("access.token_not_refreshed", appid=appid, errcode=error.errcode)

    async def _shared(self, appid: AppId, *, unlike: Token | None) -> Token:
        stored = await self._stored(appid)
        if stored is None or not self._serves(stored, unlike):
            async with advisory_lock.hold(self._database.engine, f"oa_bridge.access_token.{appid}"):
                stored = await self._stored(appid)
                if stored is None:
                    stored = await self._fetch(appid, unlike)
                elif not self._serves(stored, unlike):
                    stored = await self._newer(appid, stored, unlike)
        self._known[appid] = stored
        return stored

    async def _newer(self, appid: AppId, stored: Token, unlike: Token | None) -> Token:
        """Refreshed ahead of its end, the old one still works when that fails."""
        before = self._refusals.get(appid)
        try:
            return await self._fetch(appid, unlike)
        except ApiError as error:
            now = self._clock.now()
            if unlike is not None or stored.expires_at <= now:
                raise
            if appid not in self._refusals or self._refusals[appid].until <= now:
                self._refusals[appid] = _Refusal(now + PAUSE_AFTER_FAILURE, error)
            if self._refusals[appid] is not before:
                log.warning("access.token_not_refreshed", appid=appid, errcode=error.errcode)
            return stored

    def _serves(self, token: Token, unlike: Token | None) -> bool:
        return self._lasts(token) and (unlike is None or token.value != unlike.value)

    def _lasts(self, token: Token) -> bool:
        return token.expires_at - self._clock.now() > self._ahead

    async def _stored(self, appid: AppId) -> Token | None:
        async with self._database.sessions() as session:
            row = await session.get(AccessToken, appid)
        return None if row is None else Token(row.token, row.expires_at)

    async def _fetch(self, appid: AppId, unlike: Token | None) -> Token:
        now = self._clock.now()
        refusal = self._refusals.get(appid)
        if refusal is not None and now < refusal.until:
            raise refusal.error
        try:
            answer = await self._api.stable_token(appid, self._secret(appid))
        except ApiError as error:
            if error.action is Action.CONFIGURATION:
                self._refusals[appid] = _Refusal(now + PAUSE_AFTER_REFUSAL, error)
            raise
        token = Token(answer.token, now + timedelta(seconds=answer.expires_in))
        await self._save(appid, token, now)
        if unlike is not None and token.value == unlike.value:
            raise ApiError(None, "WeChat hands out the refused token again", Action.RETRY)
        return token

    def _secret(self, appid: AppId) -> str:
        account = self._accounts.get(appid)
        if account is None or account.appsecret is None:
            raise ApiError(None, f"no AppSecret is configured for {appid}", Action.CONFIGURATION)
        return account.appsecret.get_secret_value()

    async def _save(self, appid: AppId, token: Token, now: datetime) -> None:
        values = {"token": token.value, "obtained_at": now, "expires_at": token.expires_at}
        statement = insert(AccessToken).values(appid=appid, **values)
        async with self._database.sessions.begin() as session:
            await session.execute(
                statement.on_conflict_do_update(index_elements=["appid"], set_=values)
            )
