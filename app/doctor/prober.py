"""Asks WeChat what only WeChat knows, with at most one harmless call for each API and account.

The results are in `doctor_probes`, for all processes. A lock lets one process probe at a time, and
nobody probes again before MIN_PAUSE has passed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from sqlalchemy import text

from app.clock import DIFFERENCES, Clock
from app.db.advisory_lock import LockTaken, try_hold
from app.db.engine import Database
from app.doctor import public_url, store
from app.doctor.checks.database import CLOCK_PROBE
from app.doctor.checks.pushes import CALLBACK_PROBE, PUBLIC_URL_PROBE
from app.doctor.checks.rules import HITS_PROBE
from app.doctor.checks.wechat_console import MENU_PROBE, REPLIES_PROBE
from app.doctor.console_state import menu_state, replies_state
from app.secret_box import secret_box
from app.settings import Account, Settings
from app.wechat.api import WeChatApi
from app.wechat.api_responses import Quota
from app.wechat.client import Client
from app.wechat.errors import ApiError
from app.wechat.ids import AppId
from app.wechat_client import quota_store
from app.wechat_client.tokens import AccessTokens

LOCK: Final = "oa_bridge.doctor"
MIN_PAUSE: Final = timedelta(seconds=30)
MAX_ACCOUNTS_AT_ONCE: Final = 4
# One of them is asked about in each round, in turn. Source: protocol 7.4.
QUOTA_PATHS: Final = (
    "/cgi-bin/message/custom/send",
    "/cgi-bin/media/upload",
    "/cgi-bin/user/info/batchget",
    "/cgi-bin/user/get",
)
UNHIT_AFTER: Final = timedelta(days=30)
MAX_LOOKED_AT: Final = 20_000

_HITS: Final = text("""
SELECT (SELECT count(*) FROM (SELECT FROM callbacks LIMIT :most) AS counted),
       (SELECT min(received_at) FROM (
           SELECT received_at FROM callbacks ORDER BY id LIMIT 1
       ) AS oldest)
""")

# A rule without a reply of its own is found by its pushes, one of several by its replies.
_UNHIT: Final = text("""
WITH hit AS (
    SELECT rule_id FROM (SELECT rule_id FROM callbacks ORDER BY id DESC LIMIT :most) AS pushes
    UNION
    SELECT passive_rule_id
    FROM (SELECT passive_rule_id FROM callbacks ORDER BY id DESC LIMIT :most) AS passive
    UNION
    SELECT rule_id FROM (SELECT rule_id FROM replies ORDER BY id DESC LIMIT :most) AS answers
)
SELECT id FROM rules
WHERE enabled AND created_at < :before
  AND id NOT IN (SELECT rule_id FROM hit WHERE rule_id IS NOT NULL)
