"""Clears the quotas of an account, at the command of an operator and never by itself.

Source: protocol 7.4; linkage 7.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from app.clock import Clock
from app.db.engine import Database
from app.wechat.api import WeChatApi
from app.wechat.errors import ApiError, TransportError
from app.wechat.ids import AppId
from app.wechat_client import problem_store, quota_store
from app.wechat_client.tokens import AccessTokens
from app.wechat_client.with_token import with_token

CLEARINGS_A_MONTH: Final = 10


class NoClearingLeft(Exception):
    """The clearings of this month are used up."""


@dataclass(frozen=True, slots=True)
class Clearing:
    """A clearing of this month. by: who asked for it."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class QuotaClearer:
    """Clears quotas and remembers how often it did so this month."""

    database: Database
    api: WeChatApi
    tokens: AccessTokens
    clock: Clock

    async def of_month(self, appid: AppId) -> list[Clearing]:
        """Return the clearings of this month, also those of which WeChat's answer is not known."""
        async with self.database.sessions() as session:
            found = await quota_store.clearings_of_month(session, appid, self.clock.now())
            return [Clearing(one.cleared_at, one.cleared_by) for one in found]

    async def clear(self, appid: AppId, by: str) -> None:
        """Clear the quotas of all APIs of an account, and let its calls go on.

        Raises NoClearingLeft, ApiError, and TransportError: WeChat may have cleared them if its
        outcome is unknown.
        """
        clearing_id = await self._reserve(appid, by)
        try:
            await with_token(
                self.tokens,
                appid,
                lambda token: self.api.clear_quota(token, appid),
                api="clear_quota",
            )
        except ApiError as error:
            if not (isinstance(error, TransportError) and error.outcome_unknown):
                async with self.database.sessions.begin() as session:
                    await quota_store.remove_clearing(session, clearing_id)
            raise
        async with self.database.sessions.begin() as session:
            await quota_store.count_anew(session, appid, self.clock.now())
            await problem_store.end_used_up_quotas(session, appid, self.clock.now())

    async def _reserve(self, appid: AppId, by: str) -> UUID:
        """Note the clearing before it is made: a command that is killed may have made it."""
        now = self.clock.now()
        async with self.database.sessions.begin() as session:
            await quota_store.lock_clearings(session, appid)
            if len(await quota_store.clearings_of_month(session, appid, now)) >= CLEARINGS_A_MONTH:
                raise NoClearingLeft
            return await quota_store.add_clearing(session, appid, by, now)
