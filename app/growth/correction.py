"""SQL of the correction: what the sums lack, and what in them is no longer right.

The correction covers whole lives: of each person concerned, the changes that follow from the events
as they are, less the changes that follow from the events as they were counted. So late events and
changed ones, which also change what the event after them means, need no cases of their own.

A follow counts as new if the person did not follow before. An unfollow counts as lost if the person
followed before, or if nothing is known from before. A follow after a follow (an unfollow was
missed) moves the person from one QR scene to another, and is neither new nor lost.
"""

from typing import Final

# OFFSET 0 makes Postgres read each life by the index on (appid, openid).
_TEMPLATE: Final = """
    image AS (
        SELECT DISTINCT ON (c.event_id) c.*
        FROM counted_follow_events c JOIN person USING (appid, openid)
        WHERE c.position <= {counted}
        ORDER BY c.event_id, c.id
    ), counted_how AS (
        SELECT DISTINCT ON (appid, openid) appid, openid, how
        FROM counted_hows JOIN person USING (appid, openid)
        ORDER BY appid, openid, counted_hows.id
    ), present_event AS MATERIALIZED (
        SELECT person.appid, person.openid, e.id, e.action, e.scene, e.occurred_at, e.position,
               f.how AS how_now,
               CASE WHEN c.appid IS NULL THEN f.how ELSE c.how END AS how_counted
        FROM person CROSS JOIN LATERAL (
            SELECT id, action, scene, occurred_at, position FROM follow_events
            WHERE appid = person.appid AND openid = person.openid
              AND action IN ('follow', 'unfollow')
            OFFSET 0
        ) AS e
        LEFT JOIN LATERAL (
            SELECT how FROM followers
            WHERE appid = person.appid AND openid = person.openid OFFSET 0
        ) AS f ON true
        LEFT JOIN counted_how c ON c.appid = person.appid AND c.openid = person.openid
    ), life AS (
        SELECT 1 AS sign, appid, openid, id, action, scene, occurred_at, how_now AS how
        FROM present_event WHERE {is_new_enough}
        UNION ALL
        SELECT -1, appid, openid, id, action, scene, occurred_at, how_counted
        FROM present_event WHERE position <= {counted} AND id NOT IN (SELECT event_id FROM image)
        UNION ALL
        SELECT -1, appid, openid, image.event_id, image.action, image.scene, image.occurred_at,
               CASE WHEN c.appid IS NULL THEN f.how ELSE c.how END
        FROM image LEFT JOIN counted_how c USING (appid, openid)
        LEFT JOIN followers f USING (appid, openid)
    ), step AS (
        SELECT sign, appid, occurred_at, action = 'follow' AS follows, scene, how,
               lag(action) OVER past AS before_action, lag(scene) OVER past AS before_scene
        FROM life
        WINDOW past AS (PARTITION BY sign, appid, openid ORDER BY occurred_at, id)
    ), correction AS (
        {changes}
    )
"""

_CHANGES: Final = """
        SELECT appid, occurred_at, scene AS qr_scene, how AS scene,
               CASE WHEN before_action = 'follow' THEN 0 ELSE sign END AS new, 0 AS lost,
               sign AS net
        FROM {steps} WHERE follows
        UNION ALL
        SELECT appid, occurred_at, CASE WHEN before_action = 'follow' THEN before_scene END, how,
               0, CASE WHEN follows THEN 0 ELSE sign END, -sign
        FROM {steps}
        WHERE before_action = 'follow' OR (NOT follows AND before_action IS NULL)
"""

_PEOPLE: Final = """
    SELECT appid, openid FROM follow_events WHERE {events}
    UNION SELECT appid, openid FROM counted_follow_events
    UNION SELECT e.appid, e.openid
    FROM counted_follow_events c JOIN follow_events e ON e.id = c.event_id
    UNION SELECT appid, openid FROM counted_hows
"""


def changes(steps: str) -> str:
    """Return the query for what events change.

    steps: a relation with sign, appid, occurred_at, follows, scene, how, and the action and scene
    of the event before. Columns: appid, occurred_at, qr_scene, scene, new, lost, net.
    """
    return _CHANGES.format(steps=steps)


def correction(counted: str, newest: str | None = None) -> str:
    """Return the common table expressions that end in `correction`.

    The statement has `person` (appid, openid) before them. counted: an SQL expression, the position
    up to which events are counted. newest: one for the last position that is looked at; None: all.
    The columns of `correction` are those of `changes`.
    """
    return _TEMPLATE.format(
        counted=counted,
        is_new_enough="true" if newest is None else f"position <= {newest}",
        changes=changes("step"),
    )


def changed_people(events: str) -> str:
    """Return the query for the people of whom something is not counted, or was changed since.

    events: an SQL condition on follow_events, which narrows the events that are not counted.
    """
    return _PEOPLE.format(events=events)
