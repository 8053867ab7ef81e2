"""Reads the figures of followers: from the sums, or from the history while the sums are far behind.

The number of followers at a time is the present number minus the changes since then, so that
followers from before the first event are counted. Both statements return the same figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.stats.date_range import DateRange
from app.stats.follower_history_sql import FROM_HISTORY
from app.stats.follower_sums_sql import FROM_SUMS

# With more rows to correct the sums by, the history is read at once.
MAX_UNCOUNTED: Final = 5_000

DAY, QR_SCENE, SCENE = "day", "qr_scene", "scene"


@dataclass(frozen=True, slots=True)
class Change:
    """The change for one label of a kind. net: from the first day until now.

    kind: day (label: ISO date), qr_scene or scene. new, lost: within the date range.
    """

    kind: str
    label: str | None
    new: int
    lost: int
    net: int


@dataclass(frozen=True, slots=True)
class PresentCount:
    """The number of followers now, for one label of a kind; kind None: all followers."""

    kind: str | None
    label: str | None
    followers: int


async def read(
    session: AsyncSession, appids: Sequence[str], date_range: DateRange
) -> tuple[list[Change], list[PresentCount]]:
    """Return the changes and the present numbers, read from one state of the database."""
    rows, present = await _read(session, appids, date_range, date_range.since)
    return _changes(rows, _Part.IN_RANGE), present


async def read_with_before(
    session: AsyncSession, appids: Sequence[str], date_range: DateRange, before: DateRange
) -> tuple[list[Change], list[Change], list[PresentCount]]:
    """Return the changes, those of the days right before, and the present numbers.

    All are read from one state of the database, each event once. before: ends where date_range
    begins.
    """
    rows, present = await _read(session, appids, date_range, before.since)
    return _changes(rows, _Part.IN_RANGE), _changes(rows, _Part.BEFORE), present


class _Part(IntEnum):
    """Where a day is."""

    BEFORE = 0
    IN_RANGE = 1
    AFTER = 2


@dataclass(frozen=True, slots=True)
class _Row:
    """The change for one label in one part of the days."""

    part: _Part
    change: Change


async def _read(
    session: AsyncSession, appids: Sequence[str], date_range: DateRange, since: date
) -> tuple[list[_Row], list[PresentCount]]:
    bound = parameters(appids, date_range, since)
    progress = (await session.execute(_PROGRESS, {"most": MAX_UNCOUNTED})).one()
    if progress.uncounted < MAX_UNCOUNTED:
        found = await session.execute(FROM_SUMS, {**bound, "counted": progress.position})
    else:
        found = await session.execute(FROM_HISTORY, bound)
    rows: list[_Row] = []
    present: list[PresentCount] = []
    for row in found:
        if row.followers is None:
            change = Change(row.kind, row.label, int(row.new), int(row.lost), int(row.net))
            rows.append(_Row(_Part(row.part), change))
        else:
            present.append(PresentCount(row.kind, row.label, int(row.followers)))
    return rows, present


def parameters(appids: Sequence[str], date_range: DateRange, since: date) -> dict[str, object]:
    """Return the parameters of both statements. since: the first day that is read."""
    return {
        "appids": list(appids),
        "zone": date_range.time_zone,
        "earliest": replace(date_range, since=since).earliest,
        "since": since,
        "start": date_range.since,
        "until": date_range.until,
    }


def _changes(rows: Sequence[_Row], part: _Part) -> list[Change]:
    """Return the changes of a part of the days; what came later counts in `net` alone."""
    sums: dict[tuple[str, str | None], Change] = {}
    for row in rows:
        if row.part < part:
            continue
        one = row.change
        known = sums.get((one.kind, one.label), Change(one.kind, one.label, 0, 0, 0))
        within = row.part == part
        sums[one.kind, one.label] = Change(
            one.kind,
            one.label,
            known.new + one.new * within,
            known.lost + one.lost * within,
            known.net + one.net,
        )
    return list(sums.values())


def iso(day: date) -> str:
    """Return the label of a day."""
    return day.isoformat()


_PROGRESS = text(
    """
    SELECT position, (SELECT count(*) FROM (
        (SELECT FROM follow_events f WHERE f.position > p.position LIMIT :most)
        UNION ALL (SELECT FROM counted_follow_events LIMIT :most)
        UNION ALL (SELECT FROM counted_hows LIMIT :most)
    ) AS uncounted) AS uncounted
    FROM growth_progress p
    """
)
