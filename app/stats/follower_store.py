"""SQL of the follower figures.

A follow counts as new if the person did not follow before. An unfollow counts as lost if the person
followed before, or if nothing is known from before. So a follow that both a push and a follower
sync record counts once. The number of followers at a time is the present number minus the changes
since then, so that followers from before the first event are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

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
    found = await session.execute(
        FOLLOWERS,
        {
            "appids": list(appids),
            "zone": date_range.time_zone,
            "earliest": date_range.earliest,
            "since": date_range.since,
            "until": date_range.until,
        },
    )
    changes: list[Change] = []
    present: list[PresentCount] = []
    for row in found:
        if row.followers is None:
            changes.append(Change(row.kind, row.label, row.new, row.lost, row.net))
        else:
            present.append(PresentCount(row.kind, row.label, row.followers))
    return changes, present


def iso(day: date) -> str:
    """Return the label of a day."""
    return day.isoformat()


# One statement, so that it reads one state of the database. A follow after a follow (an unfollow
# was missed) moves the person from one QR scene to another, and is neither new nor lost. The event
# before an event is the row before it; only for the first row of a person it is a query of its own.
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
               event.action, event.scene,
               COALESCE(event.before_action, earlier.action) AS before_action,
               CASE WHEN event.before_action IS NULL THEN earlier.scene ELSE event.before_scene
               END AS before_scene
        FROM event
        LEFT JOIN LATERAL (
            SELECT b.action, b.scene FROM follow_events b
            WHERE event.before_action IS NULL
              AND b.appid = event.appid AND b.openid = event.openid
              AND b.action IN ('follow', 'unfollow') AND b.occurred_at < :earliest
            ORDER BY b.occurred_at DESC, b.id DESC LIMIT 1
        ) earlier ON true
        WHERE CAST(event.occurred_at AT TIME ZONE :zone AS date) >= :since
    ), change AS (
        SELECT step.day, change.qr_scene, f.how AS scene, change.new, change.lost, change.net
        FROM step
        LEFT JOIN followers f USING (appid, openid)
        CROSS JOIN LATERAL (
            SELECT step.scene, 1, 0, 1
            WHERE step.action = 'follow' AND step.before_action IS DISTINCT FROM 'follow'
            UNION ALL
            SELECT scene, 0, 0, net FROM (VALUES (step.scene, 1), (step.before_scene, -1))
                 AS v(scene, net)
            WHERE step.action = 'follow' AND step.before_action = 'follow'
            UNION ALL
            SELECT step.before_scene, 0, 1, -1
            WHERE step.action = 'unfollow' AND step.before_action = 'follow'
            UNION ALL
            SELECT NULL, 0, 1, -1
            WHERE step.action = 'unfollow' AND step.before_action IS NULL
        ) AS change(qr_scene, new, lost, net)
    )
    SELECT CASE GROUPING(day, qr_scene, scene)
               WHEN 3 THEN 'day' WHEN 5 THEN 'qr_scene' ELSE 'scene' END AS kind,
           CASE GROUPING(day, qr_scene, scene)
               WHEN 3 THEN CAST(day AS text) WHEN 5 THEN qr_scene ELSE scene END AS label,
           COALESCE(sum(new) FILTER (WHERE day <= :until), 0) AS new,
           COALESCE(sum(lost) FILTER (WHERE day <= :until), 0) AS lost,
           sum(net) AS net, NULL AS followers
    FROM change GROUP BY GROUPING SETS ((day), (qr_scene), (scene))
    UNION ALL
    SELECT CASE GROUPING(scene, how) WHEN 1 THEN 'qr_scene' WHEN 2 THEN 'scene' END,
           CASE GROUPING(scene, how) WHEN 1 THEN scene WHEN 2 THEN how END,
           NULL, NULL, NULL, count(*)
    FROM followers WHERE appid = ANY(CAST(:appids AS text[])) AND following
    GROUP BY GROUPING SETS ((scene), (how), ())
    """
)
