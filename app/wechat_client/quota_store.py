"""SQL of quotas: how much of each is used, and how often they were cleared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.clock import SHANGHAI
from app.wechat.api_responses import Quota
from app.wechat_client.call_counts import day_of
from app.wechat_client.call_rate import CallRate
from app.wechat_client.models import ApiCalls, ApiQuota, ApiRate, QuotaClearing

# From this share on an operator is warned.
NEARLY_USED_UP: Final = 0.8
CGI_BIN: Final = "/cgi-bin/"
# All others stand below it. Source: protocol 9.7, protocol-link 2.1 and 5.
_OUTSIDE_CGI_BIN: Final = ("datacube/", "wxa/", "wxaapi/")
MAX_RATES: Final = 10_000
MAX_REACHED: Final = 100

_USES: Final = text("""
SELECT appid, api, coalesce(calls, 0), coalesce(calls - before_clearing, 0),
       daily_limit, used, asked_at, cleared_at
FROM (
    SELECT appid, api, calls, before_clearing FROM api_calls
    WHERE appid = ANY(CAST(:appids AS text[])) AND day = :day
) AS counted
FULL JOIN (
    SELECT appid, api, daily_limit, used, asked_at FROM api_quotas
    WHERE appid = ANY(CAST(:appids AS text[]))
) AS quota USING (appid, api)
LEFT JOIN (
    SELECT appid, max(cleared_at) AS cleared_at FROM quota_clearings
    WHERE appid = ANY(CAST(:appids AS text[])) GROUP BY appid
) AS clearing USING (appid)
ORDER BY appid, api
""")


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """How much of the quota of one API is used today. Source: protocol 7.4.

    calls: this service has made today. used: of the quota, by the greater of both counts, since
    WeChat knows the calls of other programs, and was asked a while ago. daily_limit: None if WeChat
    has not said it. counted: what WeChat counted when it was asked; None if that was before today
    or before a clearing.
    """

    appid: str
    api: str
    calls: int
    used: int
    daily_limit: int | None = None
    counted: int | None = None
    asked_at: datetime | None = None

    @property
    def share(self) -> float:
        """Which part of the quota is used, 1.0 for all of it; 0 if the quota is not known."""
        return self.used / self.daily_limit if self.daily_limit else 0.0

    @property
    def path(self) -> str:
        """The API as `openapi/quota/get` names it."""
        return path_of(self.api)


def path_of(api: str) -> str:
    """Return the path of an API, as `openapi/quota/get` names it."""
    return f"/{api}" if api.startswith(_OUTSIDE_CGI_BIN) else f"{CGI_BIN}{api}"


def api_of(path: str) -> str:
    """Return the API of a path."""
    return path.removeprefix(CGI_BIN).removeprefix("/")


async def read_uses(session: AsyncSession, appids: Sequence[str], now: datetime) -> list[QuotaUse]:
    """Return each API of these accounts that was called today, or whose quota is known."""
    day = day_of(now)
    found = await session.execute(_USES, {"appids": list(appids), "day": day})
    uses = []
    for appid, api, calls, since_clearing, limit, used, asked_at, cleared_at in found:
        is_old = asked_at is None or day_of(asked_at) != day
        is_cleared = cleared_at is not None and asked_at is not None and asked_at <= cleared_at
        counted = None if is_old or is_cleared else used
        most = max(since_clearing, counted or 0)
        uses.append(QuotaUse(appid, api, calls, most, limit, counted, asked_at))
    return uses


async def save_quota(
    session: AsyncSession, appid: str, path: str, quota: Quota | None, now: datetime
) -> None:
    """Store what WeChat said about the quota of an API; None: it refused to say it."""
    said = {
        "daily_limit": None if quota is None else quota.daily_limit,
        "used": None if quota is None else quota.used,
        "rate_calls": None if quota is None else quota.rate_calls,
        "rate_seconds": None if quota is None else quota.rate_seconds,
    }
    values = said | {"asked_at": now}
    statement = insert(ApiQuota).values(appid=appid, api=api_of(path), **values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["appid", "api"], set_=values if quota is not None else {"asked_at": now}
        )
    )


async def read_rates(session: AsyncSession) -> dict[tuple[str, str], CallRate]:
    """Return the rates that WeChat has named, by account and API."""
    found = await session.execute(
        select(ApiQuota.appid, ApiQuota.api, ApiQuota.rate_calls, ApiQuota.rate_seconds)
        .where(ApiQuota.rate_calls >= 1, ApiQuota.rate_seconds >= 1)
        .limit(MAX_RATES)
    )
    return {
        (appid, api): CallRate(calls, seconds)
        for appid, api, calls, seconds in found
        if calls is not None and seconds is not None
    }


async def read_reached_rates(
    session: AsyncSession, appids: Sequence[str], now: datetime
) -> list[tuple[str, str]]:
    """Return the accounts and APIs whose next call has to wait for its turn."""
    found = await session.execute(
        select(ApiRate.appid, ApiRate.api)
        .where(ApiRate.appid.in_(appids), ApiRate.next_at > now)
        .order_by(ApiRate.appid, ApiRate.api)
        .limit(MAX_REACHED)
    )
    return [(appid, api) for appid, api in found]


async def asked_at(session: AsyncSession, appid: str) -> dict[str, datetime]:
    """Return when WeChat was last asked about each API, by its path."""
    found = await session.execute(
        select(ApiQuota.api, ApiQuota.asked_at).where(ApiQuota.appid == appid)
    )
    return {path_of(api): at for api, at in found}


async def lock_clearings(session: AsyncSession, appid: str) -> None:
    """Let no other transaction count or add clearings of an account until this one ends."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"oa_bridge.quota.{appid}", 0)))
    )


async def clearings_of_month(
    session: AsyncSession, appid: str, now: datetime
) -> Sequence[QuotaClearing]:
    """Return the clearings of this month in Shanghai, the oldest first."""
    begin = now.astimezone(SHANGHAI).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    found = await session.scalars(
        select(QuotaClearing)
        .where(QuotaClearing.appid == appid, QuotaClearing.cleared_at >= begin)
        .order_by(QuotaClearing.cleared_at)
        .limit(100)
    )
    return found.all()


async def add_clearing(session: AsyncSession, appid: str, by: str, now: datetime) -> UUID:
    """Note a clearing that is about to be made; return its id."""
    clearing_id = uuid7()
    session.add(QuotaClearing(id=clearing_id, appid=appid, cleared_at=now, cleared_by=by))
    return clearing_id


async def remove_clearing(session: AsyncSession, clearing_id: UUID) -> None:
    """Forget a clearing that WeChat has not made."""
    await session.execute(delete(QuotaClearing).where(QuotaClearing.id == clearing_id))


async def count_anew(session: AsyncSession, appid: str, now: datetime) -> None:
    """Let the calls that an account made today count no more, since its quotas were cleared."""
    await session.execute(
        update(ApiCalls)
        .where(ApiCalls.appid == appid, ApiCalls.day == day_of(now))
        .values(before_clearing=ApiCalls.calls)
    )
