"""SQL of the follower figures.

A follow counts as new if the person did not follow before. An unfollow counts as lost if the person
followed before, or if nothing is known from before. So a follow that both a push and a follower
sync record counts once. The number of followers at a time is the present number minus the changes
since then, so that followers from before the first event are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.stats.date_range import DateRange

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
    found = await session.execute(FOLLOWERS, parameters(appids, date_range, since))
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
    """Return the parameters of FOLLOWERS. since: the first day that is read."""
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


# One statement, so that it reads one state of the database. A follow after a follow (an unfollow
# was missed) moves the person from one QR scene to another, and is neither new nor lost. The event
# before an event is the row before it; only for the first row of a person it is a query of its own,
# which OFFSET 0 keeps from being asked once for each use of its result. Events that are alike are
# counted before anything is made of them, since there are many more events than kinds of events.
FOLLOWERS = text(
    """
    WITH event AS (
        SELECT appid, openid, action, scene, occurred_at,
               lag(action) OVER person AS before_action, lag(scene) OVER person AS before_scene
        FROM follow_events
        WHERE appid = ANY(CAST(:appids AS text[])) AND action IN ('follow', 'unfollow')
          AND occurred_at >= :earliest
        WINDOW person AS (PARTITION BY appid, openid ORDER BY occurred_at, id)
    ), step AS (
        SELECT CAST(event.occurred_at AT TIME ZONE :zone AS date) AS day, event.appid, event.openid,
               event.action = 'follow' AS follows, event.scene,
               event.before_action, event.before_scene,
               CASE WHEN event.before_action IS NULL THEN (
                   SELECT ARRAY[b.action, b.scene] FROM follow_events b
                   WHERE b.appid = event.appid AND b.openid = event.openid
                     AND b.action IN ('follow', 'unfollow') AND b.occurred_at < :earliest
                   ORDER BY b.occurred_at DESC, b.id DESC LIMIT 1
               ) END AS earlier
        FROM event OFFSET 0
    ), counted AS (
        SELECT step.day, f.how, step.follows,
               CASE WHEN step.follows THEN step.scene END AS scene,
               COALESCE(step.before_action, step.earlier[1]) AS before_action,
               CASE WHEN step.before_action IS NULL THEN step.earlier[2] ELSE step.before_scene
               END AS before_scene,
               count(*) AS events
        FROM step LEFT JOIN followers f USING (appid, openid)
        GROUP BY 1, 2, 3, 4, 5, 6
    ), change AS (
        SELECT day, scene AS qr_scene, how AS scene,
               CASE WHEN before_action = 'follow' THEN 0 ELSE events END AS new, 0 AS lost,
               events AS net
        FROM counted WHERE follows
        UNION ALL
        SELECT day, CASE WHEN before_action = 'follow' THEN before_scene END, how, 0,
               CASE WHEN follows THEN 0 ELSE events END, -events
        FROM counted
        WHERE before_action = 'follow' OR (NOT follows AND before_action IS NULL)
    ), moved AS (
        SELECT day, CASE WHEN day < :start THEN 0 WHEN day <= :until THEN 1 ELSE 2 END AS part,
               qr_scene, scene, new, lost, net
        FROM change WHERE day >= :since
    ), present AS (
        SELECT scene, how, count(*) AS followers
        FROM followers WHERE appid = ANY(CAST(:appids AS text[])) AND following
        GROUP BY scene, how
    )
    SELECT CASE GROUPING(day, qr_scene, scene)
               WHEN 3 THEN 'day' WHEN 5 THEN 'qr_scene' ELSE 'scene' END AS kind,
           CASE GROUPING(day, qr_scene, scene)
               WHEN 3 THEN CAST(day AS text) WHEN 5 THEN qr_scene ELSE scene END AS label,
           part, sum(new) AS new, sum(lost) AS lost, sum(net) AS net, NULL AS followers
    FROM moved GROUP BY part, GROUPING SETS ((day), (qr_scene), (scene))
    UNION ALL
    SELECT CASE GROUPING(scene, how) WHEN 1 THEN 'qr_scene' WHEN 2 THEN 'scene' END,
           CASE GROUPING(scene, how) WHEN 1 THEN scene WHEN 2 THEN how END,
           NULL, NULL, NULL, NULL, COALESCE(sum(followers), 0)
    FROM present GROUP BY GROUPING SETS ((scene), (how), ())
    """
)
