"""SQL of the follower figures.

A follow counts as new if its person did not follow before it, an unfollow as lost if they did or
if nothing is known from before it: so a follow that is told twice, by a push and by a
synchronisation, counts once. How many there were at a moment is how many there are now less
what has changed since, so that people from before the first event count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.stats.date_range import Span

DAY, QR_SCENE, SCENE = "day", "qr_scene", "scene"


@dataclass(frozen=True, slots=True)
class Moved:
    """What changed for one label of a kind. net: from the first day to now.

    kind: day (label: ISO date), qr_scene or scene. new, lost: within the span.
    """

    kind: str
    label: str | None
    new: int
    lost: int
    net: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How many follow now, for one label of a kind; kind None: in all."""

    kind: str | None
    label: str | None
    followers: int


async def read(
    session: AsyncSession, appids: Sequence[str], span: Span
) -> tuple[list[Moved], list[Standing]]:
    """Return all that the figures are made of, as of one moment."""
    found = await session.execute(
        FOLLOWERS,
        {
            "appids": list(appids),
            "zone": span.time_zone,
            "earliest": span.earliest,
            "since": span.since,
            "until": span.until,
        },
    )
    moved: list[Moved] = []
    standing: list[Standing] = []
    for row in found:
        if row.followers is None:
            moved.append(Moved(row.kind, row.label, row.new, row.lost, row.net))
        else:
            standing.append(Standing(row.kind, row.label, row.followers))
    return moved, standing


def iso(day: date) -> str:
    """Return a day as a label."""
    return day.isoformat()


# One statement, so that it sees one state of the database. A follow on a follow (an unfollow was
# missed) moves the person from one QR scene to the other, and is neither new nor lost. What came
# before an event is the row before it, sorted; only before each person's first is looked up.
FOLLOWERS = text(
    """
    WITH told AS (
        SELECT appid, openid, action, scene, occurred_at,
               lag(action) OVER life AS before_action, lag(scene) OVER life AS before_scene
        FROM follow_events
        WHERE appid = ANY(CAST(:appids AS text[])) AND action IN ('follow', 'unfollow')
          AND occurred_at >= :earliest
        WINDOW life AS (PARTITION BY appid, openid ORDER BY occurred_at, id)
    ), step AS (
        SELECT CAST(told.occurred_at AT TIME ZONE :zone AS date) AS day, told.appid, told.openid,
               told.action, told.scene,
               COALESCE(told.before_action, earlier.action) AS before_action,
               CASE WHEN told.before_action IS NULL THEN earlier.scene ELSE told.before_scene
               END AS before_scene
        FROM told
        LEFT JOIN LATERAL (
            SELECT b.action, b.scene FROM follow_events b
            WHERE told.before_action IS NULL
              AND b.appid = told.appid AND b.openid = told.openid
              AND b.action IN ('follow', 'unfollow') AND b.occurred_at < :earliest
            ORDER BY b.occurred_at DESC, b.id DESC LIMIT 1
        ) earlier ON true
        WHERE CAST(told.occurred_at AT TIME ZONE :zone AS date) >= :since
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
