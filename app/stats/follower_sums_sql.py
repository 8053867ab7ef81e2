"""The statement that reads the figures of followers from the sums of `growth`.

One statement, so that it reads one state of the database: the sums, and the correction by what is
not counted yet.

The figures of days come from quarters of an hour, of which the days of every time zone consist. The
figures of scenes come from days of UTC+8. Where such a day belongs to two parts of the days that
are asked for, it is taken to belong to the part that has its noon. What lies between the noon's
part and the boundary is read from the history, and moved to the part where it belongs.
"""

from typing import Final

from sqlalchemy import text

from app.growth.correction import changed_people, changes, correction

# The position is read before, for the planner, and again here: it may have grown since then.
_COUNTED: Final = "(SELECT position FROM growth_progress)"
_UNCOUNTED: Final = f"position > :counted AND position > {_COUNTED}"

_DAY_OF: Final = "date_bin('1 day', {time}, TIMESTAMPTZ '2000-01-01 00:00+08')"


def _part(time: str) -> str:
    """Return the SQL expression of the part in which a time is: see `_Part` of the store."""
    return (
        f"CASE WHEN {time} >= span.after THEN 2 WHEN {time} >= span.start THEN 1 "
        f"WHEN {time} >= span.since THEN 0 ELSE -1 END"
    )


def _part_of_day(time: str) -> str:
    """Return the SQL expression of the part that a day of UTC+8 is taken to belong to."""
    return _part(f"{_DAY_OF.format(time=time)} + interval '12 hours'")


_LABELS: Final = "(VALUES ('scene', c.scene), ('qr_scene', c.qr_scene)) AS k(kind, label)"

FROM_SUMS = text(
    f"""
    WITH boundary AS (
        SELECT b.part, min(q.at) AS at
        FROM (VALUES (0, CAST(:since AS date)), (1, CAST(:start AS date)),
                     (2, CAST(:until AS date) + 1)) AS b(part, day)
        CROSS JOIN LATERAL generate_series(
            CAST(b.day - 1 AS timestamp) AT TIME ZONE 'UTC',
            CAST(b.day + 1 AS timestamp) AT TIME ZONE 'UTC', interval '15 minutes'
        ) AS q(at)
        WHERE CAST(q.at AT TIME ZONE :zone AS date) >= b.day
        GROUP BY b.part
    ), span AS MATERIALIZED (
        SELECT min(at) FILTER (WHERE part = 0) AS since, min(at) FILTER (WHERE part = 1) AS start,
               min(at) FILTER (WHERE part = 2) AS after
        FROM boundary
    ), edge AS (
        SELECT CASE WHEN at <= midnight + interval '12 hours' THEN midnight ELSE at END AS since,
               CASE WHEN at <= midnight + interval '12 hours' THEN at
                    ELSE midnight + interval '1 day' END AS until
        FROM boundary CROSS JOIN LATERAL (SELECT {_DAY_OF.format(time="at")} AS midnight) AS day
    ), edge_event AS (
        SELECT DISTINCT e.* FROM edge CROSS JOIN LATERAL (
            SELECT id, appid, openid, action, scene, occurred_at FROM follow_events
            WHERE appid = ANY(CAST(:appids AS text[])) AND action IN ('follow', 'unfollow')
              AND occurred_at >= edge.since AND occurred_at < edge.until
            OFFSET 0
        ) AS e
    ), edge_step AS MATERIALIZED (
        SELECT 1 AS sign, e.appid, e.occurred_at, e.action = 'follow' AS follows, e.scene, f.how,
               b.action AS before_action, b.scene AS before_scene
        FROM edge_event e LEFT JOIN LATERAL (
            SELECT action, scene FROM follow_events
            WHERE appid = e.appid AND openid = e.openid AND action IN ('follow', 'unfollow')
              AND occurred_at <= e.occurred_at AND (occurred_at, id) < (e.occurred_at, e.id)
            ORDER BY occurred_at DESC, id DESC LIMIT 1
        ) AS b ON true
        LEFT JOIN LATERAL (
            SELECT how FROM followers WHERE appid = e.appid AND openid = e.openid OFFSET 0
        ) AS f ON true
    ), edge_change AS (
        {changes("edge_step")}
    ), person AS MATERIALIZED (
        SELECT * FROM ({changed_people(_UNCOUNTED)}) AS changed
        WHERE appid = ANY(CAST(:appids AS text[]))
    ), {correction(_COUNTED)}, moved AS (
        SELECT 'day' AS kind, CAST(CAST(quarter AT TIME ZONE :zone AS date) AS text) AS label,
               {_part("quarter")} AS part, new, lost, new - lost AS net
        FROM growth_quarters CROSS JOIN span
        WHERE appid = ANY(CAST(:appids AS text[])) AND quarter >= span.since
        UNION ALL
        SELECT 'day', CAST(CAST(occurred_at AT TIME ZONE :zone AS date) AS text),
               {_part("occurred_at")}, new, lost, net
        FROM correction CROSS JOIN span WHERE occurred_at >= span.since
        UNION ALL
        SELECT kind, label, {_part("noon")}, new, lost, net
        FROM growth_days CROSS JOIN span CROSS JOIN LATERAL (
            SELECT CAST(day AS timestamp) AT TIME ZONE 'UTC' + interval '4 hours' AS noon
        ) AS n
        WHERE appid = ANY(CAST(:appids AS text[])) AND noon >= span.since
          AND day >= CAST(span.since AT TIME ZONE 'UTC' + interval '8 hours' AS date)
        UNION ALL
        SELECT k.kind, k.label, {_part_of_day("c.occurred_at")}, c.new, c.lost, c.net
        FROM correction c CROSS JOIN span CROSS JOIN LATERAL {_LABELS}
        UNION ALL
        SELECT k.kind, k.label, m.part, m.sign * c.new, m.sign * c.lost, m.sign * c.net
        FROM edge_change c CROSS JOIN span CROSS JOIN LATERAL {_LABELS}
        CROSS JOIN LATERAL (VALUES ({_part("c.occurred_at")}, 1),
                                   ({_part_of_day("c.occurred_at")}, -1)) AS m(part, sign)
    ), present AS (
        SELECT scene, how, count(*) AS followers
        FROM followers WHERE appid = ANY(CAST(:appids AS text[])) AND following
        GROUP BY scene, how
    )
    SELECT kind, label, part, sum(new) AS new, sum(lost) AS lost, sum(net) AS net, NULL AS followers
    FROM moved WHERE part >= 0 GROUP BY kind, label, part
    UNION ALL
    SELECT CASE GROUPING(scene, how) WHEN 1 THEN 'qr_scene' WHEN 2 THEN 'scene' END,
           CASE GROUPING(scene, how) WHEN 1 THEN scene WHEN 2 THEN how END,
           NULL, NULL, NULL, NULL, COALESCE(sum(followers), 0)
    FROM present GROUP BY GROUPING SETS ((scene), (how), ())
    """  # noqa: S608 - constants of this module and of `growth`
)
