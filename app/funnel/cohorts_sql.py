"""SQL of the members of cohorts: one row for each new follow, made again when something changes.

A follow is new if the person did not follow before; it ends with the next unfollow. A person wrote
with the first message since then, arrived with the first launch of a mini-program, and converted
with the first conversion, all within MAX_DAYS and before the next new follow.

Which QR code a person came by is erased when the person leaves, as a rule. A row without a person
keeps it for the figures, without anything by which the person could be found.
"""

from typing import Final

from sqlalchemy import text

MAX_DAYS: Final = 91
# By which ages cohorts are looked at, in days.
AGES: Final = (1, 7, 30, 90)

_AFTER: Final = "CAST(extract(epoch FROM {time} - s.followed_at) AS bigint)"
_WITHIN: Final = f"""
    >= s.followed_at AND {{time}} < LEAST(
        s.next_at, s.followed_at + interval '{MAX_DAYS} days'
    )
"""
_REPORTED: Final = f"""
    SELECT min(a.at) FILTER (WHERE a.kind = 'launch') AS arrived_at,
           min(a.at) FILTER (WHERE a.kind = 'conversion') AS converted_at
    FROM (
        SELECT kind, at, position, left_out FROM arrivals
        WHERE account = s.appid AND recipient = s.openid
        UNION ALL
        SELECT kind, at, position, left_out FROM arrivals WHERE unionid = f.unionid
    ) AS a
    WHERE a.position <= :reports AND a.left_out IS NULL
      AND a.at {_WITHIN.format(time="a.at")}
"""  # noqa: S608 - constants of this module
COUNT: Final = text(
    f"""
    WITH person AS MATERIALIZED (
        SELECT DISTINCT appid, openid
        FROM unnest(CAST(:appids AS text[]), CAST(:openids AS text[])) AS t(appid, openid)
    ), gone AS (
        DELETE FROM cohort_members m USING person
        WHERE m.appid = person.appid AND m.openid = person.openid
    ), event AS (
        SELECT e.*, lag(e.action) OVER life AS before
        FROM person CROSS JOIN LATERAL (
            SELECT id, appid, openid, action, scene, occurred_at FROM follow_events
            WHERE appid = person.appid AND openid = person.openid
              AND action IN ('follow', 'unfollow')
            OFFSET 0
        ) AS e
        WINDOW life AS (PARTITION BY e.appid, e.openid ORDER BY e.occurred_at, e.id)
    ), change AS (
        SELECT appid, openid, action, scene, occurred_at AS followed_at,
               lead(occurred_at) OVER life AS left_at, lead(occurred_at, 2) OVER life AS next_at
        FROM event WHERE before IS DISTINCT FROM action
        WINDOW life AS (PARTITION BY appid, openid ORDER BY occurred_at, id)
    )
    INSERT INTO cohort_members (appid, openid, scene, followed_at, left_after, wrote_after,
                                arrived_after, converted_after)
    SELECT s.appid, s.openid, s.scene, s.followed_at, {_AFTER.format(time="s.left_at")},
           {_AFTER.format(time="w.at")}, {_AFTER.format(time="r.arrived_at")},
           {_AFTER.format(time="r.converted_at")}
    FROM change s
    LEFT JOIN followers f ON f.appid = s.appid AND f.openid = s.openid
    CROSS JOIN LATERAL (
        SELECT min(c.occurred_at) AS at FROM callbacks c
        WHERE c.appid = s.appid AND c.openid = s.openid AND c.event IS NULL
          AND c.occurred_at {_WITHIN.format(time="c.occurred_at")}
    ) AS w
    CROSS JOIN LATERAL ({_REPORTED}) AS r
    WHERE s.action = 'follow'
    """  # noqa: S608 - constants of this module
)

_ROUGH: Final = (
    "CASE "
    + " ".join(f"WHEN {{0}} < {days * 86_400} THEN {days * 86_400 - 1}" for days in AGES)
    + " WHEN {0} IS NOT NULL THEN 91 * 86400 END"
)
# To be run before the scenes are cleared. Who still follows counts by no scene from then on.
KEEP_SCENES: Final = text(
    f"""
    INSERT INTO cohort_members (appid, scene, followed_at, left_after, wrote_after, arrived_after,
                                converted_after)
    SELECT appid, scene, date_bin('15 minutes', followed_at, TIMESTAMPTZ '2000-01-01 00:00+00'),
           {_ROUGH.format("left_after")}, {_ROUGH.format("wrote_after")},
           {_ROUGH.format("arrived_after")}, {_ROUGH.format("converted_after")}
    FROM cohort_members
    WHERE appid = :appid AND openid = :openid AND scene IS NOT NULL AND left_after IS NOT NULL
      AND followed_at <= :until
    """  # noqa: S608 - constants of this module
)
