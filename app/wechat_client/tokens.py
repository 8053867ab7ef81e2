"""The access token of each account. All processes share it, and one of them refreshes it.

Source: protocol 7.1 and 7.2.
"""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.clock import Clock
from app.db.engine import Database
from app.secret_box import SecretBox
from app.settings import Account
from app.wechat.api import WeChatApi
from app.wechat.errcodes import Action
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client.call_counts import CallCounts
from app.wechat_client.call_rate import CallRate
from app.wechat_client.call_rates import CallRates
from app.wechat_client.errors import Paused
from app.wechat_client.pauses import Pause
from app.wechat_client.problems import Api, ApiProblems
from app.wechat_client.single_flight import SingleFlight
from app.wechat_client.token_store import Token, read, save

# In the last five minutes of a token WeChat gives out a new one, and both are valid.
REFRESH_AHEAD = timedelta(seconds=300)
JITTER_SECONDS = 60
# A token that is said to end sooner is used so long all the same: else every message would ask for
# another one. If it does end sooner, WeChat refuses it (42001), and it is renewed.
MIN_LIFE = REFRESH_AHEAD + timedelta(seconds=60)
# While the old token is valid, messages must not all wait for a WeChat that does not respond.
PAUSE_AFTER_FAILURE = timedelta(seconds=10)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Failure:
    until: datetime
    error: ApiError