ORDER BY id LIMIT 100
""")

log = structlog.get_logger(__name__)

CallPublicUrl = Callable[[str, Account, float], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Prober:
    """Makes the probes. call_public_url: as `public_url.call`."""

    settings: Settings
    database: Database
    clock: Clock
    api: WeChatApi
    tokens: AccessTokens
    call_public_url: CallPublicUrl = public_url.call
    accounts_at_once: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(MAX_ACCOUNTS_AT_ONCE)
    )

    async def run(self) -> bool:
        """Make all probes; return False if another process does so, or did a moment ago.

        A failed call is a result. Raises the errors of the database.
        """
        try:
            async with try_hold(self.database.connect, LOCK):
                if not await self._begin():
                    return False
                accounts = self.settings.accounts.values()
                await asyncio.gather(*map(self._probe_account, accounts))
                await self._look_at_rules()
                await self._save(
                    "",
                    CLOCK_PROBE,
                    {str(other): ahead for other, ahead in DIFFERENCES.seconds.items()},
                )
                await self.tokens.store()
                return True
        except LockTaken:
            return False

    async def _begin(self) -> bool:
        now = self.clock.now()
        async with self.database.sessions.begin() as session:
            before = await store.last_run(session)
            if before is not None and timedelta() <= now - before < MIN_PAUSE:
                return False
            await store.save_probe(session, "", store.RUN, {}, now)
        return True

    async def _probe_account(self, account: Account) -> None:
        async with self.accounts_at_once:
            if self.settings.public_url is not None and account.kind == "oa" and account.receives:
                result = await self.call_public_url(
                    self.settings.public_url, account, self.clock.now().timestamp()
                )
                await self._save(account.appid, PUBLIC_URL_PROBE, result)
            if account.appsecret is not None:
                await self._ask_wechat(account)

    async def _ask_wechat(self, account: Account) -> None:
        appid = AppId(account.appid)
        try:
            token = (await self.tokens.check(appid)).value
        except ApiError as error:  # `ApiProblems` has it
            log.info("doctor.token_not_checked", appid=appid, errcode=error.errcode)
            return
        if account.kind != "oa":
            return
        if account.receives:
            await self._ask(appid, CALLBACK_PROBE, "callback/check", lambda: self._callback(token))
        await self._ask_quota(appid, token)
        await self._ask(appid, MENU_PROBE, "get_current_selfmenu_info", lambda: self._menu(token))
        await self._ask(
            appid, REPLIES_PROBE, "get_current_autoreply_info", lambda: self._replies(token)
        )

    async def _ask(
        self, appid: AppId, probe: str, api: str, call: Callable[[], Awaitable[Mapping[str, Any]]]
    ) -> None:
        self.tokens.counts.add(appid, api)
        try:
            result = await call()
        except ApiError as error:
            result = {"error": error.errmsg, "errcode": error.errcode, "rid": error.rid}
        await self._save(appid, probe, result)

    async def _callback(self, token: str) -> Mapping[str, Any]:
        return {"addresses": list(await self.api.callback_check(token))}

    async def _ask_quota(self, appid: AppId, token: str) -> None:
        """Ask about the API about which it was asked the longest ago."""
        async with self.database.sessions() as session:
            known = await quota_store.asked_at(session, appid)
        never = datetime.min.replace(tzinfo=self.clock.now().tzinfo)
        path = min(QUOTA_PATHS, key=lambda path: known.get(path, never))
        self.tokens.counts.add(appid, "openapi/quota/get")
        found: Quota | None = None
        try:
            found = await self.api.quota(token, path)
        except ApiError as error:
            log.info("doctor.quota_not_read", appid=appid, path=path, errcode=error.errcode)
        async with self.database.sessions.begin() as session:
            await quota_store.save_quota(session, appid, path, found, self.clock.now())

    async def _menu(self, token: str) -> Mapping[str, Any]:
        return menu_state(await self.api.current_selfmenu_info(token))

    async def _replies(self, token: str) -> Mapping[str, Any]:
        return replies_state(await self.api.current_autoreply_info(token))

    async def _look_at_rules(self) -> None:
        """Note which rules nobody met in 30 days, if as many pushes as that can be looked at."""
        before = self.clock.now() - UNHIT_AFTER
        unhit: list[int] | None = None
        async with self.database.sessions() as session:
            bound = {"most": MAX_LOOKED_AT}
            count, oldest = (await session.execute(_HITS, bound)).one()
            if count < MAX_LOOKED_AT and oldest is not None and oldest < before:
                found = await session.scalars(_UNHIT, bound | {"before": before})
                unhit = list(found)
        await self._save("", HITS_PROBE, {"unhit": unhit})

    async def _save(self, appid: str, probe: str, result: Mapping[str, Any]) -> None:
        async with self.database.sessions.begin() as session:
            await store.save_probe(session, appid, probe, result, self.clock.now())


def make_prober(settings: Settings, database: Database, clock: Clock, client: Client) -> Prober:
    """Return the prober of a command. client: for WeChat's API alone; the caller closes it."""
    api = WeChatApi(settings.wechat_api_base_url, settings.api_timeout, client)
    tokens = AccessTokens(database, api, settings.accounts, clock, secret_box(settings))
    return Prober(settings, database, clock, api, tokens)
