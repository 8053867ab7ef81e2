"""The statement that computes the figures of followers from the history alone.

It reads each event since the first day and is exact in any state of the sums. It is used while the
sums are far behind, as after an upgrade, and tests hold the sums against it.

A follow counts as new if the person did not follow before. An unfollow counts as lost if the person
followed before, or if nothing is known from before. So a follow that both a push and a follower
sync record counts once.
"""

from sqlalchemy import text

# One statement, so that it reads one state of the database. A follow after a follow (an unfollow
# was missed) moves the person from one QR scene to another, and is neither new nor lost. The event
# before an event is the row before it; only for the first row of a person it is a query of its own,
# which OFFSET 0 keeps from being asked once for each use of its result. Events that are alike are
# counted before anything is made of them, since there are many more events than kinds of events.
FROM_HISTORY = text(
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
