"""SQL of what WeChat answers: which days are due, who asks, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.datacube.days import KEPT_DAYS, backfilled, day_of, ready_at
from app.datacube.models import WeChatFigures
from app.wechat.datacube import FORMS, FigureCall
from app.wechat.ids import AppId

# Longer than one call takes, with an access token that has to be fetched before.
LEASE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Claim:
    """Days in a row that one run asks about with one call."""

    appid: AppId
    call: FigureCall
    lease: UUID
    days: tuple[date, ...]


async def plan(
    session: AsyncSession, calls: Mapping[str, Sequence[FigureCall]], now: datetime
) -> None:
    """Add the days of each account that are not planned yet. calls: by AppID."""
    days = backfilled(now)
    pairs = [(appid, call.value) for appid, named in calls.items() for call in named]
    await session.execute(
        _PLAN,
        {
            "appids": [appid for appid, _ in pairs],
            "calls": [call for _, call in pairs],
            "days": days,
            "moments": [ready_at(day) for day in days],
            "newest": days[-1],
        },
    )


async def claim(session: AsyncSession, appids: Sequence[str], now: datetime) -> Claim | None:
    """Take the days of one call that are due, for one run alone; None if none are."""
    free = or_(WeChatFigures.leased_until.is_(None), WeChatFigures.leased_until <= now)
    due = (WeChatFigures.try_at <= now, free)
    first = await session.scalar(
        select(WeChatFigures)
        .where(*due, WeChatFigures.appid.in_(appids))
        .order_by(WeChatFigures.try_at, WeChatFigures.appid, WeChatFigures.call, WeChatFigures.day)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if first is None:
        return None
    call, lease = FigureCall(first.call), uuid4()
    taken = [first]
    if not first.alone:
        last = first.day + timedelta(days=FORMS[call].max_days - 1)
        further = await session.scalars(
            select(WeChatFigures)
            .where(
                *due,
                WeChatFigures.appid == first.appid,
                WeChatFigures.call == first.call,
                WeChatFigures.day > first.day,
                WeChatFigures.day <= last,
                ~WeChatFigures.alone,
            )
            .order_by(WeChatFigures.day)
            .with_for_update(skip_locked=True)
        )
        for row in further:
            if row.day - taken[-1].day > timedelta(days=1):
                break
            taken.append(row)
    for row in taken:
        row.lease, row.leased_until = lease, now + LEASE
    return Claim(AppId(first.appid), call, lease, tuple(row.day for row in taken))


async def released(session: AsyncSession, claimed: Claim) -> Sequence[WeChatFigures]:
    """Return the rows that this run still has, locked and without their lease."""
    found = await session.scalars(
        select(WeChatFigures)
        .where(
            WeChatFigures.appid == claimed.appid,
            WeChatFigures.call == claimed.call,
            WeChatFigures.day.in_(claimed.days),
            WeChatFigures.lease == claimed.lease,
        )
        .order_by(WeChatFigures.day)
        .with_for_update()
    )
    rows = found.all()
    for row in rows:
        row.lease = row.leased_until = None
    return rows


async def postpone(
    session: AsyncSession, appid: str, call: FigureCall | None, until: datetime
) -> None:
    """Let the due days of a call wait, which WeChat would refuse now; None: of all calls."""
    statement = update(WeChatFigures).where(
        WeChatFigures.appid == appid, WeChatFigures.try_at < until
    )
    if call is not None:
        statement = statement.where(WeChatFigures.call == call)
    await session.execute(statement.values(try_at=until))


async def prune(session: AsyncSession, now: datetime) -> None:
    """Delete the figures of days that are long over."""
    first = day_of(now) - timedelta(days=KEPT_DAYS)
    await session.execute(delete(WeChatFigures).where(WeChatFigures.day < first))


async def read(
    session: AsyncSession, appids: Sequence[str], since: date, until: date
) -> Sequence[WeChatFigures]:
    """Return what is known of these days, in their order."""
    found = await session.scalars(
        select(WeChatFigures)
        .where(
            WeChatFigures.appid.in_(appids),
            WeChatFigures.call.in_([call.value for call in FigureCall]),
            WeChatFigures.day >= since,
            WeChatFigures.day <= until,
        )
        .order_by(WeChatFigures.appid, WeChatFigures.call, WeChatFigures.day)
    )
    return found.all()


# Where the newest day is planned, the others are, too.
_PLAN: Final = text("""
INSERT INTO wechat_figures (appid, call, day, try_at)
SELECT c.appid, c.call, d.day, d.ready_at
FROM unnest(CAST(:appids AS text[]), CAST(:calls AS text[])) AS c(appid, call)
CROSS JOIN unnest(CAST(:days AS date[]), CAST(:moments AS timestamptz[])) AS d(day, ready_at)
WHERE NOT EXISTS (
    SELECT FROM wechat_figures w
    WHERE w.appid = c.appid AND w.call = c.call AND w.day = :newest
)
ORDER BY 1, 2, 3
ON CONFLICT DO NOTHING
""")
