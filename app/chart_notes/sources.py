"""Reads the marks of charts, each kind by a function of its own.

A package whose events belong on charts adds a function here and its name to SOURCES; nothing else
has to know of it. Each function reads at most MAX_OF_A_KIND marks, the latest ones.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy import or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.campaigns.models import Campaign
from app.chart_notes.marks import MAX_OF_A_KIND, Mark, MarkKind, Span
from app.chart_notes.models import ChartNote
from app.datacube import day_store
from app.datacube.days import day_of
from app.datacube.models import PushDay
from app.doctor.finding import State
from app.menus.models import MenuVersion, VersionState

Source: TypeAlias = Callable[[AsyncSession, Span], Awaitable[list[Mark]]]

# A silence is noted with the day on which it ends, and with each day that it lasts.
LONGEST_SILENCE: Final = timedelta(days=30)


async def changed_rules(session: AsyncSession, span: Span) -> list[Mark]:
    """Return how many rules were changed on each day."""
    found = await session.execute(
        _CHANGED_RULES,
        {
            "appids": list(span.appids),
            "zone": span.days.time_zone,
            "start": span.start,
            "end": span.end,
            "most": MAX_OF_A_KIND,
        },
    )
    return [Mark(MarkKind.RULES, day, at=at, count=rules) for day, at, rules in found]


async def published_menus(session: AsyncSession, span: Span) -> list[Mark]:
    """Return the menus that were published."""
    found = await session.execute(
        select(MenuVersion.appid, MenuVersion.number, MenuVersion.finished_at)
        .where(
            MenuVersion.appid.in_(span.appids),
            MenuVersion.state == VersionState.PUBLISHED,
            MenuVersion.finished_at >= span.start,
            MenuVersion.finished_at < span.end,
        )
        .order_by(MenuVersion.finished_at.desc())
        .limit(MAX_OF_A_KIND)
    )
    return [
        Mark(MarkKind.MENU, span.day_of(at), at=at, appid=appid, count=number)
        for appid, number, at in found
        if at is not None
    ]


async def campaigns(session: AsyncSession, span: Span) -> list[Mark]:
    """Return the campaigns that began, with their end; they belong to no account."""
    found = await session.execute(
        select(Campaign.name, Campaign.starts_at, Campaign.ends_at)
        .where(
            Campaign.deleted_at.is_(None),
            Campaign.starts_at >= span.start,
            Campaign.starts_at < span.end,
        )
        .order_by(Campaign.starts_at.desc())
        .limit(MAX_OF_A_KIND)
    )
    return [
        Mark(MarkKind.CAMPAIGN, span.day_of(start), at=start, until=end, text=name)
        for name, start, end in found
    ]


async def silences(session: AsyncSession, span: Span) -> list[Mark]:
    """Return the times in which no push came although many were to be expected."""
    last = day_of(span.end + LONGEST_SILENCE)
    rows = await day_store.read(session, PushDay, span.appids, day_of(span.start), last)
    ends: dict[tuple[str, datetime], datetime | None] = {}
    for row in rows:
        for since, until in row.silences:
            # The rows come by day: the last one knows best when it ended.
            ends[row.appid, _moment(since)] = None if until is None else _moment(until)
    found = [
        Mark(MarkKind.SILENCE, span.day_of(since), at=since, until=until, appid=appid)
        for (appid, since), until in ends.items()
        if span.has(since)
    ]
    return found[-MAX_OF_A_KIND:]


async def waiting_calls(session: AsyncSession, span: Span) -> list[Mark]:
    """Return since when calls wait that WeChat refuses or does not answer, and when they did."""
    found = await session.execute(
        _WAITING_CALLS, {"appids": list(span.appids), "start": span.start, "end": span.end}
    )
    return [
        Mark(MarkKind.CALLS_WAIT, span.day_of(since), at=since, until=until, appid=appid, text=api)
        for appid, api, since, until in found
    ]


async def faults(session: AsyncSession, span: Span) -> list[Mark]:
    """Return since when the doctor finds faults, and those that are over."""
    found = await session.execute(
        _FAULTS,
        {
            "appids": ["", *span.appids],
            "state": State.FAULT.value,
            "start": span.start,
            "end": span.end,
        },
    )
    return [
        Mark(
            MarkKind.DOCTOR,
            span.day_of(since),
            at=since,
            until=until,
            appid=appid or None,
            text=check,
        )
        for check, appid, since, until in found
    ]


async def notes(session: AsyncSession, span: Span) -> list[Mark]:
    """Return the notes of operators."""
    rows = await session.scalars(
        select(ChartNote)
        .where(
            or_(ChartNote.appid.is_(None), ChartNote.appid.in_(span.appids)),
            or_(
                ChartNote.day.between(span.days.since, span.days.until),
                ChartNote.at.between(span.start, span.end),
            ),
        )
        .order_by(ChartNote.id.desc())
        .limit(MAX_OF_A_KIND)
    )
    return [
        Mark(
            MarkKind.NOTE,
            row.day or span.day_of(row.at or span.start),
            at=row.at,
            appid=row.appid,
            text=row.text,
            note_id=row.id,
        )
        for row in rows
        if row.at is None or span.has(row.at)
    ]


SOURCES: Final[Sequence[Source]] = (
    changed_rules,
    published_menus,
    campaigns,
    silences,
    waiting_calls,
    faults,
    notes,
)


async def read_marks(session: AsyncSession, span: Span) -> list[Mark]:
    """Return all marks of a chart, by time."""
    found = [mark for source in SOURCES for mark in await source(session, span)]
    return sorted(found, key=lambda mark: (mark.day, mark.at or span.start, mark.kind))


def _moment(written: str | None) -> datetime:
    return datetime.fromisoformat(written or "")


_CHANGED_RULES: Final = text("""
SELECT CAST(changed_at AT TIME ZONE :zone AS date) AS day, min(changed_at),
       count(DISTINCT rule_id)
FROM rule_revisions
WHERE changed_at >= :start AND changed_at < :end
  AND COALESCE(rule ->> 'appid' = ANY(CAST(:appids AS text[])), true)
GROUP BY 1 ORDER BY 1 DESC LIMIT :most
""")

_WAITING_CALLS: Final = text("""
SELECT appid, api, since, until FROM (
    SELECT appid, api, since, CAST(NULL AS timestamptz) AS until FROM api_problems
    WHERE probe_at IS NOT NULL
    UNION ALL
    SELECT appid, api, since, until FROM ended_pauses
) AS pause
WHERE appid = ANY(CAST(:appids AS text[])) AND since >= :start AND since < :end
ORDER BY since DESC, appid, api LIMIT 200
""")

_FAULTS: Final = text("""
SELECT "check", appid, since, until FROM (
    SELECT "check", appid, since, CAST(NULL AS timestamptz) AS until FROM doctor_findings
    WHERE state = :state
    UNION ALL
    SELECT "check", appid, since, until FROM ended_faults
) AS fault
WHERE appid = ANY(CAST(:appids AS text[])) AND since >= :start AND since < :end
ORDER BY since DESC, "check", appid LIMIT 200
""")
