"""`/api/quota`: how many calls each account makes today, beside what WeChat counts."""

from datetime import date, datetime

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.access.scoped_route import ScopedRoute
from app.access.scopes import ApiScope, needs
from app.api_model import ApiModel
from app.db.session import SessionDep
from app.settings import Settings
from app.wechat.ids import AppId
from app.wechat_client import problem_store
from app.wechat_client.call_counts import day_of
from app.wechat_client.quota_store import read_uses

router = APIRouter(prefix="/api/quota", tags=["operations"], route_class=ScopedRoute)


class ApiQuota(ApiModel):
    """The calls that one account makes of one API."""

    appid: str
    """The account."""
    api: str
    """The API, as WeChat names it, without `/cgi-bin/`."""
    calls: int
    """How many calls this service has made today."""
    daily_limit: int | None
    """How many WeChat allows a day; null: it was not asked yet."""
    used: int | None
    """How many WeChat counted when it was asked, those of other programs too.

    null: not today, or not since the quotas were cleared.
    """
    asked_at: datetime | None
    """When WeChat was asked."""
    paused_until: datetime | None
    """When the next call is made, since WeChat refuses them; null if they go on."""


class QuotaOut(ApiModel):
    """The calls of all accounts today."""

    day: date
    """The day in Shanghai, by which WeChat counts."""
    items: list[ApiQuota]
    """One for each account and API that was called or asked about today."""


@router.get("", openapi_extra=needs(ApiScope.OPERATIONS_READ))
async def read_quota(request: Request, session: SessionDep) -> QuotaOut:
    """Return how many calls were made today, and how many WeChat allows and has counted.

    Counts are a few seconds old. WeChat is asked about one API of each account every ten minutes.
    """
    settings: Settings = request.app.state.settings
    now: datetime = request.app.state.clock.now()
    return QuotaOut(day=day_of(now), items=await _items(session, list(settings.accounts), now))


async def _items(session: AsyncSession, appids: list[str], now: datetime) -> list[ApiQuota]:
    pauses = await problem_store.read_pauses(session)
    items = []
    for use in await read_uses(session, appids, now):
        pause = pauses.get((AppId(use.appid), use.api))
        items.append(
            ApiQuota(
                appid=use.appid,
                api=use.api,
                calls=use.calls,
                daily_limit=use.daily_limit,
                used=use.counted,
                asked_at=use.asked_at,
                paused_until=None if pause is None else pause.until,
            )
        )
    return items