class AccessTokens:
    """Gives out access tokens. They are stored in `access_tokens` and shared by all processes.

    logs: whether failed calls are logged; a command tells the person who runs it instead.
    problems: those of the process, if it reads them elsewhere, too. rates: those that an operator
    has set, by API.
    """

    def __init__(
        self,
        database: Database,
        api: WeChatApi,
        accounts: Mapping[str, Account],
        clock: Clock,
        box: SecretBox,
        *,
        logs: bool = True,
        problems: ApiProblems | None = None,
        rates: Mapping[str, CallRate] | None = None,
    ) -> None:
        self._database = database
        self._api = api
        self._accounts = accounts
        self.clock = clock
        self._box = box
        self.counts = CallCounts(database.sessions, clock)
        self.problems = problems or ApiProblems(database.sessions, clock, logs=logs)
        self.rates = CallRates(database.brief, database.sessions, clock, rates or {})
        self._known: dict[AppId, Token] = {}
        self._failures: dict[AppId, _Failure] = {}
        # Only one task of a process waits for the lock of all processes.
        self._single_flight = SingleFlight()
        # Processes that start at the same time must not refresh at the same time.
        self._ahead = REFRESH_AHEAD - timedelta(seconds=random.uniform(0, JITTER_SECONDS))  # noqa: S311 - spreads load, hides nothing

    async def get(self, appid: AppId) -> Token:
        """Return a token that is not about to expire, from memory, the table or WeChat.

        Raises ApiError. What only an operator can correct (wrong AppSecret, IP whitelist), and a
        used-up quota of the day, is Paused: it is raised again without another call for a while.
        """
        known = self._known.get(appid)
        if known is not None and self._lasts(known):
            return known
        async with self._single_flight.run(appid):
            return await self._from_table(appid, refused=None)

    def pause(self, appid: AppId, api: Api, mini_program: str | None = None) -> Pause | None:
        """Return why a call has to wait now, as far as this process knows."""
        found = self.problems.pause(appid, api, mini_program)
        if found is None and not self._is_known(appid):
            found = self.problems.pause(appid, "stable_token")
        if found is None and (refusal := self.rates.refusal(appid, api)) is not None:
            found = Pause(refusal, self.clock.now(), refusal.until)
        return found

    def paused_accounts(self, api: Api) -> list[str]:
        """Return the accounts whose calls of an API all have to wait now."""
        return [appid for appid in self._accounts if self.pause(AppId(appid), api)]

    def calls_at_hand(self, api: Api) -> dict[str, int]:
        """Return how many calls are worth preparing, for the accounts where that is known.

        That is what the rate of the API allows, and a single call while it decides over the others.
        """
        found = {appid: self._at_hand(AppId(appid), api) for appid in self._accounts}
        return {appid: calls for appid, calls in found.items() if calls is not None}

    def _at_hand(self, appid: AppId, api: Api) -> int | None:
        has_token = self._is_known(appid)
        if self.problems.is_probed(appid, api) or (
            not has_token and self.problems.is_probed(appid, "stable_token")
        ):
            return 1
        return self.rates.at_hand(appid, api)

    async def keep_stored(self) -> None:
        """Write what the calls of this process came to every few seconds, until cancelled.

        The rates that WeChat names are read meanwhile.
        """
        await asyncio.gather(
            self.problems.keep_stored(), self.counts.keep_stored(), self.rates.keep_read()
        )

    async def rest(self) -> None:
        """Return once `keep_stored` reads and writes nothing."""
        await self.problems.rest()
        await self.counts.rest()
        await self.rates.learned.rest()

    async def store(self) -> None:
        """Write what the calls of this process came to; without the database it is lost."""
        await self.problems.store()
        await self.counts.store()
        await self.rates.learned.learn()

    async def check(self, appid: AppId) -> Token:
        """Request the token from WeChat now, whatever is stored, and return it.

        This shows whether WeChat accepts the AppSecret and this machine's address. WeChat gives
        out the same token again, so that no other process is disturbed. Raises ApiError.
        """
        async with (
            self._single_flight.run(appid),
            self._database.locks.hold(_lock_of(appid)),
        ):
            # An operator who has corrected the account waits for this answer.
            self._failures.pop(appid, None)
            self._known[appid] = await self._request(appid, refused=None)
            return self._known[appid]

    async def renew(self, appid: AppId, refused: Token) -> Token:
        """Return a token other than the one that WeChat has just refused.

        It is one that another process has stored, or a new one from WeChat. Raises ApiError; its
        action is RETRY when WeChat gives out the refused token again. The caller must wait then: a
        forced refresh would make the token of every other process invalid. Source: protocol 7.2.
        """
        async with self._single_flight.run(appid):
            if self._known.get(appid) == refused:
                del self._known[appid]
            return await self._from_table(appid, refused=refused)

    async def refresh_due(self) -> None:
        """Get a token for each account that has none or whose own is about to expire.

        So a wrong AppSecret shows before the first card has to be sent. Errors are logged per
        account.
        """
        appids = [appid for appid, account in self._accounts.items() if account.appsecret]
        for appid in appids:
            try:
                await self.get(AppId(appid))
            except Paused:  # `ApiProblems` logs it
                continue
            except ApiError as error:
                _log_not_refreshed(appid, error)

    async def _from_table(self, appid: AppId, *, refused: Token | None) -> Token:
        stored = await self._stored(appid)
        if stored is None or not self._is_usable(stored, refused):
            async with self._database.locks.hold(_lock_of(appid)):
                stored = await self._stored(appid)
                if stored is None:
                    stored = await self._fetch(appid, refused)
                elif not self._is_usable(stored, refused):
                    stored = await self._refresh_early(appid, stored, refused)
        self._known[appid] = stored
        return stored

    async def _refresh_early(self, appid: AppId, stored: Token, refused: Token | None) -> Token:
        # The refresh comes before the end of the old token, which still works if the refresh fails.
        before = self._failures.get(appid)
        try:
            return await self._fetch(appid, refused)
        except ApiError as error:
            now = self.clock.now()
            if refused is not None or stored.expires_at <= now:
                raise
            if isinstance(error, Paused):
                return stored
            if appid not in self._failures or self._failures[appid].until <= now:
                self._failures[appid] = _Failure(now + PAUSE_AFTER_FAILURE, error)
            if self._failures[appid] is not before:
                _log_not_refreshed(appid, error)
            return stored

    def _is_known(self, appid: AppId) -> bool:
        known = self._known.get(appid)
        return known is not None and known.expires_at > self.clock.now()

    def _is_usable(self, token: Token, refused: Token | None) -> bool:
        return self._lasts(token) and (refused is None or token.value != refused.value)

    def _lasts(self, token: Token) -> bool:
        return token.expires_at - self.clock.now() > self._ahead

    async def _stored(self, appid: AppId) -> Token | None:
        async with self._database.sessions() as session:
            return await read(session, self._box, appid)

    async def _fetch(self, appid: AppId, refused: Token | None) -> Token:
        failure = self._failures.get(appid)
        if failure is not None and self.clock.now() < failure.until:
            raise failure.error
        await self.problems.admit(appid, "stable_token")
        return await self._request(appid, refused)

    async def _request(self, appid: AppId, refused: Token | None) -> Token:
        now = self.clock.now()
        try:
            secret = self._secret(appid)
            self.counts.add(appid, "stable_token")
            response = await self._api.stable_token(appid, secret)
        except ApiError as error:
            until = self.problems.failed(appid, "stable_token", error)
            if until is not None:
                raise Paused(error, until) from error
            raise
        life = max(timedelta(seconds=response.expires_in), MIN_LIFE)
        token = Token(response.token, now + life)
        async with self._database.sessions.begin() as session:
            await save(session, self._box, appid, token, now)
        self.problems.succeeded(appid, "stable_token", now)
        if refused is not None and token.value == refused.value:
            again = ApiError(None, "WeChat hands out the refused token again", Action.RETRY)
            self.problems.failed(appid, "stable_token", again)
            raise again
        return token

    def _secret(self, appid: AppId) -> str:
        account = self._accounts.get(appid)
        if account is None or account.appsecret is None:
            raise ApiError(None, f"no AppSecret is configured for {appid}", Action.CONFIGURATION)
        return account.appsecret.get_secret_value()


def _lock_of(appid: AppId) -> str:
    return f"oa_bridge.access_token.{appid}"


def _log_not_refreshed(appid: str, error: ApiError) -> None:
    log.warning(
        "access.token_not_refreshed",
        appid=appid,
        errcode=error.errcode,
        errmsg=error.errmsg,
        rid=error.rid,
    )
