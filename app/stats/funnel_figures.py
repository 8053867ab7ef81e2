"""Reads and computes the figures of the funnel and of retention, for the API and the console."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.funnel.steps import Basis, DoorKind
from app.settings import Settings
from app.stats import cohort_store, funnel_store
from app.stats.cohort_compute import retention_out
from app.stats.cohort_schemas import RetentionOut, RetentionQuery
from app.stats.date_range import DateRange
from app.stats.door_names import names
from app.stats.funnel_compute import funnel_out
from app.stats.funnel_schemas import FunnelOut, FunnelQuery
from app.stats.funnel_store import FunnelWanted


async def funnel_figures(
    session: AsyncSession,
    query: FunnelQuery,
    date_range: DateRange,
    appids: Sequence[str],
    settings: Settings,
    *,
    all_accounts: bool,
) -> FunnelOut:
    """Return the figures of the days, and of as many days before.

    all_accounts: no account is chosen. Then links, which a campaign may have among its doors, count
    to whichever mini-program they lead.
    """
    basis = Basis(
        date_range.time_zone,
        query.opened_days or settings.funnel_opened_days,
        query.converted_days or settings.funnel_converted_days,
    )
    has_links = query.by in {DoorKind.LINK, DoorKind.CAMPAIGN} or query.campaign is not None
    if has_links and all_accounts:
        appids = await _with_mini_programs(session, appids, settings)
    campaign = "" if query.campaign is None else str(query.campaign)
    wanted = FunnelWanted(appids, date_range, basis, query.by, query.door or "", campaign)
    now = await funnel_store.read(session, wanted)
    days_before = _before(date_range)
    earlier = await funnel_store.read_total(session, wanted, days_before)
    ids = [door.removeprefix(wanted.prefix) for door in now.doors]
    return funnel_out(
        wanted,
        now,
        earlier,
        days_before,
        await names(session, query.by, ids),
        await funnel_store.counted_until(session),
    )


async def retention_figures(
    session: AsyncSession,
    query: RetentionQuery,
    date_range: DateRange,
    appids: Sequence[str],
    now: datetime,
) -> RetentionOut:
    """Return the cohorts of people who followed on these days."""
    cohorts, number = await cohort_store.read(session, appids, date_range, query.by, query.scene)
    return retention_out(cohorts, number, date_range, query.by, now)


async def _with_mini_programs(
    session: AsyncSession, appids: Sequence[str], settings: Settings
) -> list[str]:
    """Add the mini-programs that are configured, and those of links: these may be any."""
    of_links = await session.scalars(text("SELECT DISTINCT appid FROM links"))
    return sorted({*appids, *settings.mini_programs, *of_links})


def _before(days: DateRange) -> DateRange:
    length = days.until - days.since + timedelta(days=1)
    return DateRange(days.since - length, days.since - timedelta(days=1), days.time_zone)
